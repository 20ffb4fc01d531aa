package ginsession_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/ginsession"
	"github.com/aspsession/aspsession/session"
)

func TestCounts(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		s, m := setup(t)
		e := engine()
		seen := make(chan outcome, 1)
		e.Use(watch(seen), ginsession.New(m))
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
		e := engine()
		seen := make(chan outcome, 1)
		e.Use(watch(seen), ginsession.New(m))
		e.GET("/", func(c *gin.Context) {
			c.Header("X-Page", "yes")
			count(c)
			if got := (outcome{c.Writer.Status(), c.Writer.Size(), c.Writer.Written()}); got != (outcome{200, 3, true}) {
				t.Errorf("inside: %+v", got)
			}
		})
		resp, body, err := get(t, server(t, e, http2), "/")
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
		require.Equal(t, "trouble\n", body)
		require.Empty(t, resp.Header.Get("X-Page"))
		require.Nil(t, sessionCookie(resp))
		require.Equal(t, outcome{503, 8, true}, <-seen)
		require.Zero(t, s.stored(t))
	})
}

// A session that cannot be opened ends the chain.
func TestOpenFailureAborts(t *testing.T) {
	_, m := setup(t)
	require.NoError(t, m.Close(context.Background())) // every session is refused from now on
	e := engine()
	e.Use(ginsession.New(m))
	e.GET("/", func(*gin.Context) { t.Error("the handler ran") })
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "trouble\n", w.Body.String())
}

func TestAbortInside(t *testing.T) {
	s, m := setup(t)
	e := engine()
	e.Use(ginsession.New(m), func(c *gin.Context) {
		if err := ginsession.From(c).Set("refused", true); err != nil {
			t.Error(err)
		}
		c.AbortWithStatusJSON(http.StatusForbidden, gin.H{"no": 1})
	})
	e.GET("/", func(*gin.Context) { t.Error("the handler ran") })
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, http.StatusForbidden, w.Code)
	require.JSONEq(t, `{"no":1}`, w.Body.String())
	require.NotNil(t, sessionCookie(w.Result()))
	require.Equal(t, 1, s.stored(t))
}

// A status without a body stays gin's to send, as it is without a session.
func TestBareStatus(t *testing.T) {
	_, m := setup(t)
	e := engine()
	seen := make(chan outcome, 1)
	e.Use(watch(seen), ginsession.New(m))
	e.GET("/status", func(c *gin.Context) {
		require.NoError(t, ginsession.From(c).Set("n", 1))
		c.Status(http.StatusAccepted)
		require.False(t, c.Writer.Written())
	})
	e.GET("/nothing", func(*gin.Context) {})
	e.GET("/now", func(c *gin.Context) { c.AbortWithStatus(http.StatusNoContent) })
	for _, tt := range []struct {
		path string
		want outcome
	}{
		{"/status", outcome{202, -1, false}},
		{"/nothing", outcome{200, -1, false}},
		{"/now", outcome{204, 0, true}},
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", tt.path, nil))
		require.Equal(t, tt.want.status, w.Code, tt.path)
		require.Equal(t, tt.want, <-seen, tt.path)
		require.Equal(t, tt.path == "/status", sessionCookie(w.Result()) != nil, tt.path)
	}
}

// Handlers of pages that do not exist have the session and gin's 404.
func TestNoRoute(t *testing.T) {
	s, m := setup(t)
	e := engine()
	e.Use(ginsession.New(m))
	e.GET("/own/*rest", func(c *gin.Context) { c.Status(200) })
	e.NoRoute(func(c *gin.Context) {
		require.Equal(t, http.StatusNotFound, c.Writer.Status())
		if c.Request.URL.Path == "/page" {
			_, _ = c.Writer.WriteString("own 404")
		}
		require.NoError(t, ginsession.From(c).Set("missed", c.Request.URL.Path))
	})
	for path, want := range map[string]string{"/page": "own 404", "/gins": "404 page not found"} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		require.Equal(t, http.StatusNotFound, w.Code)
		require.Equal(t, want, w.Body.String())
		require.NotNil(t, sessionCookie(w.Result()))
	}
	require.Equal(t, 2, s.stored(t))
}

func TestAccess(t *testing.T) {
	_, m := setup(t)
	e := engine()
	e.GET("/none", count)
	for path, f := range map[string]func(*middleware.Middleware) gin.HandlerFunc{
		"/new": ginsession.New, "/rw": ginsession.ReadWrite, "/ro": ginsession.ReadOnly, "/off": ginsession.Disabled, "/lazy": ginsession.Lazy,
	} {
		e.GET(path, f(m), count)
	}
	e.Group("/ro/", ginsession.ReadOnly(m)).GET("rw", ginsession.ReadWrite(m), count)
	for path, want := range map[string]string{
		"/new": "n=1", "/rw": "n=1", "/lazy": "n=1",
		"/ro": session.ErrReadOnly.Error(), "/off": session.ErrDisabled.Error(),
		"/ro/rw": session.ErrReadOnly.Error(), // the outer session counts
		"/none":  "middleware: no session: the handler is not wrapped",
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		require.Equal(t, want, w.Body.String(), path)
	}
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	require.Error(t, ginsession.From(c).Set("n", 1), "a context without a request")
}

// Two middlewares of two stores are two sessions.
func TestTwoMiddlewares(t *testing.T) {
	a, ma := setup(t)
	b, mb := setup(t)
	e := engine()
	e.GET("/", ginsession.New(ma), func(c *gin.Context) {
		require.NoError(t, ginsession.From(c).Set("a", 1))
	}, ginsession.New(mb), count)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "n=1", w.Body.String())
	require.Equal(t, 1, a.stored(t))
	require.Equal(t, 1, b.stored(t))
	require.Len(t, w.Result().Cookies(), 2)
}

func TestRecovery(t *testing.T) {
	quiet := gin.RecoveryWithWriter(nil)
	for _, tt := range []struct {
		name   string
		chain  func(own gin.HandlerFunc) []gin.HandlerFunc
		stored int
	}{
		{"outside", func(own gin.HandlerFunc) []gin.HandlerFunc { return []gin.HandlerFunc{quiet, own} }, 0},
		{"inside", func(own gin.HandlerFunc) []gin.HandlerFunc { return []gin.HandlerFunc{own, quiet} }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, m := setup(t)
			e := engine()
			seen := make(chan outcome, 1)
			e.Use(watch(seen))
			e.Use(tt.chain(ginsession.New(m))...)
			e.GET("/", func(c *gin.Context) {
				require.NoError(t, ginsession.From(c).Set("n", 1))
				panic("oops")
			})
			resp, body, err := get(t, server(t, e, false), "/")
			require.NoError(t, err)
			require.Equal(t, 500, resp.StatusCode)
			require.Empty(t, body)
			require.Equal(t, outcome{500, 0, true}, <-seen)
			require.Equal(t, tt.stored, s.stored(t))
			require.Equal(t, tt.stored == 1, sessionCookie(resp) != nil)
		})
	}
}

// The page was half sent when saving failed: it must not look whole, although
// gin.Recovery takes the panic that says so.
func TestHalfPageBreaksBehindRecovery(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		s, m := setup(t)
		e := engine()
		e.Use(gin.RecoveryWithWriter(nil), ginsession.New(m))
		e.GET("/", count)
		e.GET("/half", func(c *gin.Context) {
			count(c)
			c.Writer.Flush()
			s.full.Store(true)
			_, _ = c.Writer.WriteString(strings.Repeat("x", 10_000))
		})
		srv := server(t, e, http2)
		resp, _, err := get(t, srv, "/")
		require.NoError(t, err)
		_, body, err := get(t, srv, "/half", sessionCookie(resp))
		require.Error(t, err, "%d bytes that look whole", len(body))
		require.Equal(t, 1, s.stored(t))
	})
}

// Something outside has written first: a new session must not start in silence.
func TestWrittenBefore(t *testing.T) {
	s, m := setup(t)
	e := engine()
	e.Use(func(c *gin.Context) { _, _ = c.Writer.WriteString("before ") }, ginsession.New(m))
	e.GET("/", func(c *gin.Context) {
		require.True(t, c.Writer.Written())
		require.Equal(t, 7, c.Writer.Size())
		require.ErrorIs(t, ginsession.From(c).Set("n", 1), session.ErrHeadersSent)
		c.String(200, "page")
	})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "before page", w.Body.String())
	require.Zero(t, s.stored(t))
}

func TestContexts(t *testing.T) {
	_, m := setup(t)
	e := engine()
	e.ContextWithFallback = true
	copies := make(chan *gin.Context, 1)
	e.Use(func(c *gin.Context) {
		c.Next()
		require.Error(t, ginsession.From(c).Set("n", 1), "outside there is none")
	}, ginsession.New(m))
	e.GET("/", func(c *gin.Context) {
		require.Same(t, ginsession.From(c), middleware.FromContext(c))
		require.Same(t, ginsession.From(c), middleware.From(c.Request))
		done := make(chan error)
		cp := c.Copy()
		go func() { done <- ginsession.From(cp).Set("n", 1) }()
		require.NoError(t, <-done)
		copies <- cp
	})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 200, w.Code)
	require.ErrorIs(t, ginsession.From(<-copies).Set("n", 2), session.ErrReleased)
}

// The engine may be wrapped as a whole, and HandleContext works then.
func TestWrappedEngine(t *testing.T) {
	s, m := setup(t)
	e := engine()
	e.GET("/old", func(c *gin.Context) {
		c.Request.URL.Path = "/new"
		e.HandleContext(c)
	})
	e.GET("/new", ginsession.ReadOnly(m), count)
	w := httptest.NewRecorder()
	m.Wrap(e).ServeHTTP(w, httptest.NewRequest("GET", "/old", nil))
	require.Equal(t, "n=1", w.Body.String())
	require.NotNil(t, sessionCookie(w.Result()))
	require.Equal(t, 1, s.stored(t))
}
