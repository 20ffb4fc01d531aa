// Chi is a small members' area with chi on a session that ASP.NET's pages can
// share.
//
//	go run ./examples/chi
//	go run ./examples/chi -addr 127.0.0.1:9000
//
// Copy it when routes come in groups that want the session differently. chi
// needs no adapter: m.ReadWrite and its like are middlewares as they are. The
// store is this process's memory; for a site half-way from ASP.NET put
// stores/stateserver or stores/sqlserver in its place, and nothing else changes.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"

	"github.com/go-chi/chi/v5"
	chimw "github.com/go-chi/chi/v5/middleware"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("http://%s/signin?name=Ada, then http://%[1]s/members", *addr)
	log.Fatal(http.ListenAndServe(*addr, pages(m)))
}

// pages are the site: each group says once what it does with the session.
func pages(m *middleware.Middleware) http.Handler {
	r := chi.NewRouter()
	r.Use(chimw.Logger, chimw.Recoverer) // outside: after a panic nothing is saved
	r.Group(func(r chi.Router) {         // these change it: one at a time
		r.Use(m.ReadWrite)
		r.Get("/signin", signIn)
		r.Get("/signout", signOut)
	})
	r.Group(func(r chi.Router) { // these look: side by side
		r.Use(m.ReadOnly, member)
		r.Get("/members", welcome)
		r.Get("/members/{page}", welcome)
	})
	return r
}

// member lets those in who have signed in.
func member(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := session.Value[string](middleware.From(r), "user")
		switch {
		case err != nil:
			fail(w, err)
		case name == "":
			http.Error(w, "sign in first: /signin?name=Ada", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// signIn moves the session to a new id, so that an id known from before is worth
// nothing. (A real site asks for more than a name, by POST.)
func signIn(w http.ResponseWriter, r *http.Request) {
	s := middleware.From(r)
	err := s.Regenerate()
	if err == nil {
		err = s.Set("user", r.FormValue("name"))
	}
	if err != nil {
		fail(w, err)
		return
	}
	http.Redirect(w, r, "/members", http.StatusSeeOther)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	if err := middleware.From(r).Abandon(); err != nil {
		fail(w, err)
		return
	}
	fmt.Fprintln(w, "goodbye")
}

func welcome(w http.ResponseWriter, r *http.Request) {
	name, err := session.Value[string](middleware.From(r), "user")
	if err != nil {
		fail(w, err)
		return
	}
	page := chi.URLParam(r, "page")
	if page == "" {
		page = "home"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "welcome %q, this is %q\n", name, page)
}

func fail(w http.ResponseWriter, err error) {
	log.Print(err)
	http.Error(w, "no session", http.StatusInternalServerError)
}
