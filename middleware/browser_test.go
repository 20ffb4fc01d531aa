package middleware_test

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/cookieless/htmlrewrite"
	"github.com/aspsession/aspsession/internal/chromium"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// A shop of five pages. Each counts itself in the session and shows what is in
// it, so that a page that lost the session cannot hide it.
type shop struct {
	app   string // "" or "/shop"
	other string // an address at another origin
	mu    sync.Mutex
	saw   []*http.Request // as they came from the browser
	set   []string        // Set-Cookie as it went there
}

func (s *shop) handler(m *middleware.Middleware) http.Handler {
	mux := http.NewServeMux()
	page := func(pattern, name string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.page(w, r, name) })
	}
	page("GET "+s.app+"/{$}", "home")
	page("GET "+s.app+"/catalog/list", "list")
	page("GET "+s.app+"/catalog/find", "find")
	page("GET "+s.app+"/cart", "cart")
	mux.Handle("GET "+s.app+"/account", htmlrewrite.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, "account")
	})))
	mux.HandleFunc("POST "+s.app+"/cart", func(w http.ResponseWriter, r *http.Request) {
		if err := middleware.From(r).Set("cart", r.PostFormValue("item")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, s.app+"/cart", http.StatusSeeOther)
	})
	mux.HandleFunc("POST "+s.app+"/login", func(w http.ResponseWriter, r *http.Request) {
		state := middleware.From(r)
		err := state.Regenerate()
		if err == nil {
			err = state.Set("user", r.PostFormValue("user"))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "account", http.StatusSeeOther)
	})
	wrapped := m.Wrap(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			http.NotFound(w, r)
			return
		}
		s.mu.Lock()
		s.saw = append(s.saw, r)
		s.mu.Unlock()
		wrapped.ServeHTTP(w, r)
		s.mu.Lock()
		s.set = append(s.set, w.Header()["Set-Cookie"]...)
		s.mu.Unlock()
	})
}

func (s *shop) page(w http.ResponseWriter, r *http.Request, name string) {
	state := middleware.From(r)
	pages, err := session.Value[int](state, "pages")
	if err == nil {
		err = state.Set("pages", pages+1)
	}
	cart, cerr := session.Value[string](state, "cart")
	user, uerr := session.Value[string](state, "user")
	if err != nil || cerr != nil || uerr != nil {
		http.Error(w, "no session today", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	t := template.Must(template.New("").Funcs(template.FuncMap{
		"apply": func(url string) string { return cookieless.Apply(r, s.app+url) },
	}).Parse(shopPages))
	_ = t.ExecuteTemplate(w, name, map[string]any{
		"Pages": pages + 1, "Cart": cart, "User": user, "Name": name, "Path": r.URL.Path,
		"Query": r.URL.Query().Get("q"), "App": s.app, "Other": s.other,
	})
}

const shopPages = `
{{define "head"}}<!doctype html><title>{{.Name}}</title>
<style>body{font:18px sans-serif;margin:2em;max-width:40em}dl{background:#eef;padding:1em}dt{color:#555}dd{font-weight:bold}</style>
<h1>{{.Name}}</h1>
<dl><dt>pages of this session<dd id="pages">{{.Pages}}<dt>cart<dd id="cart">{{.Cart}}<dt>user<dd id="user">{{.User}}<dt>path as the handler sees it<dd id="path">{{.Path}}
<dt>path in the address bar<dd id="bar"></dl><script>document.getElementById("bar").textContent = decodeURI(location.pathname).replaceAll("%28", "(").replaceAll("%29", ")")</script>{{end}}
{{define "home"}}{{template "head" .}}<a id="next" href="catalog/list">a relative link</a>{{end}}
{{define "list"}}{{template "head" .}}<form action="{{apply "/catalog/find"}}"><input name="q"><button id="next">A GET form, munged by the template</button></form>{{end}}
{{define "find"}}{{template "head" .}}<p id="query">{{.Query}}</p>
<form method="post" action="../cart"><input name="item"><button id="next">A POST form, relative; then a redirect</button></form>{{end}}
{{define "cart"}}{{template "head" .}}<a id="next" href="{{apply "/account"}}">a rooted link, munged by the template</a>{{end}}
{{define "account"}}{{template "head" .}}<form method="post" action="{{.App}}/login"><input name="user"><button id="login">Sign in: a rooted form, munged in the finished page</button></form>
<p><a id="home" href="{{.App}}/">a rooted link, munged in the finished page</a></p><p><a id="out" href="{{.Other}}">another site</a></p>{{end}}`

// A real browser walks through the shop, in it by links, forms and redirects
// alone. It is one session from the first page to the last.
func TestBrowser(t *testing.T) {
	for _, tt := range []struct {
		name    string
		mode    cookieless.Mode
		app     string
		block   bool // cookies, by the browser's own setting
		inPath  bool // where the id must be
		verdict string
	}{
		{name: "UseUri, cookies blocked", mode: cookieless.UseURI, block: true, inPath: true},
		{name: "UseUri below shop, cookies allowed", mode: cookieless.UseURI, app: "/shop", inPath: true},
		{name: "AutoDetect below shop, cookies blocked", mode: cookieless.AutoDetect, app: "/shop", block: true, inPath: true, verdict: "X(1)"},
		{name: "AutoDetect, cookies allowed", mode: cookieless.AutoDetect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			referers := make(chan string, 1)
			other := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/" {
					referers <- r.Referer()
				}
				_, _ = fmt.Fprint(w, "<!doctype html><h1>elsewhere</h1>")
			}))
			store := newStore(t)
			m := newMiddleware(t, store, middleware.Options{Cookieless: cookieless.Options{Mode: tt.mode, App: tt.app}})
			s := &shop{app: tt.app, other: other.URL + "/"}
			site := httptest.NewServer(s.handler(m))
			defer site.Close()
			b := chromium.Start(t, chromium.Options{BlockCookies: tt.block})

			// at asserts where the browser is and what the session has there.
			at := func(pages int, path, cart, user string) {
				t.Helper()
				require.Equal(t, fmt.Sprint(pages), b.Text("#pages"))
				require.Equal(t, tt.app+path, b.Text("#path"))
				require.Equal(t, cart, b.Text("#cart"))
				require.Equal(t, user, b.Text("#user"))
				clean, segment := addressOf(t, b.URL(), tt.app)
				require.Equal(t, tt.app+path, clean)
				if tt.inPath {
					require.Regexp(t, `^\(`+strings.NewReplacer("(", `\(`, ")", `\)`).Replace(tt.verdict)+`S\([a-z0-5]{24}\)\)$`, segment)
				} else {
					require.Empty(t, segment)
				}
				require.Equal(t, 1, store.sessions())
			}
			b.Visit(site.URL + tt.app + "/")
			at(1, "/", "", "")
			if tt.block {
				var cookies string
				b.Eval(`document.cookie = "mine=1; path=/", document.cookie`, &cookies)
				require.Empty(t, cookies, "the browser keeps cookies")
			}
			b.Click("#next")
			at(2, "/catalog/list", "", "")
			b.Fill("input", "blue (dark)")
			b.Click("#next")
			at(3, "/catalog/find", "", "")
			require.Equal(t, "blue (dark)", b.Text("#query"))
			b.Fill("input", "a book & <more>")
			b.Click("#next")
			at(4, "/cart", "a book & <more>", "")
			b.Click("#next")
			at(5, "/account", "a book & <more>", "")
			before := b.URL()
			_, old := addressOf(t, before, tt.app)
			b.Fill("input", "Ada")
			b.Click("#login")
			at(6, "/account", "a book & <more>", "Ada")
			_, fresh := addressOf(t, b.URL(), tt.app)
			b.Click("#home")
			at(7, "/", "a book & <more>", "Ada")
			b.Click("#next")
			at(8, "/catalog/list", "a book & <more>", "Ada")
			b.Visit(b.URL()) // as a bookmark does
			at(9, "/catalog/list", "a book & <more>", "Ada")
			t.Log(b.Screenshot(strings.NewReplacer(" ", "-", ",", "").Replace(t.Name()[len("TestBrowser/"):])))

			// The first request of AutoDetect is asked for cookies, once.
			s.mu.Lock()
			probes, withCookies := 0, 0
			for _, line := range s.set {
				if strings.HasPrefix(line, "AspxAutoDetectCookieSupport=") {
					probes++
				}
				require.True(t, !tt.inPath || strings.HasPrefix(line, "Aspx"), "a cookie in path mode")
			}
			for _, r := range s.saw {
				if r.Header.Get("Cookie") != "" {
					withCookies++
				}
			}
			requests := len(s.saw)
			s.mu.Unlock()
			switch {
			case tt.mode == cookieless.AutoDetect && tt.block:
				require.Equal(t, 1, probes)
				require.Zero(t, withCookies, "the browser sent a cookie")
			case tt.mode == cookieless.AutoDetect:
				require.Equal(t, 1, probes)
				require.Equal(t, requests-1, withCookies)
			default:
				require.Zero(t, probes)
				require.Zero(t, withCookies)
			}

			b.Click("#next") // to a page with a link to another site
			b.Fill("input", "x")
			b.Click("#next")
			b.Click("#next")
			b.Click("#out")
			if referer := <-referers; tt.inPath {
				require.Empty(t, referer, "another site learns the address")
			} else {
				require.NotEmpty(t, referer)
			}
			if !tt.inPath {
				return
			}
			// The address from before the visitor signed in opens nothing any more.
			require.NotEqual(t, old, fresh)
			b.Visit(before)
			require.Equal(t, "1", b.Text("#pages"))
			require.Empty(t, b.Text("#user"))
			require.Equal(t, 2, store.sessions())
		})
	}
}

// addressOf splits an address into the clean path and the segment. Templates
// write its parentheses with percent signs.
func addressOf(t *testing.T, address, app string) (path, segment string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	rest, ok := strings.CutPrefix(u.Path, app+"/(")
	if !ok {
		return u.Path, ""
	}
	segment, path, ok = strings.Cut(rest, "/")
	require.True(t, ok)
	return app + "/" + path, "(" + segment
}
