package middleware_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/go-chi/chi/v5"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// visits counts, or says why it cannot.
func visits(w http.ResponseWriter, r *http.Request) {
	s := middleware.From(r)
	n, err := session.Value[int](s, "visits")
	if err == nil {
		err = s.Set("visits", n+1)
	}
	fmt.Fprint(w, n+1, " ", err)
}

// http.ServeMux needs nothing: wrap each handler with the access that it needs.
func Example_serveMux() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, _ := middleware.New(store, middleware.Options{})

	mux := http.NewServeMux()
	mux.Handle("GET /count", m.ReadWrite(http.HandlerFunc(visits)))
	mux.Handle("GET /show", m.ReadOnly(http.HandlerFunc(visits)))

	for _, path := range []string{"/count", "/show"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(path, w.Body)
	}
	// Output:
	// /count 1 <nil>
	// /show 1 session: read-only access
}

// chi needs nothing: the methods of a Middleware are middlewares of chi.
func Example_chi() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, _ := middleware.New(store, middleware.Options{})

	r := chi.NewRouter()
	r.With(m.ReadOnly).Get("/show", visits)
	r.Group(func(r chi.Router) {
		r.Use(m.ReadWrite)
		r.Get("/count/{shop}", visits)
	})

	for _, path := range []string{"/count/books", "/show"} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(path, w.Body)
	}
	// Output:
	// /count/books 1 <nil>
	// /show 1 session: read-only access
}
