package middleware_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// What is put around a wrapped handler, or into it.

// gzipper is the compressing middleware of many a tutorial. A careful one takes
// a Content-Length away when headers leave; a careless one relies on none.
type gzipper struct {
	http.ResponseWriter
	z       *gzip.Writer
	careful bool
}

func (g gzipper) WriteHeader(status int) {
	if g.careful {
		g.Header().Del("Content-Length")
	}
	g.ResponseWriter.WriteHeader(status)
}

func (g gzipper) Write(b []byte) (int, error) { return g.z.Write(b) }

func (g gzipper) Unwrap() http.ResponseWriter { return g.ResponseWriter }

func (g gzipper) FlushError() error {
	return errors.Join(g.z.Flush(), http.NewResponseController(g.ResponseWriter).Flush())
}

func compress(next http.Handler, careful bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		next.ServeHTTP(gzipper{w, z, careful}, r)
	})
}

func TestGzipAroundAndWithin(t *testing.T) {
	for name, arrange := range map[string]func(m *middleware.Middleware, page http.Handler) http.Handler{
		"around":           func(m *middleware.Middleware, page http.Handler) http.Handler { return compress(m.Wrap(page), true) },
		"around, careless": func(m *middleware.Middleware, page http.Handler) http.Handler { return compress(m.Wrap(page), false) },
		"within":           func(m *middleware.Middleware, page http.Handler) http.Handler { return m.Wrap(compress(page, true)) },
		"within, careless": func(m *middleware.Middleware, page http.Handler) http.Handler { return m.Wrap(compress(page, false)) },
	} {
		for _, size := range []int{0, 100, 10_000, 200_000} {
			t.Run(fmt.Sprint(name, "/", size), func(t *testing.T) {
				overBoth(t, func(t *testing.T, p *protocol) {
					m := newMiddleware(t, p.store, middleware.Options{})
					text := strings.Repeat("a page ", size/7)
					sv := p.serveAll(t, arrange(m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						require.NoError(t, middleware.From(r).Set("n", 2))
						_, _ = io.WriteString(w, text)
						if size > 100_000 {
							require.NoError(t, http.NewResponseController(w).Flush())
						}
					})))
					resp, body := p.do(t, sv, get(t, sv))
					require.True(t, resp.Uncompressed)
					require.True(t, text == body, "%d bytes, want %d", len(body), len(text))
					p.saved(t, 2)
				})
			})
		}
	}
}

func proxy(t *testing.T, backend *httptest.Server) *httputil.ReverseProxy {
	t.Helper()
	target, err := url.Parse(backend.URL)
	require.NoError(t, err)
	rp := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1}
	rp.ErrorLog = log.New(io.Discard, "", 0)
	return rp
}

// A page that is still another server's, with the session of this one.
func TestAProxiedPage(t *testing.T) {
	next := make(chan bool)
	backend := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stream":
			for range 3 {
				_, _ = io.WriteString(w, "tick")
				_ = http.NewResponseController(w).Flush()
				<-next
			}
			w.Header().Set(http.TrailerPrefix+"X-Ticks", "3")
		case "/broken":
			_, _ = io.WriteString(w, "tick")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("X-Backend", "yes")
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
		}
	}))
	overBoth(t, func(t *testing.T, p *protocol) {
		rp := proxy(t, backend)
		sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
			require.NoError(t, middleware.From(r).Set("n", 2))
			rp.ServeHTTP(w, r)
		})
		visit := func(path string) *http.Request {
			r := get(t, sv)
			r.URL.Path = path
			r.Header.Set("Cookie", cookieName+"="+anID)
			return r
		}
		resp, body := p.do(t, sv, visit("/"))
		require.Equal(t, http.StatusTeapot, resp.StatusCode)
		require.Equal(t, "yes", resp.Header.Get("X-Backend"))
		require.Len(t, body, 10_000)
		p.saved(t, 2)

		p.store.put(t, "n", 1)
		resp, err := sv.Client().Do(visit("/stream"))
		require.NoError(t, err)
		defer resp.Body.Close()
		tick := make([]byte, 4)
		for range 3 {
			_, err := io.ReadFull(resp.Body, tick)
			require.NoError(t, err)
			next <- true
		}
		_, err = resp.Body.Read(tick)
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, "3", resp.Trailer.Get("X-Ticks"))
		p.saved(t, 2)

		// The backend breaks off: so do we, and nothing is saved.
		p.store.put(t, "n", 1)
		_, _, err = p.try(t, sv, visit("/broken"))
		require.Error(t, err)
		sv.Close()
		p.saved(t, 1)
	})
}

// A WebSocket behind the proxy: 101 carries the cookie, and the connection
// outlives the session's request.
func TestAProxiedUpgrade(t *testing.T) {
	backend := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		_, _ = io.Copy(conn, rw)
	}))
	for _, visitor := range []string{"", anID} {
		store := newStore(t)
		store.put(t, "n", 1)
		m := newMiddleware(t, store, middleware.Options{})
		rp := proxy(t, backend)
		sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			increment(httptest.NewRecorder(), r)
			rp.ServeHTTP(w, r)
		})))
		conn, err := net.Dial("tcp", sv.Listener.Addr().String())
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(waiting)))
		cookie := ""
		if visitor != "" {
			cookie = "Cookie: " + cookieName + "=" + visitor + "\r\n"
		}
		_, err = io.WriteString(conn, "GET /echo HTTP/1.1\r\nHost: x\r\n"+cookie+"Connection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		require.NoError(t, err)
		from := bufio.NewReader(conn)
		resp, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		require.Equal(t, visitor == "", len(resp.Cookies()) == 1)
		for _, word := range []string{"hello\n", "world\n"} {
			_, err = io.WriteString(conn, word)
			require.NoError(t, err)
			back, err := from.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, word, back)
			store.requireNoLocks(t) // the visitor's other requests go on meanwhile
		}
		if visitor != "" {
			require.EqualValues(t, 2, store.item(t, "n"))
		} else {
			require.Equal(t, 2, store.sessions())
		}
		require.NoError(t, conn.Close())
		ctx, cancel := context.WithTimeout(t.Context(), waiting)
		require.NoError(t, m.Close(ctx))
		cancel()
	}
}

// http.TimeoutHandler within: the page is given up, what was set until then is
// saved, and what its goroutine does later is refused.
func TestATimeoutHandlerWithin(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store, middleware.Options{})
	leave, late := make(chan bool), make(chan error, 2)
	sv := server(t, m.Wrap(http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		require.NoError(t, s.Set("n", 2))
		<-leave
		late <- s.Set("n", 3)
		_, err := io.WriteString(w, "late page")
		late <- err
	}), 300*time.Millisecond, "too slow")))
	resp, body, err := fetch(t, sv, "/", anID)
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, "too slow", body)
	require.EqualValues(t, 2, store.item(t, "n"))
	store.requireNoLocks(t)
	close(leave)
	require.ErrorIs(t, <-late, session.ErrReleased)
	require.ErrorIs(t, <-late, http.ErrHandlerTimeout)
	require.EqualValues(t, 2, store.item(t, "n"))
}

// And around: the client has its 503, while the handler runs to its end, with
// the lock, and is saved.
func TestATimeoutHandlerAround(t *testing.T) {
	for _, size := range []int{10, 100_000} {
		store := newStore(t)
		store.put(t, "n", 1)
		m := newMiddleware(t, store, middleware.Options{OnError: func(_ http.ResponseWriter, _ *http.Request, err error) { t.Error(err) }})
		leave := make(chan bool)
		sv := server(t, http.TimeoutHandler(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			require.ErrorIs(t, context.Cause(r.Context()), context.DeadlineExceeded)
			<-leave
			increment(w, r)
			_, _ = io.WriteString(w, strings.Repeat("x", size))
		})), 50*time.Millisecond, "too slow"))
		resp, body, err := fetch(t, sv, "/", anID)
		require.NoError(t, err)
		require.Equal(t, 503, resp.StatusCode)
		require.Equal(t, "too slow", body)
		_, err = store.Store.Get(t.Context(), anID)
		require.ErrorIs(t, err, session.ErrLocked)
		close(leave)
		ctx, cancel := context.WithTimeout(t.Context(), waiting)
		require.NoError(t, m.Close(ctx))
		cancel()
		require.EqualValues(t, 2, store.item(t, "n"))
		store.requireNoLocks(t)
	}
}

// Goroutines that go on writing after their handler returned, which they must
// not, never reach the page of another visitor, though buffers are used again.
func TestALateWriterReachesNobodyElse(t *testing.T) {
	const secret = "SECRET"
	m := newMiddleware(t, newStore(t), middleware.Options{})
	var late sync.WaitGroup
	var ended atomic.Bool
	readers := make(chan *io.PipeWriter, 1000)
	sv := server(t, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ways := map[string]func() error{
			"/write":  func() error { _, err := w.Write([]byte(secret)); return err },
			"/string": func() error { _, err := io.WriteString(w, secret); return err },
			"/flush": func() error {
				_, err := io.WriteString(w, secret)
				return errors.Join(err, http.NewResponseController(w).Flush())
			},
			"/copy": func() error { _, err := io.Copy(w, strings.NewReader(secret)); return err },
		}
		if r.URL.Path == "/read" {
			// It waits in a Read into the buffer when the handler returns.
			from, to := io.Pipe()
			readers <- to
			late.Go(func() {
				_, err := io.Copy(w, from)
				_ = from.CloseWithError(err) // who writes now must not wait
			})
			_, _ = to.Write([]byte("begun"))
			return
		}
		if way := ways[r.URL.Path]; way != nil {
			returned := make(chan bool)
			late.Go(func() {
				<-returned
				for !ended.Load() {
					if way() != nil {
						time.Sleep(pause)
					}
				}
			})
			defer close(returned)
			return
		}
		_, _ = io.WriteString(w, r.URL.Path)
		time.Sleep(pause)
		_, _ = io.WriteString(w, r.URL.Path)
	})))
	var clients sync.WaitGroup
	for c := range 4 {
		clients.Go(func() {
			for i := range 50 {
				for _, way := range []string{"/write", "/string", "/flush", "/copy", "/read"} {
					if i < 2 || way == "/read" {
						resp, body, err := fetch(t, sv, way, "")
						if err != nil || resp.StatusCode != 200 { // on its own page it may write
							t.Errorf("%s: %v %q", way, err, body)
						}
					}
				}
				path := fmt.Sprintf("/page-%d-%d", c, i)
				_, body, err := fetch(t, sv, path, "")
				if err != nil || body != path+path {
					t.Errorf("%s got %q, %v", path, body, err)
				}
				select {
				case to := <-readers: // another's late reader gets its bytes now
					_, _ = to.Write([]byte(secret))
					_ = to.Close()
				default:
				}
			}
		})
	}
	clients.Wait()
	ended.Store(true)
	close(readers)
	for to := range readers {
		_ = to.Close()
	}
	late.Wait()
}

func TestMaxBytes(t *testing.T) {
	for name, arrange := range map[string]func(m *middleware.Middleware, page http.Handler) http.Handler{
		"around": func(m *middleware.Middleware, page http.Handler) http.Handler {
			return http.MaxBytesHandler(m.Wrap(page), 1000)
		},
		"within": func(m *middleware.Middleware, page http.Handler) http.Handler {
			return m.Wrap(http.MaxBytesHandler(page, 1000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, p *protocol) {
				m := newMiddleware(t, p.store, middleware.Options{})
				sv := p.serveAll(t, arrange(m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					require.NoError(t, middleware.From(r).Set("n", 2))
					_, err := io.ReadAll(r.Body)
					var tooLong *http.MaxBytesError
					if errors.As(err, &tooLong) {
						http.Error(w, "too long", http.StatusRequestEntityTooLarge)
						return
					}
					require.NoError(t, err)
					_, _ = io.WriteString(w, "taken")
				})))
				resp, body := p.do(t, sv, newRequest(t, "POST", sv, strings.NewReader(strings.Repeat("x", 1000))))
				require.Equal(t, 200, resp.StatusCode)
				require.Equal(t, "taken", body)
				resp, body = p.do(t, sv, newRequest(t, "POST", sv, strings.NewReader(strings.Repeat("x", 1001))))
				require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
				require.Equal(t, "too long\n", body)
				p.saved(t, 2)
			})
		})
	}
}

func TestStripPrefix(t *testing.T) {
	for name, arrange := range map[string]func(m *middleware.Middleware, page http.Handler) http.Handler{
		"around": func(m *middleware.Middleware, page http.Handler) http.Handler {
			return http.StripPrefix("/shop", m.Wrap(page))
		},
		"within": func(m *middleware.Middleware, page http.Handler) http.Handler {
			return m.Wrap(http.StripPrefix("/shop", page))
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			store.put(t, "n", 1)
			m := newMiddleware(t, store, middleware.Options{})
			h := arrange(m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "/cart", r.URL.Path)
				increment(w, r)
			}))
			r := request(anID)
			r.URL.Path = "/shop/cart"
			require.Equal(t, "done", serve(h, r).Body.String())
			require.EqualValues(t, 2, store.item(t, "n"))
			r = request(anID)
			require.Equal(t, 404, serve(h, r).Code)
			store.requireNoLocks(t)
		})
	}
}
