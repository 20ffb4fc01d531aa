package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// A standIn plays the legacy half where Mono is not installed: the same pages in
// Go, as a server of its own with its own connection to the state service. What
// is in its sessions is real: ASP.NET stored it.
type standIn struct {
	url   string
	store *stateserver.Store
	m     *middleware.Middleware
	srv   *http.Server
	ended chan struct{}
	stop  sync.Once
}

func startStandIn(stateService string) (_ server, err error) {
	types, err := cartTypes()
	if err != nil {
		return nil, err
	}
	s := &standIn{ended: make(chan struct{})}
	if s.store, err = newClient(stateService); err != nil {
		return nil, err
	}
	p := &pages{served: "Go, standing in for ASP.NET", style: "on-legacy"}
	s.m, err = middleware.New(s.store, middleware.Options{
		Session: session.Options{Types: types}, SessionStart: sessionStart, OnError: p.fail,
	})
	if err != nil {
		return nil, err
	}
	p.m = s.m
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("migration: %w", err), s.store.Close())
	}
	s.url = "http://" + ln.Addr().String()
	s.srv = &http.Server{Handler: p.standInHandler(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(s.ended)
		_ = s.srv.Serve(ln)
	}()
	return s, nil
}

func (s *standIn) URL(page string) string { return s.url + "/" + page }

func (s *standIn) Ended() <-chan struct{} { return s.ended }

func (s *standIn) Printed() string { return "" }

func (s *standIn) Stop() {
	s.stop.Do(func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if s.srv.Shutdown(grace) != nil {
			s.srv.Close()
		}
		_ = errors.Join(s.m.Close(grace), s.store.Close()) // sessions under way have had their time
		<-s.ended
	})
}

// sessionStart is Session_Start: it hands a visitor a copy of the captured
// session. Who signed out just now gets no more than what Global.asax sets.
func sessionStart(r *http.Request, s *session.Session) error {
	p, err := payload.Open(legacy.Captured(), payload.Limits{})
	if err != nil {
		return err
	}
	anew := r.URL.Query().Get("done") == "signout"
	for item := range p.Items().All() {
		if anew && !slices.Contains([]string{"started", "startedBy", "currency", "prefs"}, item.Key) {
			continue
		}
		value, err := item.Decode(nil)
		if err == nil {
			err = s.Set(item.Key, value) // an object is set as the bytes that it is
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// standInHandler serves the legacy half's pages, by paths without case as IIS.
func (p *pages) standInHandler() http.Handler {
	handlers := map[string]http.Handler{
		"/catalogue.aspx": p.page(p.catalogue, p.addToCart),
		"/signin.aspx":    p.page(p.signInForm, p.signIn),
		"/prices.aspx":    p.page(p.prices, nil),
		"/start.aspx":     p.page(p.started, nil),
		"/broken.aspx":    p.page(p.broken, nil),
	}
	maps.Copy(handlers, goPages(p)) // cart and sign-out, which both halves have
	delete(handlers, "/checkout.aspx")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := handlers[lower(r.URL.Path)]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		p.view("", r).message(w, http.StatusNotFound, "No such page", "There is no page with this address.")
	})
}

type cataloguePage struct {
	cartPage
	Products []product
}

// Money is a product's price in the session's currency.
func (v cataloguePage) Money(p product) string {
	_, currency, _ := strings.Cut(v.Total, " ")
	return money(p.Price.Rat(), currency)
}

func (p *pages) catalogue(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	v, err := p.viewCart("Catalogue", r, s)
	if err != nil {
		return err
	}
	if added, ok := findProduct(r.URL.Query().Get("added")); ok {
		v.Notice = added.Name + " is in your cart."
	}
	render(w, http.StatusOK, "catalogue.html", cataloguePage{v, catalogue})
	return nil
}

func (p *pages) addToCart(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	item, ok := findProduct(r.PostFormValue("add"))
	if !ok {
		return again(w, r, "/catalogue.aspx")
	}
	cart, err := openCart(s)
	if err != nil {
		return err
	}
	if !cart.Add(item) {
		v, err := p.viewCart("Catalogue", r, s)
		if err != nil {
			return err
		}
		v.Problem = fmt.Sprintf("%s: %d pieces are the most that one order may have.", item.Name, maxQty)
		render(w, http.StatusOK, "catalogue.html", cataloguePage{v, catalogue})
		return nil
	}
	if err := s.Set("cart", cart); err != nil {
		return err
	}
	return again(w, r, "/catalogue.aspx?added="+item.Sku)
}

// openCart is the visitor's cart, or a new one.
func openCart(s *session.Session) (ShoppingCart, error) {
	if has, err := s.Has("cart"); err != nil || has {
		cart, verr := session.Value[ShoppingCart](s, "cart")
		return cart, errors.Join(err, verr)
	}
	user, err := session.Value[string](s, "user")
	return newCart(user), err
}

type signInPage struct {
	page
	Name string // as it was typed
}

func (p *pages) signInForm(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	v := signInPage{page: p.view("Sign in", r)}
	if err := v.greet(s); err != nil {
		return err
	}
	render(w, http.StatusOK, "signin.html", v)
	return nil
}

func (p *pages) signIn(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	const longest = 40
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	name := strings.TrimSpace(r.PostFormValue("name"))
	problem := ""
	switch {
	case name == "":
		problem = "Please enter a name."
	case utf8.RuneCountInString(name) > longest:
		problem = fmt.Sprintf("A name has %d characters at most.", longest)
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		problem = "A name has no control characters."
	}
	if problem != "" {
		v := signInPage{page: p.view("Sign in", r), Name: name}
		v.Problem = problem
		if err := v.greet(s); err != nil {
			return err
		}
		render(w, http.StatusOK, "signin.html", v)
		return nil
	}
	cart, err := openCart(s)
	if err != nil {
		return err
	}
	cart.Owner = name
	if err := errors.Join(s.Set("user", name), s.Set("cart", cart)); err != nil {
		return err
	}
	return again(w, r, "/catalogue.aspx")
}

func (p *pages) prices(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	v, err := p.viewCart("Prices", r, s)
	if err != nil {
		return err
	}
	render(w, http.StatusOK, "prices.html", cataloguePage{v, catalogue})
	return nil
}

// started is what Bootstrap asks for.
func (p *pages) started(w http.ResponseWriter, _ *http.Request, _ *session.Session) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte("started"))
	return err
}

func (p *pages) broken(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
	w.Header().Set(legacy.ErrorHeader, "the stock database is not there")
	p.view("", r).message(w, http.StatusInternalServerError, "This page does not work", "Something went wrong here. The rest of the shop goes on, and the front page says more.")
	return nil
}
