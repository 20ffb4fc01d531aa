package middleware_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// Four things that go wrong with alexedwards/scs v2.9.0, each with the handler
// that shows it there. Nothing may be lost in silence here.

// There the middleware writes the cookie at the first Write only: who flushes
// first sends headers without it, and the session is stored under an id that
// nobody has.
func TestAFlushBeforeTheFirstByteKeepsTheCookie(t *testing.T) {
	for _, row := range []struct {
		name string
		page func(w http.ResponseWriter, s *session.Session) error
		err  error
	}{
		{"set, then flush", func(w http.ResponseWriter, s *session.Session) error {
			if err := s.Set("n", 1); err != nil {
				return err
			}
			return http.NewResponseController(w).Flush()
		}, nil},
		{"flush, then set", func(w http.ResponseWriter, s *session.Session) error {
			if err := http.NewResponseController(w).Flush(); err != nil {
				return err
			}
			return s.Set("n", 1)
		}, session.ErrHeadersSent},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := newStore(t)
			m := newMiddleware(t, store, middleware.Options{})
			sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := row.page(w, middleware.From(r)); row.err == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, row.err)
				}
				_, _ = io.WriteString(w, "page")
			})))
			resp, body, err := fetch(t, sv, "/", "")
			require.NoError(t, err)
			require.Equal(t, "page", body)
			if row.err != nil { // nothing is stored that nobody knows of
				require.Empty(t, resp.Header.Values("Set-Cookie"))
				require.Zero(t, store.sessions())
				return
			}
			require.Len(t, resp.Cookies(), 1)
			_, ok := store.Bytes(resp.Cookies()[0].Value)
			require.True(t, ok, "the visitor's next request finds the session")
		})
	}
}

// There what is put after the first byte has left is dropped: the commit was
// made before it.
func TestASetAfterTheFirstByteIsStored(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		if r.URL.Path == "/long" {
			_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
		} else {
			_ = http.NewResponseController(w).Flush()
		}
		increment(w, r)
	})))
	for i, path := range []string{"/flushed", "/long"} {
		_, body, err := fetch(t, sv, path, anID)
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(body, "done"))
		require.EqualValues(t, i+2, store.item(t, "n"))
	}
}

// There the handler's page follows the error page of a failed commit.
func TestNoPageFollowsAFailedSave(t *testing.T) {
	for _, visitor := range []string{"", anID} {
		store := newStore(t)
		store.put(t, "n", 1)
		store.failOn("Save", errDisk)
		m := newMiddleware(t, store, middleware.Options{})
		sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Page", "yes")
			_, _ = io.WriteString(w, "one ")
			increment(w, r)
			_, _ = io.WriteString(w, "two")
		})))
		resp, body, err := fetch(t, sv, "/", visitor)
		require.NoError(t, err)
		require.Equal(t, 500, resp.StatusCode)
		for _, of := range []string{"one", "two", "done"} {
			require.NotContains(t, body, of)
		}
		require.Empty(t, resp.Header.Get("X-Page"))
		require.Empty(t, resp.Header.Values("Set-Cookie"))
	}
}

// There two requests at the same time read the same session, and the one that
// ends last wins. Both handlers are inside as far as the lock lets them.
func TestTwoOverlappingUpdatesBothCount(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 0)
	m := newMiddleware(t, store, middleware.Options{})
	second := make(chan bool, 1)
	sv := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/b" {
			second <- true
		}
		m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := middleware.From(r)
			n, err := session.Value[int](s, "n")
			require.NoError(t, err)
			if r.URL.Path == "/a" {
				<-second // the other one has come, and would read the same number
			}
			require.NoError(t, s.Set("n", n+1))
			require.NoError(t, s.Set(r.URL.Path, true))
		})).ServeHTTP(w, r)
	}))
	var wg sync.WaitGroup
	for _, path := range []string{"/a", "/b"} {
		wg.Go(func() {
			resp, _, err := fetch(t, sv, path, anID)
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
		})
		if path == "/a" {
			require.Eventually(t, func() bool { // a has the lock
				_, err := store.Store.Get(t.Context(), anID)
				return err != nil
			}, waiting, pause)
		}
	}
	wg.Wait()
	require.EqualValues(t, 2, store.item(t, "n"))
	require.Equal(t, true, store.item(t, "/a"))
	require.Equal(t, true, store.item(t, "/b"))
}
