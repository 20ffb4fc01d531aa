package echosession_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/echosession"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

const cookieName = "ASP.NET_SessionId"

// A store whose saves fail when it is told so.
type store struct {
	*inproc.Store
	full atomic.Bool
}

var errFull = errors.New("the disk is full")

func (s *store) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	if s.full.Load() {
		return errFull
	}
	return s.Store.Save(ctx, id, lock, p)
}

func (s *store) Checkpoint(ctx context.Context, id string, lock session.Lock, lease time.Duration, p *payload.Payload) (session.Lock, error) {
	if s.full.Load() {
		return session.Lock{}, errFull
	}
	return s.Store.Checkpoint(ctx, id, lock, lease, p)
}

// stored is how many sessions there are; none may be locked.
func (s *store) stored(t testing.TB) (n int) {
	t.Helper()
	require.NoError(t, s.List(context.Background(), func(i session.Info) bool {
		n++
		require.True(t, i.Lock.IsZero(), "a lock is left")
		return true
	}))
	return n
}

// item is an item of a stored session; nil where there is none.
func (s *store) item(t testing.TB, id, key string) any {
	t.Helper()
	data, ok := s.Bytes(id)
	require.True(t, ok)
	p, err := payload.Open(data, payload.Limits{})
	require.NoError(t, err)
	v, _, err := p.Items().Get(key)
	require.NoError(t, err)
	return v
}

func setup(t testing.TB) (*store, *middleware.Middleware) {
	t.Helper()
	s := &store{Store: inproc.New(inproc.Options{SweepInterval: -1})}
	m, err := middleware.New(s, middleware.Options{
		OnError: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "trouble", http.StatusServiceUnavailable)
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, m.Close(context.Background()))
		require.NoError(t, s.Close())
	})
	return s, m
}

// server serves h over TLS, by HTTP/2 or HTTP/1.1.
func server(t testing.TB, h http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = http2
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if !http2 {
		s.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}
	}
	s.StartTLS()
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(s.Close)
	return s
}

// both runs a test over HTTP/1.1 and HTTP/2.
func both(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, true) })
}

// get fetches a page; err is that of a page that broke off.
func get(t testing.TB, s *httptest.Server, path string, cookies ...*http.Cookie) (resp *http.Response, body string, err error) {
	t.Helper()
	r, err := http.NewRequest("GET", s.URL+path, nil)
	require.NoError(t, err)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	resp, err = s.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// sessionCookie is the id that a response brings; nil where it brings none.
func sessionCookie(resp *http.Response) *http.Cookie {
	for _, c := range resp.Cookies() {
		if c.Name == cookieName {
			return c
		}
	}
	return nil
}

// An outcome is what a middleware outside sees after next.
type outcome struct {
	status    int
	size      int64
	committed bool
}

func outcomeOf(r *echo.Response) outcome { return outcome{r.Status, r.Size, r.Committed} }

// watch is a logging middleware.
func watch(seen chan<- outcome) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			w, r := c.Response(), c.Request()
			err := next(c)
			if c.Response() != w || c.Request() != r {
				panic("the middleware outside has not its own back")
			}
			seen <- outcomeOf(w)
			return err
		}
	}
}

// count counts up, and answers how far.
func count(c echo.Context) error {
	s := echosession.From(c)
	n, err := session.Value[int](s, "n")
	if err == nil {
		err = s.Set("n", n+1)
	}
	if err != nil {
		return c.String(http.StatusConflict, err.Error())
	}
	return c.String(http.StatusOK, fmt.Sprintf("n=%d", n+1))
}

// record runs one request without a network.
func record(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}
