package middleware_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// secondWithin asserts that the same visitor's second request gets through while
// the first handler still runs.
func secondWithin(t *testing.T, first http.HandlerFunc, opt middleware.Options, started chan struct{}, d time.Duration) {
	t.Helper()
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, opt)
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			first(w, r)
		}
	})))
	go func() {
		r, _ := http.NewRequest("GET", sv.URL+"/first", nil)
		r.AddCookie(&http.Cookie{Name: cookieName, Value: anID})
		if resp, err := sv.Client().Do(r); err == nil {
			resp.Body.Close()
		}
	}()
	<-started
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", sv.URL+"/second", nil)
	r.AddCookie(&http.Cookie{Name: cookieName, Value: anID})
	resp, err := sv.Client().Do(r)
	require.NoError(t, err, "the second request is still waiting")
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
}

func TestAHijackedConnectionKeepsNobodyWaiting(t *testing.T) {
	started, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	secondWithin(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		close(started)
		<-end
	}, middleware.Options{}, started, 30*time.Second)
}

func TestAReleasedSessionKeepsNobodyWaiting(t *testing.T) {
	started, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	secondWithin(t, func(w http.ResponseWriter, r *http.Request) {
		if err := middleware.From(r).Release(); err != nil {
			panic(err)
		}
		close(started)
		<-end
	}, middleware.Options{}, started, 30*time.Second)
}

// Behind a stuck handler the store is asked, which breaks its old lock. The clock
// of the store is the real one here.
func TestAStuckHandlerIsOvertaken(t *testing.T) {
	started, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	secondWithin(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-end
	}, middleware.Options{Session: session.Options{ExecutionTimeout: 200 * time.Millisecond}}, started, 30*time.Second)
}

// Whole-looking responses after a failed save, by other ways than Write.
func TestLateFailuresOfOtherKinds(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter, r *http.Request){
		"ServeContent of no file": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "x.bin", time.Time{}, bytes.NewReader(make([]byte, 1<<20)))
		},
		"io.Copy of a reader": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1048576")
			_, _ = io.Copy(w, io.LimitReader(zeros{}, 1<<20))
		},
		"204 flushed": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(204)
			w.(http.Flusher).Flush()
		},
		"304 flushed": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(304)
			w.(http.Flusher).Flush()
		},
		"length 0 flushed": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "0")
			w.(http.Flusher).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			store.put(t, "n", 1)
			store.failOn("Save", errDisk)
			log := &errorLog{}
			m := newMiddleware(t, store, middleware.Options{OnError: log.onError})
			sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = middleware.From(r).Set("n", 2)
				write(w, r)
				time.Sleep(20 * time.Millisecond)
			})))
			resp, body, err := fetch(t, sv, "/", anID)
			if err == nil {
				require.Equal(t, 500, resp.StatusCode, "the page looks whole: %d bytes", len(body))
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// To HTTP/1.0 the end of the connection is the end of the page.
func TestALateFailureOverHTTP10(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	store.failOn("Save", errDisk)
	log := &errorLog{}
	m := newMiddleware(t, store, middleware.Options{OnError: log.onError})
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = middleware.From(r).Set("n", 2)
		_, _ = io.WriteString(w, strings.Repeat("x", 40_000))
	})))
	c, err := net.Dial("tcp", sv.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.0\r\nCookie: "+cookieName+"="+anID+"\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return
	}
	body, err := io.ReadAll(resp.Body)
	require.Error(t, err, "%d of 40000 bytes and a clean end", len(body))
}

type hung struct{ *faulty }

func (h hung) Capabilities() session.Capabilities { return session.Capabilities{} }
func (h hung) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	<-ctx.Done()
	return session.Record{}, context.Cause(ctx)
}

func TestAStoreThatHangsIs503(t *testing.T) {
	m := newMiddleware(t, hung{newStore(t)}, middleware.Options{Session: session.Options{StoreTimeout: 50 * time.Millisecond}})
	w := serve(m.Wrap(http.HandlerFunc(increment)), request(anID))
	require.Equal(t, 503, w.Code)
}

func TestClosedTwice(t *testing.T) {
	for range 20 {
		store := newStore(t)
		m, err := session.NewManager(store, session.Options{})
		require.NoError(t, err)
		s, err := m.Open(t.Context(), "", session.ReadWrite)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		errs := make(chan error, 2)
		for range 2 {
			go func() { errs <- m.Close(ctx) }()
		}
		time.Sleep(20 * time.Millisecond)
		require.NoError(t, m.Finish(s))
		require.NoError(t, <-errs)
		require.NoError(t, <-errs)
		cancel()
	}
}
