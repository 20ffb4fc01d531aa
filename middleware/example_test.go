package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// A page that counts its visitor's visits, under the lock that ASP.NET's pages
// would take too.
func Example() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		visits, err := session.Value[int](s, "visits")
		if err == nil {
			err = s.Set("visits", visits+1)
		}
		if err != nil {
			http.Error(w, "no session today", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "visit %d", visits+1)
	})
	server := httptest.NewServer(m.Wrap(page))
	defer server.Close()

	jar, _ := cookiejar.New(nil)
	browser := http.Client{Jar: jar}
	for range 2 {
		resp, err := browser.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(string(body))
	}
	// Output:
	// visit 1
	// visit 2
}

// Which access for which page: ReadWrite where the page changes the session,
// ReadOnly where it only shows it, Disabled where it does not look. A visitor's
// ReadOnly and Disabled pages load side by side.
func ExampleMiddleware_ReadOnly() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, _ := middleware.New(store, middleware.Options{})

	mux := http.NewServeMux()
	mux.Handle("POST /cart", m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := middleware.From(r).Set("item", "book"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})))
	mux.Handle("GET /cart", m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		item, err := session.Value[string](middleware.From(r), "item")
		fmt.Fprintf(w, "%s, %v; ", item, err)
		fmt.Fprint(w, middleware.From(r).Set("item", "pen"))
	})))
	mux.Handle("GET /logo", m.Disabled(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := middleware.From(r).Get("item")
		fmt.Fprint(w, err)
	})))

	bought := httptest.NewRecorder()
	mux.ServeHTTP(bought, httptest.NewRequest("POST", "/cart", nil))
	for _, path := range []string{"/cart", "/logo"} {
		r := httptest.NewRequest("GET", path, nil)
		r.AddCookie(bought.Result().Cookies()[0])
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Body)
	}
	// Output:
	// book, <nil>; session: read-only access
	// session: session state is disabled for this handler
}

// A long response gives the lock back before it starts, so that the visitor's
// other pages go on meanwhile.
func Example_streaming() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, _ := middleware.New(store, middleware.Options{})
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		if err := s.Set("export", "started"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if err := s.Release(); err != nil { // saved, unlocked
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for i := range 3 {
			fmt.Fprintf(w, "row %d\n", i)
			_ = http.NewResponseController(w).Flush()
		}
		fmt.Fprint(w, s.Set("export", "done"))
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/export", nil))
	fmt.Println(w.Body)
	// Output:
	// row 0
	// row 1
	// row 2
	// session: already released
}
