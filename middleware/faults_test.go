package middleware_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// The session moved to a new id and the save at the end failed: the error page
// tells the visitor the id, because his old one is gone.
func TestRegenerateThenFailedSave(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{OnError: new(errorLog).onError})
	w := serve(m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		require.NoError(t, s.Regenerate())
		require.NoError(t, s.Set("user", "ann"))
		store.failOn("Save", errDisk)
	})), request(anID))
	store.failOn("Save", nil)
	require.Equal(t, 500, w.Code)
	id := anID
	for _, c := range w.Result().Cookies() {
		id = c.Value
	}
	serve(m.ReadOnly(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, err := session.Value[int](middleware.From(r), "n")
		require.NoError(t, err)
		require.Equal(t, 1, n, "the visitor's session is lost")
	})), request(id))
}

// The same with a panic that somebody recovers outside.
func TestRegenerateThenPanic(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{OnError: new(errorLog).onError})
	inner := m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, middleware.From(r).Regenerate())
		panic("page")
	}))
	w := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "sorry", 500)
			}
		}()
		inner.ServeHTTP(w, r)
	}), request(anID))
	id := anID
	for _, c := range w.Result().Cookies() {
		id = c.Value
	}
	serve(m.ReadOnly(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, err := session.Value[int](middleware.From(r), "n")
		require.NoError(t, err)
		require.Equal(t, 1, n, "the visitor's session is lost")
	})), request(id))
}

type stagedHijacker struct{ *httptest.ResponseRecorder }

func (h stagedHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a, b := net.Pipe()
	_ = b.Close()
	return a, bufio.NewReadWriter(bufio.NewReader(a), bufio.NewWriter(a)), nil
}

// A WebSocket that needs no session is not refused because the timeout could not
// be renewed.
func TestHijackNotRenewed(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	store.failOn("Touch", session.ErrUnavailable)
	m := newMiddleware(t, store, middleware.Options{OnError: new(errorLog).onError})
	m.Lazy(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		_ = conn.Close()
	})).ServeHTTP(stagedHijacker{httptest.NewRecorder()}, request(anID))
}

// Part of the page has left, and the save before a hijack fails: the page is
// broken, and OnError told.
func TestHijackFailsLate(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	log := new(errorLog)
	m := newMiddleware(t, store, middleware.Options{OnError: log.onError})
	s := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, middleware.From(r).Set("n", 2))
		_, _ = w.Write([]byte("begun "))
		_ = http.NewResponseController(w).Flush()
		store.failOn("Save", errDisk)
		_, _, err := http.NewResponseController(w).Hijack()
		require.ErrorIs(t, err, errDisk)
		_, _ = w.Write([]byte("page"))
	})))
	_, body, err := fetch(t, s, "/", anID)
	require.Error(t, err, "a half page looks whole: %q", body)
	require.ErrorIs(t, log.last(), errDisk)
}

// Credentials of the legacy URL are not in the error.
func TestBootstrapCredentials(t *testing.T) {
	s := server(t, http.NotFoundHandler())
	for _, url := range []string{"http://site:hunter2@" + s.Listener.Addr().String() + "/", "http://site:hunter2@a b/"} {
		_, err := middleware.Bootstrap(url, middleware.Cookie{}, nil)(context.Background(), anID)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// A shared cache must not keep the page that carries the cookie.
func TestPublicPageWithNewID(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		increment(w, r)
	})), request(""))
	require.NotEmpty(t, w.Header().Get("Set-Cookie"))
	require.NotContains(t, w.Header().Get("Cache-Control"), "public")
}
