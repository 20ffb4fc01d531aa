package middleware_test

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"time"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// Signing in. The session moves to a new id, so that one that somebody else may
// know opens nothing, and is bound to a second cookie, so that the new id alone
// opens nothing either.
func ExampleBind() {
	key := make([]byte, 32) // from the site's configuration, the same on all servers
	rand.Read(key)
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{
		Companion: &middleware.Companion{Keys: [][]byte{key}},
		OnError: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, middleware.ErrCompanion) {
				http.Error(w, "please sign in", http.StatusForbidden)
				return
			}
			http.Error(w, "no session today", http.StatusInternalServerError)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/cart", func(w http.ResponseWriter, r *http.Request) {
		if err := middleware.From(r).Set("cart", "book"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "stored")
	})
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		err := s.Regenerate() // what is in it stays
		if err == nil {
			err = middleware.Bind(r)
		}
		if err == nil {
			err = s.Set("user", "Ada")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	})
	mux.HandleFunc("/account", func(w http.ResponseWriter, r *http.Request) {
		user, _ := session.Value[string](middleware.From(r), "user")
		cart, _ := session.Value[string](middleware.From(r), "cart")
		fmt.Fprintf(w, "user %q, cart %q", user, cart)
	})
	server := httptest.NewServer(m.Wrap(mux))
	defer server.Close()

	jar, _ := cookiejar.New(nil)
	ada := http.Client{Jar: jar}
	visit := func(client *http.Client, path string, cookies ...*http.Cookie) {
		r, _ := http.NewRequest("GET", server.URL+path, nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		resp, err := client.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		fmt.Println(resp.Request.URL.Path, resp.StatusCode, string(body))
	}
	visit(&ada, "/cart")
	site, _ := url.Parse(server.URL)
	before := jar.Cookies(site)
	visit(&ada, "/login")

	// Mallory knows the id from before, and learns the new one from a log.
	visit(new(http.Client), "/account", before...)
	for _, c := range jar.Cookies(site) {
		if c.Name == "ASP.NET_SessionId" {
			visit(new(http.Client), "/account", c)
		}
	}
	// Output:
	// /cart 200 stored
	// /account 200 user "Ada", cart "book"
	// /account 200 user "", cart ""
	// /account 403 please sign in
}

// A connection that is taken over, as WebSocket libraries do: the session is
// saved and its lock given back before, so that the visitor's other pages do not
// wait for as long as the socket is open.
func Example_webSocket() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, _ := middleware.New(store, middleware.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		if err := s.Set("chat", "open"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack() // saved, unlocked
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		h := w.Header() // with the cookie of a new session
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "chat")
		_ = (&http.Response{StatusCode: http.StatusSwitchingProtocols, ProtoMajor: 1, ProtoMinor: 1, Header: h}).Write(rw)
		for {
			_ = rw.Flush()
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprintf(rw, "you said %s", line)
			fmt.Fprintln(rw, s.Set("chat", "late")) // it is not ours any more
		}
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		chat, err := session.Value[string](middleware.From(r), "chat")
		fmt.Fprintln(w, "a page meanwhile: the chat is", chat, err)
	})
	server := httptest.NewServer(m.Wrap(mux))
	defer server.Close()

	resp, err := http.Get(server.URL + "/socket")
	if err != nil {
		fmt.Println(err)
		return
	}
	socket := resp.Body.(io.ReadWriteCloser)
	defer socket.Close()
	fmt.Fprintln(socket, "hello")
	lines := bufio.NewScanner(socket)
	for range 2 {
		lines.Scan()
		fmt.Println(lines.Text())
	}
	r, _ := http.NewRequest("GET", server.URL+"/page", nil)
	r.AddCookie(resp.Cookies()[0])
	page, err := http.DefaultClient.Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer page.Body.Close()
	body, _ := io.ReadAll(page.Body)
	fmt.Print(string(body))
	// Output:
	// you said hello
	// session: already released
	// a page meanwhile: the chat is open <nil>
}

// Visitors whose browsers keep no cookies: the id is in the URL. Handlers see
// clean paths. Relative links keep the session by themselves, rooted ones by
// Apply, redirects without being asked.
func Example_cookieless() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{
		Cookieless: cookieless.Options{Mode: cookieless.UseURI, App: "/shop"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	page := template.Must(template.New("").Funcs(template.FuncMap{"apply": cookieless.Apply}).Parse(
		`{{.Visits}} at {{.Request.URL.Path}}: <a href="{{apply .Request "/shop/cart"}}">cart</a> <a href="offers">offers</a>`))
	mux := http.NewServeMux()
	mux.HandleFunc("/shop/start", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/shop/home", http.StatusFound)
	})
	mux.HandleFunc("/shop/", func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		visits, err := session.Value[int](s, "visits")
		if err == nil {
			err = s.Set("visits", visits+1)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = page.Execute(w, map[string]any{"Request": r, "Visits": visits + 1})
	})
	server := httptest.NewServer(m.Wrap(mux))
	defer server.Close()

	// A client without cookies. The id is hidden here, as it should be in logs;
	// templates write the parentheses with percent signs, which are read as well.
	secret := regexp.MustCompile(`[a-z0-5]{24}`)
	address := server.URL + "/shop/start"
	for range 2 {
		resp, err := http.Get(address)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(secret.ReplaceAllString(resp.Request.URL.Path, "…"))
		fmt.Println(secret.ReplaceAllString(string(body), "…"))
		address = server.URL + regexp.MustCompile(`/shop/[^"]*cart`).FindString(string(body))
	}
	// Output:
	// /shop/(S(…))/home
	// 1 at /shop/home: <a href="/shop/%28S%28…%29%29/cart">cart</a> <a href="offers">offers</a>
	// /shop/(S(…))/cart
	// 2 at /shop/cart: <a href="/shop/%28S%28…%29%29/cart">cart</a> <a href="offers">offers</a>
}

// An id that somebody made up, and planted in a visitor's browser, begins no
// session where ids are strict: the visitor gets one of the server's making.
func Example_strictIDs() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	for _, strict := range []bool{false, true} {
		m, err := middleware.New(store, middleware.Options{Session: session.Options{StrictIDs: strict}})
		if err != nil {
			fmt.Println(err)
			return
		}
		const planted = "aaaaaaaaaaaaaaaaaaaaaaaa"
		h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := middleware.From(r)
			fmt.Println("strict:", strict, "- the planted id is used:", s.ID() == planted)
			if err := s.Set("user", "Ada"); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}))
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "ASP.NET_SessionId", Value: planted})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println("cookies set:", len(w.Result().Cookies()))
		store.Remove(r.Context(), planted, session.Lock{})
	}
	// Output:
	// strict: false - the planted id is used: true
	// cookies set: 0
	// strict: true - the planted id is used: false
	// cookies set: 1
}

// What every new session begins with, as Session_Start in global.asax.
func Example_sessionStart() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{
		SessionStart: func(r *http.Request, s *session.Session) error {
			if err := s.SetTimeout(45 * time.Minute); err != nil {
				return err
			}
			return s.Set("landing", r.URL.Path)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		landing, err := session.Value[string](s, "landing")
		fmt.Fprintln(w, "new:", s.IsNew(), "- began at", landing, err)
	}))
	var visitor []*http.Cookie
	for _, path := range []string{"/offers", "/cart"} {
		r := httptest.NewRequest("GET", path, nil)
		for _, c := range visitor {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		visitor = append(visitor, w.Result().Cookies()...)
		fmt.Print(w.Body)
	}
	// Output:
	// new: true - began at /offers <nil>
	// new: false - began at /offers <nil>
}

// A site whose ASP.NET pages rely on what Session_Start sets: before Go stores a
// session for the first time, one request to the old application lets it start
// the session.
func ExampleBootstrap() {
	store := inproc.New(inproc.Options{}) // of both, as the state server would be
	defer store.Close()

	// The old application; its Session_Start chooses a culture.
	old, _ := middleware.New(store, middleware.Options{
		SessionStart: func(_ *http.Request, s *session.Session) error { return s.Set("culture", "de-AT") },
	})
	legacy := httptest.NewServer(old.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("legacy:", r.URL.Path)
	})))
	defer legacy.Close()

	var cookie middleware.Cookie // the zero value is ASP.NET's
	m, err := middleware.New(store, middleware.Options{
		Cookie:  cookie,
		Session: session.Options{Bootstrap: middleware.Bootstrap(legacy.URL+"/start.aspx", cookie, nil)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := middleware.From(r).Set("cart", "book"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})).ServeHTTP(w, httptest.NewRequest("GET", "/cart", nil))

	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		culture, _ := session.Value[string](s, "culture")
		cart, _ := session.Value[string](s, "cart")
		fmt.Println("both:", culture, cart)
	})).ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// legacy: /start.aspx
	// both: de-AT book
}
