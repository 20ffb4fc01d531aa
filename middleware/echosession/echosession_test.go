package echosession_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/echosession"
	"github.com/aspsession/aspsession/session"
)

func TestCounts(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		s, m := setup(t)
		e := echo.New()
		seen := make(chan outcome, 1)
		e.Use(watch(seen), echosession.New(m))
		e.GET("/", count)
		srv := server(t, e, http2)

		resp, body, err := get(t, srv, "/")
		require.NoError(t, err)
		require.Equal(t, "n=1", body)
		require.Equal(t, outcome{200, 3, true}, <-seen)
		id := sessionCookie(resp)
		require.NotNil(t, id)
		resp, body, err = get(t, srv, "/", id)
		require.NoError(t, err)
		require.Equal(t, "n=2", body)
		require.Nil(t, sessionCookie(resp))
		require.Equal(t, 1, s.stored(t))
	})
}

// A failed save is an error page with nothing of the handler's, and that is what
// a logger outside sees.
func TestFailedSave(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		s, m := setup(t)
		s.full.Store(true)
		e := echo.New()
		seen := make(chan outcome, 1)
		e.Use(watch(seen), echosession.New(m))
		e.GET("/", func(c echo.Context) error {
			c.Response().Header().Set("X-Page", "yes")
			err := count(c)
			if got := outcomeOf(c.Response()); got != (outcome{200, 3, true}) {
				t.Errorf("inside: %+v", got)
			}
			return err
		})
		e.GET("/error", func(c echo.Context) error {
			if err := echosession.From(c).Set("n", 1); err != nil {
				t.Error(err)
			}
			return echo.NewHTTPError(http.StatusNotFound)
		})
		srv := server(t, e, http2)
		for _, path := range []string{"/", "/error"} {
			resp, body, err := get(t, srv, path)
			require.NoError(t, err)
			require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
			require.Equal(t, "trouble\n", body)
			require.Empty(t, resp.Header.Get("X-Page"))
			require.Nil(t, sessionCookie(resp))
			require.Equal(t, outcome{503, 8, true}, <-seen)
		}
		require.Zero(t, s.stored(t))
	})
}

func TestOpenFailure(t *testing.T) {
	_, m := setup(t)
	require.NoError(t, m.Close(context.Background())) // every session is refused from now on
	e := echo.New()
	e.Use(echosession.New(m))
	e.GET("/", func(echo.Context) error { t.Error("the handler ran"); return nil })
	w := record(e, "/")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "trouble\n", w.Body.String())
}

func TestAccess(t *testing.T) {
	_, m := setup(t)
	e := echo.New()
	e.GET("/none", count)
	for path, f := range map[string]func(*middleware.Middleware) echo.MiddlewareFunc{
		"/new": echosession.New, "/rw": echosession.ReadWrite, "/ro": echosession.ReadOnly, "/off": echosession.Disabled, "/lazy": echosession.Lazy,
	} {
		e.GET(path, count, f(m))
	}
	e.GET("/ro/rw", count, echosession.ReadOnly(m), echosession.ReadWrite(m))
	for path, want := range map[string]string{
		"/new": "n=1", "/rw": "n=1", "/lazy": "n=1",
		"/ro": session.ErrReadOnly.Error(), "/off": session.ErrDisabled.Error(),
		"/ro/rw": session.ErrReadOnly.Error(), // the outer session counts
		"/none":  "middleware: no session: the handler is not wrapped",
	} {
		require.Equal(t, want, record(e, path).Body.String(), path)
	}
	require.Error(t, echosession.From(e.NewContext(nil, nil)).Set("n", 1), "a context without a request")
}

// The session is in the request's context inside, and is over when the request is.
func TestContexts(t *testing.T) {
	_, m := setup(t)
	e := echo.New()
	var kept *session.Session
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			require.Error(t, echosession.From(c).Set("n", 1), "outside there is none")
			return err
		}
	}, echosession.New(m))
	e.GET("/", func(c echo.Context) error {
		kept = echosession.From(c)
		require.Same(t, kept, middleware.FromContext(c.Request().Context()))
		return c.NoContent(204)
	})
	require.Equal(t, 204, record(e, "/").Code)
	require.ErrorIs(t, kept.Set("n", 2), session.ErrReleased)
}

// Hooks of middlewares outside run when headers really leave, inner ones when
// the handler writes.
func TestHooks(t *testing.T) {
	for _, full := range []bool{false, true} {
		s, m := setup(t)
		s.full.Store(full)
		e := echo.New()
		var calls []string
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.Response().Before(func() { calls = append(calls, "outer before"); c.Response().Header().Set("X-Hook", "ran") })
				c.Response().After(func() { calls = append(calls, "outer after") })
				return next(c)
			}
		}, echosession.New(m))
		e.GET("/", func(c echo.Context) error {
			c.Response().Before(func() { calls = append(calls, "inner before") })
			c.Response().After(func() { calls = append(calls, "inner after") })
			err := count(c)
			calls = append(calls, "handler done")
			return err
		})
		w := record(e, "/")
		require.Equal(t, []string{"inner before", "inner after", "handler done", "outer before", "outer after"}, calls)
		require.Equal(t, "ran", w.Header().Get("X-Hook"), "full %v", full)
		require.Equal(t, map[bool]int{false: 200, true: 503}[full], w.Code)
	}
}

// What is not committed stays open to middlewares outside, as it is without a
// session.
func TestNothingWritten(t *testing.T) {
	_, m := setup(t)
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := next(c); err != nil || c.Response().Committed {
				t.Error(err, "committed")
			}
			require.Equal(t, http.StatusAccepted, c.Response().Status)
			_, err := c.Response().Write([]byte("from outside"))
			return err
		}
	}, echosession.New(m))
	e.GET("/", func(c echo.Context) error {
		c.Response().Status = http.StatusAccepted
		return echosession.From(c).Set("n", 1)
	})
	w := record(e, "/")
	require.Equal(t, http.StatusAccepted, w.Code)
	require.Equal(t, "from outside", w.Body.String())
	require.NotNil(t, sessionCookie(w.Result()))
}

// Something outside has written first: a new session must not start in silence.
func TestWrittenBefore(t *testing.T) {
	s, m := setup(t)
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			_, _ = c.Response().Write([]byte("before "))
			return next(c)
		}
	}, echosession.New(m))
	e.GET("/", func(c echo.Context) error {
		require.Equal(t, outcome{200, 7, true}, outcomeOf(c.Response()))
		require.ErrorIs(t, echosession.From(c).Set("n", 1), session.ErrHeadersSent)
		_, err := c.Response().Write([]byte("page"))
		return err
	})
	require.Equal(t, "before page", record(e, "/").Body.String())
	require.Zero(t, s.stored(t))
}

func TestRecover(t *testing.T) {
	quiet := echomw.RecoverWithConfig(echomw.RecoverConfig{DisablePrintStack: true})
	for _, tt := range []struct {
		name   string
		chain  func(own echo.MiddlewareFunc) []echo.MiddlewareFunc
		stored int
	}{
		{"outside", func(own echo.MiddlewareFunc) []echo.MiddlewareFunc { return []echo.MiddlewareFunc{quiet, own} }, 0},
		{"inside", func(own echo.MiddlewareFunc) []echo.MiddlewareFunc { return []echo.MiddlewareFunc{own, quiet} }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, m := setup(t)
			e := echo.New()
			seen := make(chan outcome, 1)
			e.Use(watch(seen))
			e.Use(tt.chain(echosession.New(m))...)
			e.GET("/", func(c echo.Context) error {
				require.NoError(t, echosession.From(c).Set("n", 1))
				panic("oops")
			})
			resp, body, err := get(t, server(t, e, false), "/")
			require.NoError(t, err)
			require.Equal(t, 500, resp.StatusCode)
			require.JSONEq(t, `{"message":"Internal Server Error"}`, body)
			require.Equal(t, 500, (<-seen).status)
			require.Equal(t, tt.stored, s.stored(t))
			require.Equal(t, tt.stored == 1, sessionCookie(resp) != nil)
		})
	}
}

// The page was half sent when saving failed: it must not look whole, although
// Recover is outside.
func TestHalfPageBreaksBehindRecover(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		s, m := setup(t)
		e := echo.New()
		e.Use(echomw.Recover(), echosession.New(m))
		e.GET("/", count)
		e.GET("/half", func(c echo.Context) error {
			if err := count(c); err != nil {
				return err
			}
			c.Response().Flush()
			s.full.Store(true)
			_, err := c.Response().Write([]byte(strings.Repeat("x", 10_000)))
			return err
		})
		srv := server(t, e, http2)
		resp, _, err := get(t, srv, "/")
		require.NoError(t, err)
		_, body, err := get(t, srv, "/half", sessionCookie(resp))
		require.Error(t, err, "%d bytes that look whole", len(body))
		require.Equal(t, 1, s.stored(t))
	})
}

// An echo.Context of one's own is kept.
func TestOwnContext(t *testing.T) {
	type own struct{ echo.Context }
	_, m := setup(t)
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error { return next(&own{c}) }
	}, echosession.New(m))
	e.GET("/", func(c echo.Context) error {
		require.IsType(t, &own{}, c)
		return count(c)
	})
	require.Equal(t, "n=1", record(e, "/").Body.String())
}

// The engine may be wrapped as a whole, too.
func TestWrappedEcho(t *testing.T) {
	_, m := setup(t)
	e := echo.New()
	e.GET("/", count, echosession.ReadOnly(m))
	w := httptest.NewRecorder()
	m.Wrap(e).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "n=1", w.Body.String())
	require.NotNil(t, sessionCookie(w.Result()))
}
