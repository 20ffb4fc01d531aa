package middleware_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

const companionName = "aspsession-companion"

var (
	firstKey  = bytes.Repeat([]byte{1}, 32)
	secondKey = bytes.Repeat([]byte{2}, 32)
)

// withCompanion is a middleware whose sessions can be bound.
func withCompanion(t testing.TB, store session.Store, keys ...[]byte) *middleware.Middleware {
	return newMiddleware(t, store, middleware.Options{Companion: &middleware.Companion{Keys: keys}})
}

// bind signs a visitor in and returns his companion.
func bind(t testing.TB, m *middleware.Middleware, id string, companion ...*http.Cookie) *http.Cookie {
	t.Helper()
	r := request(id)
	for _, c := range companion {
		r.AddCookie(c)
	}
	w := serve(m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { require.NoError(t, middleware.Bind(r)) })), r)
	require.Equal(t, 200, w.Code)
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	require.Equal(t, companionName, cookies[0].Name)
	return cookies[0]
}

// A bound session opens with its companion and with nothing else.
func TestCompanion(t *testing.T) {
	captureLog(t)
	const expired = cookieName + "=; expires=Tue, 12-Oct-1999 07:00:00 GMT; path=/; HttpOnly; SameSite=Lax"
	for _, tt := range []struct {
		name   string
		value  func(mine, others string) string
		opened bool
	}{
		{"without", func(string, string) string { return "" }, false},
		{"its own", func(mine, _ string) string { return mine }, true},
		{"garbage", func(string, string) string { return "garbage" }, false},
		{"another session's", func(_, others string) string { return others }, false},
		{"tampered at the front", func(mine, _ string) string { return "A" + mine[1:] }, false},
		{"tampered in the middle", func(mine, _ string) string {
			i := len(mine) / 2
			return mine[:i] + string(mine[i]^1) + mine[i+1:]
		}, false},
		{"cut", func(mine, _ string) string { return mine[:len(mine)-4] }, false},
		{"long", func(string, string) string { return strings.Repeat("a", 100_000) }, false},
	} {
		for _, access := range []session.Access{session.ReadWrite, session.ReadOnly} {
			t.Run(tt.name+" "+access.String(), func(t *testing.T) {
				store := newStore(t)
				m := withCompanion(t, store, firstKey)
				store.put(t, "n", 1)
				others := bind(t, m, anID).Value // of a session that is gone in a moment
				store.put(t, "n", 1)
				mine := bind(t, m, anID).Value
				r := request(anID)
				if v := tt.value(mine, others); v != "" {
					r.AddCookie(&http.Cookie{Name: companionName, Value: v})
				}
				ran := false
				w := serve(map[session.Access]func(http.Handler) http.Handler{
					session.ReadWrite: m.ReadWrite, session.ReadOnly: m.ReadOnly,
				}[access](http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ran = true
					n, err := session.Value[int](middleware.From(r), "n")
					require.NoError(t, err)
					require.Equal(t, 1, n)
				})), r)
				require.Equal(t, tt.opened, ran)
				if tt.opened {
					require.Equal(t, 200, w.Code)
					require.Empty(t, w.Header()["Set-Cookie"])
				} else {
					require.Equal(t, http.StatusForbidden, w.Code)
					require.Equal(t, []string{expired}, w.Header()["Set-Cookie"])
				}
				store.requireNoLocks(t)
				require.Equal(t, int32(1), store.item(t, "n"))
			})
		}
	}
}

// The companion's cookie has the attributes of the id's, and stays with its host.
// The session keeps what tells it again, not what makes it.
func TestCompanionCookie(t *testing.T) {
	store := newStore(t)
	store.put(t)
	m := newMiddleware(t, store, middleware.Options{
		Cookie:    middleware.Cookie{Domain: "example.test", Secure: true, SameSite: http.SameSiteStrictMode},
		Companion: &middleware.Companion{Keys: [][]byte{firstKey}, Name: "bound", Marker: "mark"},
	})
	w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "bounded", Value: "other"})
		require.NoError(t, middleware.Bind(r))
		require.NoError(t, middleware.Bind(r)) // the last counts
	})), request(anID))
	lines := w.Header()["Set-Cookie"]
	require.Len(t, lines, 2)
	require.Equal(t, "bounded=other", lines[0])
	value, attributes, _ := strings.Cut(strings.TrimPrefix(lines[1], "bound="), ";")
	require.Equal(t, " path=/; secure; HttpOnly; SameSite=Strict", attributes)
	marker, ok := store.item(t, "mark").(string)
	require.True(t, ok)
	require.Len(t, marker, 43) // of SHA-256
	require.NotContains(t, value, marker)

	r := request(anID)
	r.AddCookie(&http.Cookie{Name: "bound", Value: value})
	require.Equal(t, 200, serve(m.Wrap(http.HandlerFunc(increment)), r).Code)
}

// Keys change while visitors are there: the first signs, all are accepted.
func TestCompanionKeys(t *testing.T) {
	captureLog(t)
	store := newStore(t)
	store.put(t)
	old := bind(t, withCompanion(t, store, firstKey), anID)
	open := func(m *middleware.Middleware, c *http.Cookie) int {
		r := request(anID)
		r.AddCookie(c)
		return serve(m.Wrap(http.HandlerFunc(increment)), r).Code
	}
	require.Equal(t, 200, open(withCompanion(t, store, secondKey, firstKey), old))
	require.Equal(t, 403, open(withCompanion(t, store, secondKey), old))
	fresh := bind(t, withCompanion(t, store, secondKey, firstKey), anID, old)
	require.Equal(t, 200, open(withCompanion(t, store, secondKey), fresh))
	require.Equal(t, 403, open(withCompanion(t, store, secondKey, firstKey), old)) // bound again

	for _, keys := range [][][]byte{nil, {[]byte("short")}, {firstKey, secondKey[:31]}} {
		_, err := middleware.New(store, middleware.Options{Companion: &middleware.Companion{Keys: keys}})
		require.ErrorContains(t, err, "Companion.Keys")
	}
	_, err := middleware.New(store, middleware.Options{Companion: &middleware.Companion{Keys: [][]byte{firstKey}, Name: "a b"}})
	require.Error(t, err)
}

// The binding goes with the session to its new id, and with its items.
func TestCompanionMoves(t *testing.T) {
	captureLog(t)
	store := newStore(t)
	store.put(t)
	m := withCompanion(t, store, firstKey)
	mine := bind(t, m, anID)
	r := request(anID)
	r.AddCookie(mine)
	var id string
	require.Equal(t, 200, serve(m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, middleware.From(r).Regenerate())
		id = middleware.From(r).ID()
	})), r).Code)
	require.Equal(t, 403, serve(m.Wrap(http.HandlerFunc(increment)), request(id)).Code)
	r = request(id)
	r.AddCookie(mine)
	require.Equal(t, 200, serve(m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, middleware.From(r).Clear())
	})), r).Code)
	require.Equal(t, 200, serve(m.Wrap(http.HandlerFunc(increment)), request(id)).Code, "Clear unbinds")
}

// Signing in: a new session is bound with the cookie of its id beside it, and the
// whole does not happen where it cannot be saved.
func TestCompanionNewSession(t *testing.T) {
	captureLog(t)
	store := newStore(t)
	m := withCompanion(t, store, firstKey)
	login := m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, middleware.From(r).Regenerate())
		require.NoError(t, middleware.Bind(r))
	}))
	store.failOn("Save", errDisk)
	w := serve(login, request(""))
	require.Equal(t, 500, w.Code)
	require.Empty(t, w.Header()["Set-Cookie"])
	store.failOn("Save", nil)
	w = serve(login, request(""))
	require.Equal(t, 200, w.Code)
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	require.Len(t, r.Cookies(), 2)
	require.Equal(t, 200, serve(m.Wrap(http.HandlerFunc(increment)), r).Code)
}

// Where Bind cannot work it says so and changes nothing.
func TestCompanionRefusals(t *testing.T) {
	captureLog(t)
	store := newStore(t)
	store.put(t)
	m := withCompanion(t, store, firstKey)
	require.ErrorContains(t, middleware.Bind(request(anID)), "not wrapped")
	for _, tt := range []struct {
		name string
		wrap func(http.Handler) http.Handler
		page func(w http.ResponseWriter, r *http.Request) error
		want error
	}{
		{"ReadOnly", m.ReadOnly, func(_ http.ResponseWriter, r *http.Request) error { return middleware.Bind(r) }, session.ErrReadOnly},
		{"Disabled", m.Disabled, func(_ http.ResponseWriter, r *http.Request) error { return middleware.Bind(r) }, session.ErrDisabled},
		{"released", m.Wrap, func(_ http.ResponseWriter, r *http.Request) error {
			require.NoError(t, middleware.From(r).Release())
			return middleware.Bind(r)
		}, session.ErrReleased},
		{"after the headers", m.Wrap, func(w http.ResponseWriter, r *http.Request) error {
			require.NoError(t, http.NewResponseController(w).Flush())
			return middleware.Bind(r)
		}, session.ErrHeadersSent},
		{"hijacked", m.Wrap, func(w http.ResponseWriter, r *http.Request) error {
			_, _, err := w.(http.Hijacker).Hijack()
			require.ErrorIs(t, err, http.ErrNotSupported) // and nothing happened
			return middleware.Bind(r)
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store.put(t)
			var err error
			w := serve(tt.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = tt.page(w, r) })), request(anID))
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tt.want)
			require.Empty(t, w.Header()["Set-Cookie"])
			require.Nil(t, store.item(t, "aspsession.companion"))
		})
	}
	serve(newMiddleware(t, store, middleware.Options{}).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.ErrorContains(t, middleware.Bind(r), "Options.Companion")
	})), request(anID))
}

// A Lazy page meets the refusal at its first use; one that does not look runs, as
// a Disabled one does.
func TestCompanionLazy(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := withCompanion(t, store, firstKey)
	mine := bind(t, m, anID)
	w := serve(m.Lazy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := middleware.From(r).Get("n")
		require.ErrorIs(t, err, middleware.ErrCompanion)
		require.ErrorIs(t, middleware.From(r).Set("n", 2), middleware.ErrCompanion)
		require.ErrorIs(t, middleware.Bind(r), middleware.ErrCompanion)
		http.Error(w, "who are you?", http.StatusForbidden)
	})), request(anID))
	require.Equal(t, 403, w.Code)
	require.Empty(t, w.Header()["Set-Cookie"])
	store.requireNoLocks(t)
	require.Equal(t, int32(1), store.item(t, "n"))

	for _, wrap := range []func(http.Handler) http.Handler{m.Lazy, m.Disabled} {
		require.Equal(t, 204, serve(wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })), request(anID)).Code)
	}
	r := request(anID)
	r.AddCookie(mine)
	require.Equal(t, 200, serve(m.Lazy(http.HandlerFunc(increment)), r).Code)
	require.Equal(t, int32(2), store.item(t, "n"))
}

// A marker that the other side made or broke opens nothing, and a Filter that
// hides it does not unbind the session.
func TestCompanionMarker(t *testing.T) {
	captureLog(t)
	store := newStore(t)
	m := withCompanion(t, store, firstKey)
	for status, marker := range map[int]any{403: nil, 500: 7.5} {
		store.put(t, "aspsession.companion", marker)
		require.Equal(t, status, serve(m.Wrap(http.HandlerFunc(increment)), request(anID)).Code)
		store.requireNoLocks(t)
	}
	store.put(t)
	mine := bind(t, m, anID)
	m = newMiddleware(t, store, middleware.Options{
		Companion: &middleware.Companion{Keys: [][]byte{firstKey}},
		Session:   session.Options{Filter: func(name, _ string) bool { return name == "n" }},
	})
	require.Equal(t, 403, serve(m.Wrap(http.HandlerFunc(increment)), request(anID)).Code)
	r := request(anID)
	r.AddCookie(mine)
	require.Equal(t, 200, serve(m.Wrap(http.HandlerFunc(increment)), r).Code)
}

// In a URL the refusal sets no cookie, and what answers it is the application's.
func TestCompanionInPath(t *testing.T) {
	store := newStore(t)
	store.put(t)
	bind(t, withCompanion(t, store, firstKey), anID)
	errs := new(errorLog)
	m := newMiddleware(t, store, middleware.Options{
		Companion:  &middleware.Companion{Keys: [][]byte{firstKey}},
		Cookieless: cookieless.Options{Mode: cookieless.UseURI},
		OnError:    errs.onError,
	})
	w := serve(m.Wrap(http.HandlerFunc(increment)), httptest.NewRequest("GET", "/(S("+anID+"))/", nil))
	require.ErrorIs(t, errs.last(), middleware.ErrCompanion)
	require.Empty(t, w.Header()["Set-Cookie"])
	store.requireNoLocks(t)
}

// An abandoned session's cookie is expired where that is wanted: byte for byte as
// ASP.NET's applications do it, with the attributes that it was set with.
func TestExpireOnAbandon(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cookie middleware.Cookie
		id     string
		want   []string
	}{
		{"off", middleware.Cookie{}, anID, nil},
		{"on", middleware.Cookie{ExpireOnAbandon: true}, anID, []string{"ASP.NET_SessionId=; expires=Tue, 12-Oct-1999 07:00:00 GMT; path=/; HttpOnly; SameSite=Lax"}},
		{"all attributes", middleware.Cookie{ExpireOnAbandon: true, Name: "sid", Domain: "example.test", Path: "/shop", Secure: true, SameSite: http.SameSiteNoneMode}, anID, []string{"sid=; domain=example.test; expires=Tue, 12-Oct-1999 07:00:00 GMT; path=/shop; secure; HttpOnly; SameSite=None"}},
		{"legacy form", middleware.Cookie{ExpireOnAbandon: true, SameSite: http.SameSiteDefaultMode}, anID, []string{"ASP.NET_SessionId=; expires=Tue, 12-Oct-1999 07:00:00 GMT; path=/; HttpOnly"}},
		{"a session that never was", middleware.Cookie{ExpireOnAbandon: true}, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore(t)
			store.put(t)
			m := newMiddleware(t, store, middleware.Options{Cookie: tt.cookie})
			r := httptest.NewRequest("GET", "/", nil)
			if tt.id != "" {
				name := tt.cookie.Name
				if name == "" {
					name = cookieName
				}
				r.AddCookie(&http.Cookie{Name: name, Value: tt.id})
			}
			w := serve(m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				require.NoError(t, middleware.From(r).Set("n", 1))
				require.NoError(t, middleware.From(r).Abandon())
			})), r)
			require.Equal(t, tt.want, w.Header()["Set-Cookie"])
			if tt.want != nil {
				require.Equal(t, "private", w.Header().Get("Cache-Control"))
				require.Zero(t, store.sessions())
			}
		})
	}
}
