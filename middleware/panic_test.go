package middleware_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// A panic under Flush, Write or ReadFrom (a status that net/http refuses, a
// Bootstrap or OnError hook, the store) ends the request, its lock and its turn.
func TestPanicWhileSending(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter){
		"flush":    func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"write":    func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, 64<<10)) },
		"readfrom": func(w http.ResponseWriter) { readFrom(w) },
	} {
		for _, why := range []string{"status", "bootstrap"} {
			t.Run(name+" "+why, func(t *testing.T) {
				store := newStore(t)
				store.put(t, "n", 1)
				opt := middleware.Options{OnError: new(errorLog).onError}
				id := anID
				if why == "bootstrap" {
					id = ""
					opt.Session.Bootstrap = func(context.Context, string) (string, error) { panic("hook") }
				}
				m := newMiddleware(t, store, opt)
				done := make(chan any, 1)
				go func() {
					defer func() { done <- recover() }()
					m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if err := middleware.From(r).Set("n", 2); err != nil {
							t.Error(err)
						}
						if why == "status" {
							w.WriteHeader(1000)
						}
						write(w)
					})).ServeHTTP(strict{httptest.NewRecorder()}, request(id))
				}()
				select {
				case <-done:
				case <-time.After(3 * time.Second):
					t.Fatal("the request hangs")
				}
				store.requireNoLocks(t)
			})
		}
	}
}

func readFrom(w http.ResponseWriter) {
	_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader(strings.Repeat("x", 64<<10)))
}

// strict panics as net/http's own writer does.
type strict struct{ *httptest.ResponseRecorder }

func (s strict) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic("invalid WriteHeader code")
	}
	s.ResponseRecorder.WriteHeader(status)
}

// IsNew is false where the session cannot be loaded.
func TestIsNewAfterFailure(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{SessionStart: func(*http.Request, *session.Session) error { return errDisk }})
	serve(m.Lazy(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.False(t, middleware.From(r).IsNew())
	})), request(""))
}
