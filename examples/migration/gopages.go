package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

const (
	maxForm  = 16 << 10
	maxItems = 40
	maxName  = 60
	maxKey   = 40
	maxValue = 200
)

// notices are what a page says after a form was accepted and redirected to it.
var notices = map[string]string{
	"start": "You were handed a copy of a session that ASP.NET wrote. Every visitor has one of their own.",
	"name":  "Saved. The legacy side reads the new name from the same stored session.",
	"visit": "Counted.",
	"item":  "Added. The legacy side has the item too.",
	"reset": "The captured session is back, byte for byte.",
}

// homePage is the view of home.html, also where a form comes back with a problem.
type homePage struct {
	page
	Name   string
	Visits int
	Items  int
	Own    []ownItem // what this visitor added
	Notice string

	Problem                    string // what is wrong with a form's field
	Field                      string // which: "name", "key" or "value"
	NameForm, KeyForm, ValForm string
}

type ownItem struct{ Key, Value string }

func (s *site) home(w http.ResponseWriter, r *http.Request) error {
	return s.showHome(w, r, http.StatusOK, homePage{Notice: notices[r.URL.Query().Get("done")]})
}

func (s *site) showHome(w http.ResponseWriter, r *http.Request, status int, p homePage) error {
	sess := middleware.From(r)
	var err error
	if p.Name, err = session.Value[string](sess, "userName"); err != nil {
		return err
	}
	if p.Visits, err = session.Value[int](sess, "visits"); err != nil {
		return err
	}
	keys, err := sess.Keys()
	if err != nil {
		return err
	}
	then, err := open(captured)
	if err != nil {
		return err
	}
	p.Items = len(keys)
	for _, key := range keys {
		if then.Items().Has(key) || strings.EqualFold(key, "visits") {
			continue
		}
		value, err := session.Value[string](sess, key)
		if err != nil {
			return err
		}
		p.Own = append(p.Own, ownItem{key, value})
	}
	if p.Field != "name" {
		p.NameForm = p.Name
	}
	p.page = goPage("Home", r)
	render(w, status, "home.html", p)
	return nil
}

func (s *site) setName(w http.ResponseWriter, r *http.Request) error {
	name, problem := field(w, r, "name", "The name", maxName)
	if problem == "" && name == "" {
		problem = "Please enter a name."
	}
	if problem != "" {
		return s.showHome(w, r, http.StatusUnprocessableEntity, homePage{Problem: problem, Field: "name", NameForm: name})
	}
	if err := middleware.From(r).Set("userName", name); err != nil {
		return err
	}
	http.Redirect(w, r, "/?done=name", http.StatusSeeOther)
	return nil
}

func (s *site) countVisit(w http.ResponseWriter, r *http.Request) error {
	sess := middleware.From(r)
	visits, err := session.Value[int](sess, "visits") // 0 where there is none
	if err != nil {
		return err
	}
	// Exclusive access: nobody counts between the read and this. A Go int becomes
	// an Int32, which is what C# would cast it to.
	if err := sess.Set("visits", visits+1); err != nil {
		return err
	}
	http.Redirect(w, r, "/?done=visit", http.StatusSeeOther)
	return nil
}

func (s *site) addItem(w http.ResponseWriter, r *http.Request) error {
	sess := middleware.From(r)
	key, keyProblem := field(w, r, "key", "The key", maxKey)
	value, valueProblem := field(w, r, "value", "The value", maxValue)
	refuse := func(field, problem string) error {
		return s.showHome(w, r, http.StatusUnprocessableEntity, homePage{Problem: problem, Field: field, KeyForm: key, ValForm: value})
	}
	switch {
	case keyProblem != "":
		return refuse("key", keyProblem)
	case key == "":
		return refuse("key", "Please enter a key.")
	case valueProblem != "":
		return refuse("value", valueProblem)
	}

	// Names are compared without case, here as in C#.
	there, err := sess.Has(key)
	if err != nil {
		return err
	}
	if there {
		old, err := sess.Get(key)
		if err != nil {
			return err
		}
		if _, text := old.(string); !text {
			return refuse("key", fmt.Sprintf("The session has an item %q that is no text. Legacy pages cast it to its own type, so text must not take its place.", key))
		}
	} else if n, err := sess.Len(); err != nil {
		return err
	} else if n >= maxItems {
		return refuse("key", fmt.Sprintf("This demo keeps at most %d items. A reset makes room.", maxItems))
	}
	switch err := sess.Set(key, value); {
	case errors.Is(err, payload.ErrNoForm):
		return refuse("key", "ASP.NET could not hold that item: "+err.Error())
	case err != nil:
		return err
	}
	http.Redirect(w, r, "/?done=item", http.StatusSeeOther)
	return nil
}

// field reads a form's field; problem says to the visitor what is wrong with it.
func field(w http.ResponseWriter, r *http.Request, name, label string, most int) (value, problem string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return "", "The form could not be read: it is too long or malformed."
	}
	value = strings.TrimSpace(r.PostForm.Get(name))
	switch {
	case !utf8.ValidString(value):
		return "", label + " is not UTF-8 text."
	case strings.ContainsFunc(value, unicode.IsControl):
		return "", label + " must not hold control characters or line breaks."
	case utf8.RuneCountInString(value) > most:
		return value, fmt.Sprintf("%s has %d characters, at most %d are allowed.", label, utf8.RuneCountInString(value), most)
	}
	return value, ""
}

// A reading is one item as C# reads it and as Go does.
type reading struct{ CSharp, Go, Value string }

type summaryPage struct {
	page
	Readings []reading
	Timeout  time.Duration
	Refusal  error // what a write under read-only access is told
}

func (s *site) summary(w http.ResponseWriter, r *http.Request) error {
	sess := middleware.From(r)
	p := summaryPage{page: goPage("Summary", r), Refusal: sess.Set("visits", 0)}
	var err error
	if p.Timeout, err = sess.Timeout(); err != nil {
		return err
	}
	for _, read := range []func(*session.Session) (reading, error){
		as[int]("int", "userId"),
		as[string]("string", "userName"),
		as[bool]("bool", "isAdmin"),
		as[time.Time]("DateTime", "lastLogin"),
		as[clr.Decimal]("decimal", "balance"),
		as[clr.Guid]("Guid", "token"),
		as[float64]("double", "ratio"),
		as[byte]("byte", "flag"),
		as[clr.Char]("char", "grade"),
		as[time.Duration]("TimeSpan", "elapsed"),
		as[*string]("string", "nothing"),
		as[payload.Object]("ShoppingCart", "cart"),
	} {
		line, err := read(sess)
		if err != nil {
			return err
		}
		p.Readings = append(p.Readings, line)
	}
	render(w, http.StatusOK, "summary.html", p)
	return nil
}

// as reads an item as a T.
func as[T any](csharp, key string) func(*session.Session) (reading, error) {
	return func(s *session.Session) (reading, error) {
		v, err := session.Value[T](s, key)
		line := reading{
			CSharp: fmt.Sprintf("(%s)Session[%q]", csharp, key),
			Go:     fmt.Sprintf("session.Value[%T](s, %q)", v, key),
			Value:  fmt.Sprint(v),
		}
		switch v := any(v).(type) {
		case time.Time:
			line.Value = v.Format("2006-01-02 15:04:05")
		case *string:
			if line.Value = "nil"; v != nil {
				line.Value = *v
			}
		case payload.Object:
			line.Value = countBytes(len(v)) + " of a .NET object, carried and never executed"
		}
		return line, err
	}
}
