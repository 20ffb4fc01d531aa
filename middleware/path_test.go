package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// unknownID is of the right form, and no store has it.
const unknownID = "abcdefghijklmnopqrstuv05"

// A visitedPage remembers what its handler was given.
type visitedPage struct {
	runs          int
	path, uri, id string
	isNew         bool
	access        string
	body          string
	then          func(w http.ResponseWriter, r *http.Request) // nil: nothing
}

func (p *visitedPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.runs++
	p.path, p.uri = r.URL.Path, r.RequestURI
	b, _ := io.ReadAll(r.Body)
	p.body = string(b)
	s := middleware.From(r)
	if _, err := s.Len(); !errors.Is(err, session.ErrDisabled) {
		p.id, p.isNew = s.ID(), s.IsNew()
	}
	if p.then != nil {
		p.then(w, r)
	}
}

// inPath is a middleware whose ids travel as the options say.
func inPath(t testing.TB, store session.Store, opt cookieless.Options) *middleware.Middleware {
	return newMiddleware(t, store, middleware.Options{Cookieless: opt})
}

// locationID returns where a redirect leads without its id, and the id.
func locationID(t testing.TB, location string) (normal, id string) {
	t.Helper()
	before, rest, ok := strings.Cut(location, "S(")
	if !ok {
		return location, ""
	}
	id, after, ok := strings.Cut(rest, ")")
	require.True(t, ok, location)
	return before + "S(id)" + after, id
}

// Every row of how an id is issued and issued again: what the store is asked,
// what the client is answered, whether the page runs.
func TestPathIDs(t *testing.T) {
	regenerate, keep := cookieless.Options{Mode: cookieless.UseURI}, cookieless.Options{Mode: cookieless.UseURI, KeepExpiredIDs: true}
	known, unknown := "/(S("+anID+"))/page?a=b&c=%20d", "/(S("+unknownID+"))/page?a=b&c=%20d"
	const again = "/(S(id))/page?a=b&c=%20d"
	for _, tt := range []struct {
		name     string
		opt      cookieless.Options
		strict   bool
		access   session.Access
		method   string // "": GET
		target   string
		status   int
		location string
		calls    []string
		id       string // the page's; "": it does not run, or has none
		isNew    bool
	}{
		{name: "no id", opt: regenerate, target: "/page?a=b&c=%20d", status: 302, location: again, calls: []string{"Create"}},
		{name: "no id, root", opt: regenerate, target: "/", status: 302, location: "/(S(id))/", calls: []string{"Create"}},
		{name: "no id, strict", opt: regenerate, strict: true, target: "/page", status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "no id, keep", opt: keep, target: "/page?a=b&c=%20d", status: 302, location: again},
		{name: "no id, POST", opt: regenerate, method: "POST", target: "/page", status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "no id, ReadOnly", opt: regenerate, access: session.ReadOnly, target: "/page", status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "no id, Lazy", opt: regenerate, access: session.Lazy, target: "/page", status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "no id, Disabled", opt: regenerate, access: session.Disabled, target: "/page", status: 200},
		{name: "no id, other modifiers stay", opt: regenerate, target: "/(F(ticket)A(anon))/page", status: 302, location: "/(F(ticket)A(anon)S(id))/page", calls: []string{"Create"}},
		{name: "too short", opt: regenerate, target: "/(S(abc))/page", status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "too short, keep", opt: keep, target: "/(S(abc))/page", status: 302, location: "/(S(id))/page"},
		{name: "digit 9", opt: regenerate, target: "/(S(abcdefghijklmnopqrstuv09))/page", status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "empty S", opt: regenerate, target: "/(S())/page", status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "malformed, Disabled", opt: regenerate, access: session.Disabled, target: "/(S(abc))/page", status: 200},
		{name: "known", opt: regenerate, target: known, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "known, strict", opt: regenerate, strict: true, target: known, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "known, keep", opt: keep, target: known, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "known, POST", opt: regenerate, method: "POST", target: known, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "known, ReadOnly", opt: regenerate, access: session.ReadOnly, target: known, status: 200, calls: []string{"Get"}, id: anID},
		{name: "known, Lazy is ReadWrite", opt: regenerate, access: session.Lazy, target: known, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "known, Disabled", opt: regenerate, access: session.Disabled, target: known, status: 200, calls: []string{"Touch"}},
		{name: "known, upper case", opt: regenerate, target: "/(S(" + strings.ToUpper(anID) + "))/page", status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "known, the first S counts", opt: regenerate, target: "/(S(" + anID + ")S(" + unknownID + "))/page", status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "known, behind a ticket", opt: regenerate, target: "/(F(abc)S(" + anID + "))/page", status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "unknown", opt: regenerate, target: unknown, status: 302, location: again, calls: []string{"Acquire", "Create"}},
		{name: "unknown, strict", opt: regenerate, strict: true, target: unknown, status: 302, location: again, calls: []string{"Acquire", "Create"}},
		{name: "unknown, POST", opt: regenerate, method: "POST", target: unknown, status: 302, location: again, calls: []string{"Acquire", "Create"}},
		{name: "unknown, ReadOnly", opt: regenerate, access: session.ReadOnly, target: unknown, status: 302, location: again, calls: []string{"Get", "Create"}},
		{name: "unknown, Lazy", opt: regenerate, access: session.Lazy, target: unknown, status: 302, location: again, calls: []string{"Acquire", "Create"}},
		{name: "unknown, Disabled", opt: regenerate, access: session.Disabled, target: unknown, status: 200, calls: []string{"Touch"}},
		{name: "unknown, keep", opt: keep, target: unknown, status: 200, calls: []string{"Acquire", "Create", "Acquire", "Release"}, id: unknownID, isNew: true},
		{name: "unknown, keep, POST", opt: keep, method: "POST", target: unknown, status: 200, calls: []string{"Acquire", "Create", "Acquire", "Release"}, id: unknownID, isNew: true},
		{name: "unknown, keep, ReadOnly", opt: keep, access: session.ReadOnly, target: unknown, status: 200, calls: []string{"Get"}, id: unknownID, isNew: true},
		{name: "the form of 2001", opt: regenerate, target: "/(" + anID + ")/page", status: 302, location: "/(S(id))/(" + anID + ")/page", calls: []string{"Create"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore(t)
			store.put(t, "n", 1)
			m := newMiddleware(t, store, middleware.Options{
				Session: session.Options{StrictIDs: tt.strict}, Cookieless: tt.opt,
				Access: func(*http.Request) session.Access { return tt.access },
			})
			page := new(visitedPage)
			method := tt.method
			if method == "" {
				method = "GET"
			}
			w := serve(m.Wrap(page), httptest.NewRequest(method, tt.target, strings.NewReader("f=1")))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.calls, store.took())
			location, id := locationID(t, w.Header().Get("Location"))
			require.Equal(t, tt.location, location)
			require.Empty(t, w.Header()["Set-Cookie"])
			require.Equal(t, "same-origin", w.Header().Get("Referrer-Policy"))
			require.Equal(t, tt.id, page.id)
			require.Equal(t, tt.isNew, page.isNew)
			store.requireNoLocks(t)
			if tt.status == 200 {
				require.Equal(t, 1, page.runs)
				require.Equal(t, "f=1", page.body)
				require.NotContains(t, page.path+page.uri, "(")
				return
			}
			require.Zero(t, page.runs)
			require.Equal(t, "private", w.Header().Get("Cache-Control"))
			require.Empty(t, w.Body.String())
			canonical, ok := session.StandardIDs{}.Canonical(id)
			require.True(t, ok)
			require.Equal(t, canonical, id)
			require.NotContains(t, []string{anID, unknownID}, id)

			// The client that follows runs the page, in a session that is new.
			page.id = ""
			w = serve(m.ReadWrite(page), httptest.NewRequest("GET", w.Header().Get("Location"), nil))
			require.Equal(t, 200, w.Code)
			require.Equal(t, id, page.id)
			require.True(t, page.isNew)
			serve(m.ReadWrite(page), httptest.NewRequest("GET", "/(S("+id+"))/", nil))
			require.Equal(t, id, page.id)
			require.False(t, page.isNew)
		})
	}
}

// KeepBody keeps the method and the body of what is not GET or HEAD.
func TestPathKeepBody(t *testing.T) {
	for method, status := range map[string]int{"GET": 302, "HEAD": 302, "POST": 307, "PUT": 307, "DELETE": 307} {
		m := inPath(t, newStore(t), cookieless.Options{Mode: cookieless.UseURI, KeepBody: true})
		w := serve(m.Wrap(new(visitedPage)), httptest.NewRequest(method, "/page", strings.NewReader("f=1")))
		require.Equal(t, status, w.Code, method)
	}
	t.Run("a real client", func(t *testing.T) {
		page := new(visitedPage)
		s := server(t, inPath(t, newStore(t), cookieless.Options{Mode: cookieless.UseURI, KeepBody: true}).Wrap(page))
		resp, err := s.Client().Post(s.URL+"/page", "application/x-www-form-urlencoded", strings.NewReader("f=1"))
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "f=1", page.body)
		require.Equal(t, 1, page.runs)
	})
}

// AutoDetect's steps, in their order, and the client's agent in UseDeviceProfile.
func TestPathDetection(t *testing.T) {
	const probe = "AspxAutoDetectCookieSupport=1"
	telephone := http.Header{"User-Agent": {"DoCoMo/1.0/N503is/c10"}}
	for _, tt := range []struct {
		name     string
		mode     cookieless.Mode
		access   session.Access
		method   string
		target   string
		header   http.Header
		status   int
		location string
		probed   bool // the challenge
		calls    []string
		id       string
	}{
		{name: "first visit", mode: cookieless.AutoDetect, target: "/page", status: 302, location: "/page?" + probe, probed: true},
		{name: "first visit with a query", mode: cookieless.AutoDetect, target: "/page?a=b", status: 302, location: "/page?a=b&" + probe, probed: true},
		{name: "first visit, POST", mode: cookieless.AutoDetect, method: "POST", target: "/page", status: 302, location: "/page?" + probe, probed: true},
		{name: "first visit, Lazy", mode: cookieless.AutoDetect, access: session.Lazy, target: "/page", status: 302, location: "/page?" + probe, probed: true},
		{name: "first visit, Disabled", mode: cookieless.AutoDetect, access: session.Disabled, target: "/page", status: 200},
		{name: "an id, but no verdict", mode: cookieless.AutoDetect, target: "/(S(" + anID + "))/page", status: 302, location: "/(S(id))/page?" + probe, probed: true},
		{name: "came back without", mode: cookieless.AutoDetect, target: "/page?a=b&" + probe, status: 302, location: "/(X(1)S(id))/page?a=b&" + probe, calls: []string{"Create"}},
		{name: "came back without, POST", mode: cookieless.AutoDetect, method: "POST", target: "/page?" + probe, status: 302, location: "/(X(1)S(id))/page?" + probe, calls: []string{"Create"}},
		{name: "came back without, an id and no verdict", mode: cookieless.AutoDetect, target: "/(S(" + anID + "))/page?" + probe, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "came back with", mode: cookieless.AutoDetect, target: "/page?" + probe, header: http.Header{"Cookie": {probe}}, status: 200},
		{name: "any cookie", mode: cookieless.AutoDetect, target: "/page", header: http.Header{"Cookie": {"a=b"}}, status: 200},
		{name: "session cookie", mode: cookieless.AutoDetect, target: "/page", header: http.Header{"Cookie": {cookieName + "=" + anID}}, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "verdict, no id", mode: cookieless.AutoDetect, target: "/(X(1))/page", status: 302, location: "/(X(1)S(id))/page", calls: []string{"Create"}},
		{name: "verdict and id", mode: cookieless.AutoDetect, target: "/(X(1)S(" + anID + "))/page", status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "verdict, id and another cookie", mode: cookieless.AutoDetect, target: "/(X(1)S(" + anID + "))/page", header: http.Header{"Cookie": {cookieName + "=" + unknownID}}, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		// ASP.NET adopts this one on a read-write page, in UseUri it does not: one rule here.
		{name: "verdict, unknown id", mode: cookieless.AutoDetect, target: "/(X(1)S(" + unknownID + "))/page", status: 302, location: "/(X(1)S(id))/page", calls: []string{"Acquire", "Create"}},
		{name: "telephone", mode: cookieless.AutoDetect, target: "/page", header: telephone, status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "profile: telephone", mode: cookieless.UseDeviceProfile, target: "/page", header: telephone, status: 302, location: "/(S(id))/page", calls: []string{"Create"}},
		{name: "profile: telephone with id", mode: cookieless.UseDeviceProfile, target: "/(S(" + anID + "))/page", header: telephone, status: 200, calls: []string{"Acquire", "Release"}, id: anID},
		{name: "profile: others", mode: cookieless.UseDeviceProfile, target: "/page", status: 200},
		{name: "profile: others, an id in the path", mode: cookieless.UseDeviceProfile, target: "/(S(" + anID + "))/page", status: 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore(t)
			store.put(t)
			m := newMiddleware(t, store, middleware.Options{
				Cookieless: cookieless.Options{Mode: tt.mode},
				Access:     func(*http.Request) session.Access { return tt.access },
			})
			method := tt.method
			if method == "" {
				method = "GET"
			}
			r := httptest.NewRequest(method, tt.target, strings.NewReader("f=1"))
			for name, v := range tt.header {
				r.Header[name] = v
			}
			page := new(visitedPage)
			w := serve(m.Wrap(page), r)
			require.Equal(t, tt.status, w.Code)
			location, _ := locationID(t, w.Header().Get("Location"))
			require.Equal(t, tt.location, location)
			require.Equal(t, tt.calls, store.took())
			if tt.probed {
				require.Equal(t, []string{probe + "; path=/"}, w.Header()["Set-Cookie"])
				require.Equal(t, "private", w.Header().Get("Cache-Control"))
			} else {
				require.Empty(t, w.Header()["Set-Cookie"])
			}
			if tt.status != 200 {
				require.Zero(t, page.runs)
				return
			}
			require.Equal(t, 1, page.runs)
			require.Equal(t, "/page", page.path)
			if tt.id != "" {
				require.Equal(t, tt.id, page.id)
			} else {
				require.NotEqual(t, anID, page.id)
			}
		})
	}
}

// In cookie mode of AutoDetect all is as ever: the cookie is set, Lazy is lazy,
// URLs stay, and nothing is said about referrers.
func TestPathDetectedCookies(t *testing.T) {
	store := newStore(t)
	m := inPath(t, store, cookieless.Options{Mode: cookieless.AutoDetect})
	r := httptest.NewRequest("GET", "/a/page", nil)
	r.Header.Set("Cookie", "a=b")
	var applied string
	w := serve(m.Lazy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Empty(t, store.took())
		require.NoError(t, middleware.From(r).Set("n", 1))
		applied = cookieless.Apply(r, "/b")
		http.Redirect(w, r, "/b", http.StatusFound)
	})), r)
	require.Equal(t, "/b", applied)
	require.Equal(t, "/b", w.Header().Get("Location"))
	require.Len(t, w.Result().Cookies(), 1)
	require.Empty(t, w.Header()["Referrer-Policy"])
	require.Equal(t, []string{"Save"}, store.took())

	// AutoDetect ends after one round, whatever the client does.
	s := server(t, m.Wrap(new(visitedPage)))
	for _, agent := range []http.RoundTripper{s.Client().Transport, withoutQuery{s.Client().Transport}} {
		client := http.Client{Transport: agent, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > 2 {
				return errors.New("one round, and no more")
			}
			return nil
		}}
		resp, err := client.Get(s.URL + "/page?AspxAutoDetectCookieSupport=0")
		if _, drops := agent.(withoutQuery); drops {
			require.Error(t, err) // who drops the question cannot answer it
			continue
		}
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, 200, resp.StatusCode)
	}
}

// withoutQuery is a client that loses queries.
type withoutQuery struct{ http.RoundTripper }

func (c withoutQuery) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.RawQuery = ""
	return c.RoundTripper.RoundTrip(r)
}

// With cookies only, a segment is a folder like others, and no id.
func TestPathCookiesOnly(t *testing.T) {
	store := newStore(t)
	store.put(t)
	page := new(visitedPage)
	w := serve(inPath(t, store, cookieless.Options{}).Wrap(page), httptest.NewRequest("GET", "/(S("+anID+"))/page", nil))
	require.Equal(t, 200, w.Code)
	require.Equal(t, "/(S("+anID+"))/page", page.path)
	require.NotEqual(t, anID, page.id)
	require.Empty(t, store.took())
}

// Strict and keeping contradict each other.
func TestPathStrictConflict(t *testing.T) {
	_, err := middleware.New(newStore(t), middleware.Options{
		Session:    session.Options{StrictIDs: true},
		Cookieless: cookieless.Options{Mode: cookieless.UseURI, KeepExpiredIDs: true},
	})
	require.ErrorContains(t, err, "KeepExpiredIDs")
	_, err = middleware.New(newStore(t), middleware.Options{Cookieless: cookieless.Options{App: "shop"}})
	require.ErrorContains(t, err, "application path")
}

// After Abandon the URL has the id of a session that is gone.
func TestPathAbandon(t *testing.T) {
	for _, keep := range []bool{false, true} {
		store := newStore(t)
		store.put(t, "n", 1)
		m := inPath(t, store, cookieless.Options{Mode: cookieless.UseURI, KeepExpiredIDs: keep})
		page := &visitedPage{then: func(w http.ResponseWriter, r *http.Request) {
			require.NoError(t, middleware.From(r).Abandon())
		}}
		w := serve(m.Wrap(page), httptest.NewRequest("GET", "/(S("+anID+"))/page", nil))
		require.Equal(t, 200, w.Code)
		require.Empty(t, w.Header()["Set-Cookie"])
		require.Equal(t, []string{"Acquire", "Remove"}, store.took())
		page = new(visitedPage)
		w = serve(m.Wrap(page), httptest.NewRequest("GET", "/(S("+anID+"))/page", nil))
		if keep {
			require.Equal(t, anID, page.id)
			require.True(t, page.isNew)
		} else {
			require.Equal(t, 302, w.Code)
			require.Zero(t, page.runs)
		}
	}
}

// Regenerate moves the session: what is written from then on leads to the new
// id, and the old one leads nowhere. Where it fails, all stays as it was.
func TestPathRegenerate(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := inPath(t, store, cookieless.Options{Mode: cookieless.UseURI})
	var before, after, id string
	page := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		before = cookieless.Apply(r, "/x")
		err := s.Regenerate()
		after, id = cookieless.Apply(r, "/x"), s.ID()
		if err != nil {
			http.Error(w, "sorry", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "next", http.StatusSeeOther)
	}))
	login := func() *httptest.ResponseRecorder {
		return serve(page, httptest.NewRequest("POST", "/(S("+anID+"))/a/login", nil))
	}

	store.failOn("Checkpoint", errDisk)
	require.Equal(t, 500, login().Code)
	require.Equal(t, anID, id)
	require.Equal(t, before, after)
	require.Equal(t, int32(1), store.item(t, "n"))
	store.requireNoLocks(t)

	store.failOn("Checkpoint", nil)
	w := login()
	require.Equal(t, "/(S("+anID+"))/x", before)
	require.NotEqual(t, anID, id)
	require.Equal(t, "/(S("+id+"))/x", after)
	require.Equal(t, "/(S("+id+"))/a/next", w.Header().Get("Location"))
	require.Empty(t, w.Header()["Set-Cookie"])
	store.requireNoLocks(t)

	next := new(visitedPage)
	require.Equal(t, 302, serve(m.Wrap(next), httptest.NewRequest("GET", "/(S("+anID+"))/a/next", nil)).Code)
	require.Zero(t, next.runs)
	serve(m.Wrap(next), httptest.NewRequest("GET", w.Header().Get("Location"), nil))
	require.Equal(t, id, next.id)
	require.False(t, next.isNew)
}

// SessionStart runs where the redirect leads, once, and not before it.
func TestPathSessionStart(t *testing.T) {
	store := newStore(t)
	starts := 0
	m := newMiddleware(t, store, middleware.Options{
		Cookieless: cookieless.Options{Mode: cookieless.UseURI},
		SessionStart: func(_ *http.Request, s *session.Session) error {
			starts++
			return s.Set("started", starts)
		},
	})
	page := new(visitedPage)
	w := serve(m.ReadOnly(page), httptest.NewRequest("GET", "/page", nil))
	require.Equal(t, 302, w.Code)
	require.Zero(t, starts)
	for range 2 {
		require.Equal(t, 200, serve(m.ReadOnly(page), httptest.NewRequest("GET", w.Header().Get("Location"), nil)).Code)
		require.Equal(t, 1, starts)
	}
	require.Equal(t, 2, page.runs)
	store.requireNoLocks(t)
}

// A page that is flushed is saved like others; its id is in the URL already.
func TestPathFlush(t *testing.T) {
	store := newStore(t)
	m := inPath(t, store, cookieless.Options{Mode: cookieless.UseURI})
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		require.NoError(t, middleware.From(r).Set("n", 1))
	}))
	w := serve(h, httptest.NewRequest("GET", "/", nil))
	_, id := locationID(t, w.Header().Get("Location"))
	w = serve(h, httptest.NewRequest("GET", "/(S("+id+"))/", nil))
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Header()["Set-Cookie"])
	require.Equal(t, []string{"Create", "Acquire", "Save"}, store.took())
}
