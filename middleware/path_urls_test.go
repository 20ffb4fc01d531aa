package middleware_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
)

// Redirects within the application keep the session, others are left alone.
func TestPathLocation(t *testing.T) {
	const segment = "/(S(" + anID + "))"
	for _, tt := range []struct {
		app, location, want string
		byHand              bool // else by http.Redirect
	}{
		{location: "next", want: segment + "/a/next"},
		{location: "/next?q=1#f", want: segment + "/next?q=1#f"},
		{location: "../next?q=1#f", want: segment + "/next?q=1#f"},
		{location: "http://example.test/next", want: "http://example.test/next"},
		{location: "//example.test/next", want: "//example.test/next"},
		{location: segment + "/next", want: segment + "/next"},
		{location: "next", byHand: true, want: segment + "/a/next"},
		{location: "~/next", byHand: true, want: segment + "/next"},
		{location: "?q=2", byHand: true, want: segment + "/a/page?q=2"},
		{location: "", byHand: true, want: ""},
		{location: "mailto:a@example.test", byHand: true, want: "mailto:a@example.test"},
		{location: `/\example.test/`, byHand: true, want: `/\example.test/`},
		{app: "/shop", location: "~/next", byHand: true, want: "/shop" + segment + "/next"},
		{app: "/shop", location: "/shop/next", want: "/shop" + segment + "/next"},
		{app: "/shop", location: "/SHOP/next", want: "/SHOP" + segment + "/next"},
		{app: "/shop", location: "/shop", want: "/shop" + segment + "/"},
		{app: "/shop", location: "/shopping", want: "/shopping"},
		{app: "/shop", location: "/", want: "/"},
	} {
		t.Run(tt.app+" "+tt.location, func(t *testing.T) {
			store := newStore(t)
			store.put(t)
			m := inPath(t, store, cookieless.Options{Mode: cookieless.UseURI, App: tt.app})
			w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !tt.byHand {
					http.Redirect(w, r, tt.location, http.StatusFound)
					return
				}
				w.Header().Set("Location", tt.location)
				w.WriteHeader(http.StatusCreated)
			})), httptest.NewRequest("GET", tt.app+segment+"/a/page", nil))
			require.Equal(t, tt.want, w.Header().Get("Location"))
		})
	}
}

// Below an application path, in any case; nothing outside of it.
func TestPathApplication(t *testing.T) {
	captureLog(t)
	for _, tt := range []struct {
		target, location, path string
		status                 int
	}{
		{target: "/shop/(S(" + anID + "))/page", status: 200, path: "/shop/page"},
		{target: "/SHOP/(S(" + anID + "))/page", status: 200, path: "/SHOP/page"},
		{target: "/shop/page", status: 302, location: "/shop/(S(id))/page"},
		{target: "/Shop/page", status: 302, location: "/shop/(S(id))/page"},
		{target: "/shop", status: 302, location: "/shop/(S(id))/"},
		{target: "/shop/sub/(S(" + anID + "))/page", status: 302, location: "/shop/(S(id))/sub/(S(" + anID + "))/page"},
		{target: "/(S(" + anID + "))/shop/page", status: 404},
		{target: "/shopping/page", status: 404},
		{target: "/other/(S(" + anID + "))/page", status: 404},
		{target: "/", status: 404},
	} {
		t.Run(tt.target, func(t *testing.T) {
			store := newStore(t)
			store.put(t)
			page := new(visitedPage)
			w := serve(inPath(t, store, cookieless.Options{Mode: cookieless.UseURI, App: "/shop"}).Wrap(page), httptest.NewRequest("GET", tt.target, nil))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.path, page.path)
			location := strings.Replace(w.Header().Get("Location"), "/sub/(S("+anID+"))", "/sub/known", 1)
			location, _ = locationID(t, location)
			require.Equal(t, strings.Replace(tt.location, "/sub/(S("+anID+"))", "/sub/known", 1), location)
			if tt.status == 404 {
				require.Empty(t, store.took())
			}
		})
	}
}

// A router whose handlers are wrapped one by one routes by clean paths behind
// Strip, and the pages have the session of the path that the client sent.
func TestPathStrip(t *testing.T) {
	captureLog(t)
	store := newStore(t)
	store.put(t, "n", 1)
	m := inPath(t, store, cookieless.Options{Mode: cookieless.UseURI})
	page, bare := new(visitedPage), new(visitedPage)
	page.then = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/next")
		w.Header().Set("X-Applied", cookieless.Apply(r, "/next"))
	}
	router := http.NewServeMux()
	router.Handle("GET /page", m.ReadOnly(page))
	router.Handle("POST /page", m.Wrap(page))
	router.Handle("GET /bare", bare)
	h := m.Strip(router)
	for _, tt := range []struct {
		method, target string
		status         int
		calls          []string
	}{
		{"GET", "/(S(" + anID + "))/page?a=b", 200, []string{"Get"}},
		{"POST", "/(S(" + anID + "))/page?a=b", 200, []string{"Acquire", "Release"}},
		{"GET", "/page", 302, []string{"Create"}},
		{"GET", "/(S(" + unknownID + "))/page", 302, []string{"Get", "Create"}},
		{"GET", "/(S(" + anID + "))/none", 404, nil},
		{"GET", "/(S(" + anID + "))/(S(" + anID + "))/page", 400, nil},
		{"GET", "/(S(" + anID + "))/bare", 200, nil},
	} {
		*page = visitedPage{then: page.then}
		w := serve(h, httptest.NewRequest(tt.method, tt.target, nil))
		require.Equal(t, tt.status, w.Code, tt.target)
		require.Equal(t, tt.calls, store.took(), tt.target)
		if page.runs > 0 {
			require.Equal(t, []string{"/page", "/page?a=b", anID}, []string{page.path, page.uri, page.id})
			require.Equal(t, "/(S("+anID+"))/next", w.Header().Get("Location"))
			require.Equal(t, "/(S("+anID+"))/next", w.Header().Get("X-Applied"))
			require.Equal(t, "same-origin", w.Header().Get("Referrer-Policy"))
		}
	}
	require.Equal(t, "/bare", bare.path)

	// With cookies only it deletes the header of IIS's filter, and that is all.
	for _, mode := range []cookieless.Mode{cookieless.UseCookies, cookieless.UseURI} {
		r := httptest.NewRequest("GET", "/(S("+anID+"))/page", nil)
		r.Header.Set("AspFilterSessionId", "(S("+anID+"))")
		var path string
		var header http.Header
		serve(inPath(t, store, cookieless.Options{Mode: mode}).Strip(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			path, header = r.URL.Path, r.Header
		})), r)
		require.Empty(t, header.Values("AspFilterSessionId"))
		require.Equal(t, mode == cookieless.UseURI, path == "/page")
	}
}

// Proxies and html/template write the parentheses with percent signs.
func TestPathEncodedParentheses(t *testing.T) {
	for _, target := range []string{
		"/%28S%28" + anID + "%29%29/a%20b/page?q=1",
		"/%28S(" + anID + ")%29/a%20b/page?q=1",
		"/(%53(" + anID + "))/a%20b/page?q=1",
		"/(S(" + anID + "))/a%20b/page?q=1",
	} {
		store := newStore(t)
		store.put(t)
		page := new(visitedPage)
		w := serve(inPath(t, store, cookieless.Options{Mode: cookieless.UseURI}).Wrap(page), httptest.NewRequest("GET", target, nil))
		require.Equal(t, 200, w.Code, target)
		require.Equal(t, anID, page.id)
		require.Equal(t, "/a b/page", page.path)
		require.Equal(t, "/a%20b/page?q=1", page.uri)
	}
}

// Where ids are in URLs other sites must not learn URLs; the handler may say how.
func TestPathReferrerPolicy(t *testing.T) {
	store := newStore(t)
	store.put(t)
	m := inPath(t, store, cookieless.Options{Mode: cookieless.UseURI})
	page := m.Wrap(&visitedPage{then: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Referrer-Policy", "no-referrer") }})
	w := serve(page, httptest.NewRequest("GET", "/(S("+anID+"))/", nil))
	require.Equal(t, []string{"no-referrer"}, w.Header()["Referrer-Policy"])

	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "origin")
		m.Wrap(new(visitedPage)).ServeHTTP(w, r)
	})
	w = serve(outer, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 302, w.Code)
	require.Equal(t, []string{"origin"}, w.Header()["Referrer-Policy"])
}

// What IIS's filter would say is not believed from outside.
func TestPathFilterHeader(t *testing.T) {
	for _, mode := range []cookieless.Mode{cookieless.UseCookies, cookieless.UseURI, cookieless.AutoDetect} {
		store := newStore(t)
		store.put(t)
		var seen []string
		page := &visitedPage{then: func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Values("AspFilterSessionId") }}
		h := inPath(t, store, cookieless.Options{Mode: mode}).Wrap(page)
		r := httptest.NewRequest("GET", "/page", nil)
		r.Header.Set("AspFilterSessionId", "(S("+anID+"))")
		r.Header.Set("Cookie", "a=b")
		w := serve(h, r)
		if w.Code == 302 {
			serve(h, httptest.NewRequest("GET", w.Header().Get("Location"), nil))
		}
		require.Equal(t, 1, page.runs)
		require.NotEqual(t, anID, page.id)
		require.Empty(t, seen)
	}
}

// hostile are paths that try to lead elsewhere, or to plant an id.
var hostile = []string{
	"//evil.example/", "//(S(x))//evil.example/", "/(S(x))//evil.example/", "/(S(x))///evil.example/",
	`/(S(x))/%5cevil.example/`, "/(S(x))/%2fevil.example/", "/(S(x))/%09/evil.example/", "/(S(x))/../..//evil.example",
	"/(S(" + unknownID + "))//evil.example", "/(S(" + unknownID + "))/%2f%2fevil.example",
	"/(S(" + anID + "))//evil.example", "/(S(" + anID + "))/%2fevil.example", "//(S(" + anID + "))//evil.example",
	"/(S(S(x)))/page", "/(S(x))/(S(y))/page", "/(S((S(x))))/page", "/(S(x)/page", "/%0d%0aSet-Cookie:x=1/page",
	"/(S(%0d%0aX:1))/page", "/(S(%00))/page", "/page?q=%0d%0aX:1", "/shop//evil.example", "/shop/(S(x))//evil.example",
	"/@evil.example", "/(S(x))/@evil.example", "/(X(http://evil.example))/page", "/;@evil.example",
	"/shop/(S(" + anID + "))//evil.example", "/shop/(S(" + anID + "))/%5c%5cevil.example", "/shop%2f(S(x))/page",
}

// requireSafe sends a path to a page that redirects to the path it sees, as pages
// do that add or drop a slash. Nobody is sent to another origin or out of the
// application; no page sees a segment where one is read.
func requireSafe(t *testing.T, target, app string, mode cookieless.Mode) {
	u, err := url.ParseRequestURI(target)
	if err != nil || u.Path == "" || u.Path[0] != '/' {
		return // net/http does not hand it on
	}
	store := newStore(t)
	store.put(t)
	r := httptest.NewRequest("GET", "/", nil)
	r.URL, r.RequestURI = u, target
	w := serve(inPath(t, store, cookieless.Options{Mode: mode, App: app}).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := cutPrefixFold(r.URL.Path, app+"/")
		require.True(t, ok, "the page at %s saw %s", target, r.URL.Path)
		segment, _, more := strings.Cut(rest, "/")
		_, is := cookieless.ParseModifiers(segment)
		require.False(t, is && more, "the page at %s saw %s", target, r.URL.Path)
		to := r.URL.Path
		if strings.ContainsFunc(to, control) {
			to = r.URL.EscapedPath() // unescaped it is no URL, with a session or without
		}
		http.Redirect(w, r, to, http.StatusFound)
	})), r)
	store.requireNoLocks(t)
	location := w.Header().Get("Location")
	if location == "" {
		require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, w.Code, target)
		return
	}
	require.Equal(t, http.StatusFound, w.Code, target)
	require.False(t, strings.ContainsFunc(location, control), "%s led to %q", target, location)
	base, _ := url.Parse("http://site.test/a/b")
	to, err := base.Parse(location)
	require.NoError(t, err, target)
	require.Equal(t, "http://site.test", to.Scheme+"://"+to.Host, "%s led to %s", target, location)
	require.False(t, len(location) > 1 && strings.ContainsRune(`/\`, rune(location[1])), "%s led to %s", target, location)
	_, ok := cutPrefixFold(to.Path, app+"/")
	require.True(t, ok, "%s led to %s", target, location)
}

func control(c rune) bool { return c < ' ' || c == 0x7f }

func cutPrefixFold(s, prefix string) (after string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// Whatever the path, it leads nowhere else.
func TestPathOpenRedirect(t *testing.T) {
	captureLog(t)
	for _, target := range hostile {
		for _, mode := range []cookieless.Mode{cookieless.UseURI, cookieless.AutoDetect} {
			for _, app := range []string{"", "/shop"} {
				requireSafe(t, target, app, mode)
			}
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, target := range hostile {
		f.Add(target, false)
		f.Add(target, true)
	}
	f.Fuzz(func(t *testing.T, target string, shop bool) {
		captureLog(t)
		app := ""
		if shop {
			app = "/shop"
		}
		requireSafe(t, target, app, cookieless.UseURI)
	})
}

// Garbage begins a new session or is refused, and does nothing else.
func TestPathBadInput(t *testing.T) {
	captureLog(t)
	for target, status := range map[string]int{
		"/(S(" + strings.Repeat("a", 90) + "))/page":        302,
		"/(S(" + strings.Repeat("a", 1<<20) + "))/page":     400,
		"/" + strings.Repeat("(S(x))/", 1000) + "page":      400,
		"/(S(S(" + anID + ")))/page":                        302,
		"/(S((S(" + anID + "))))/page":                      302,
		"/(S(" + anID + "))/(S(" + anID + "))/page":         400,
		"/(S(" + anID + "))/(F(x))/page":                    400,
		"/(S(" + anID + "))/%28S%28" + anID + "%29%29/page": 400,
		"/(S(" + anID[:23] + "%00))/page":                   400,
		"/(S(" + anID[:23] + "%0a))/page":                   400,
		"/(S(" + anID + "%3f))/page":                        400,
		"/(s(" + anID + "))/page":                           302,
		"/(S(" + anID + ")/page":                            302,
		"/(S" + anID + ")/page":                             302,
		"/(S(" + anID + "%2f))/page":                        302,
		"//(S(" + anID + "))//evil.example":                 302,
		"/(S(" + anID + "))":                                302, // no slash behind it: a page of that name
		"/(S(\u017f))/page":                                 302,
	} {
		t.Run(target[:min(len(target), 40)], func(t *testing.T) {
			store := newStore(t)
			store.put(t)
			u, err := url.ParseRequestURI(target)
			require.NoError(t, err)
			r := httptest.NewRequest("GET", "/", nil)
			r.URL, r.RequestURI = u, target
			page := new(visitedPage)
			w := serve(inPath(t, store, cookieless.Options{Mode: cookieless.UseURI}).Wrap(page), r)
			require.Equal(t, status, w.Code)
			require.Zero(t, page.runs)
			if status == 302 {
				require.Equal(t, []string{"Create"}, store.took())
			} else {
				require.Empty(t, store.took())
			}
		})
	}
}

// captureLog sends the default log into a buffer until the test ends.
func captureLog(t *testing.T) *bytes.Buffer {
	log, before := new(bytes.Buffer), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return log
}

// The default error log has no id, wherever one stands, and neither has the
// answer.
func TestPathErrorLog(t *testing.T) {
	log := captureLog(t)
	for _, tt := range []struct {
		name, target, fail string
		status             int
	}{
		{"loading", "/shop/(S(" + anID + "))/page", "Acquire", 500},
		{"saving", "/shop/(S(" + anID + "))/page", "Save", 500},
		{"creating", "/shop/page", "Create", 500},
		{"creating anew", "/shop/(S(" + unknownID + "))/page", "Create", 500},
		{"a segment in another place", "/shop/sub/(S(" + anID + "))/page", "Create", 500},
		{"two segments", "/shop/(S(" + anID + "))/(S(" + anID + "))/page", "", 400},
		{"control character", "/shop/(S(" + anID + ")F(%01))/page", "", 400},
		{"outside", "/other/(S(" + anID + "))/page", "", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log.Reset()
			store := newStore(t)
			store.put(t)
			store.failOn(tt.fail, errDisk)
			m := inPath(t, store, cookieless.Options{Mode: cookieless.UseURI, App: "/shop"})
			w := serve(m.Wrap(http.HandlerFunc(increment)), httptest.NewRequest("GET", tt.target, nil))
			require.Equal(t, tt.status, w.Code)
			require.NotEmpty(t, log.String())
			for _, id := range []string{anID, unknownID} {
				require.NotContains(t, log.String(), id)
				require.NotContains(t, w.Body.String(), id)
			}
			require.NotContains(t, log.String(), "S(")
		})
	}
}
