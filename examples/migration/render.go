package main

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/aspsession/aspsession/session"
)

//go:embed web
var web embed.FS

var templates = func() map[string]*template.Template {
	set := make(map[string]*template.Template)
	for _, name := range []string{
		"front.html", "bytes.html", "cart.html", "checkout.html", "catalogue.html",
		"signin.html", "prices.html", "signout.html", "message.html",
	} {
		set[name] = template.Must(template.ParseFS(web, "web/layout.html", "web/"+name))
	}
	return set
}()

// page is what every page shows: whose it is, and where in the menu.
type page struct {
	Title, Path string
	Style       string // the body's class: "on-go", "on-legacy", "on-front"
	Served      string // who says so
	Known       bool   // the session was looked at
	User        string // "" for a visitor who has not signed in
	Notice      string // what was done
	Problem     string // what is wrong with a form
}

// greet fills in what the session says of the visitor.
func (p *page) greet(s *session.Session) (err error) {
	p.User, err = session.Value[string](s, "user")
	p.Known = err == nil
	return err
}

type link struct{ Path, Text string }

// Menu is the same on both halves. Pages that do not look at the session have no
// link that depends on it.
func (p page) Menu() []link {
	menu := []link{{"/", "Front page"}, {"/catalogue.aspx", "Catalogue"}, {"/cart.aspx", "Cart"}, {"/prices.aspx", "Prices"}, {"/checkout.aspx", "Checkout"}}
	switch {
	case !p.Known:
		return menu
	case p.User == "":
		return append(menu, link{"/signin.aspx", "Sign in"})
	}
	return append(menu, link{"/signout.aspx", "Sign out"})
}

// render runs the template to its end before it sends anything: a page that
// fails half-way is no page.
func render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "layout", data); err != nil {
		slog.Error("migration: template failed", "template", name, "error", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
}

type messagePage struct {
	page
	Text string
}

// message is a page of a headline and a sentence.
func (p page) message(w http.ResponseWriter, status int, headline, text string) {
	p.Title = headline
	render(w, status, "message.html", messagePage{p, text})
}
