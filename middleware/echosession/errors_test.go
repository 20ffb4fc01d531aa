package echosession_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware/echosession"
)

var errSignIn = errors.New("wrong password")

// What a handler's error does to its session, and what the visitor gets.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler echo.HandlerFunc
		handles func(err error, c echo.Context) // nil: echo's default
		status  int
		body    string
		saved   bool
		asked   int // how often the HTTPErrorHandler found nothing written
		noError bool
	}{
		{name: "not found is an answer", handler: fail(echo.NewHTTPError(404, "gone")),
			status: 404, body: `{"message":"gone"}` + "\n", saved: true, asked: 1},
		{name: "so is sending to sign in", handler: fail(errSignIn), handles: func(_ error, c echo.Context) {
			_ = c.Redirect(http.StatusFound, "/signin")
		}, status: 302, saved: true, asked: 1},
		{name: "and an error that one's own handler knows", handler: fail(errSignIn), handles: func(_ error, c echo.Context) {
			_ = c.String(http.StatusUnauthorized, "try again")
		}, status: 401, body: "try again", saved: true, asked: 1},
		{name: "others are unhandled", handler: fail(errors.New("database")),
			status: 500, body: `{"message":"Internal Server Error"}` + "\n", asked: 1},
		{name: "so is an answer of 503", handler: fail(echo.NewHTTPError(503, "busy")),
			status: 503, body: `{"message":"busy"}` + "\n", asked: 1},
		{name: "a handler's own 500 is a page", handler: func(c echo.Context) error {
			return c.String(500, "own")
		}, status: 500, body: "own", saved: true, noError: true},
		{name: "a page that was begun is dropped", handler: func(c echo.Context) error {
			_ = c.String(200, "half a pa")
			return errors.New("database")
		}, status: 500, body: `{"message":"Internal Server Error"}` + "\n", asked: 1},
		{name: "an error answered already", handler: func(c echo.Context) error {
			err := echo.NewHTTPError(404, "gone")
			c.Error(err)
			return err
		}, status: 404, body: `{"message":"gone"}` + "\n", saved: true, asked: 1},
		{name: "an error of one's own answered already", handler: func(c echo.Context) error {
			_ = c.String(http.StatusUnauthorized, "try again")
			return errSignIn
		}, status: 401, body: "try again", saved: true},
		{name: "a failure answered already is answered afresh", handler: func(c echo.Context) error {
			err := errors.New("database")
			c.Error(err)
			return err
		}, status: 500, body: `{"message":"Internal Server Error"}` + "\n", asked: 2},
		{name: "a handler that answers nothing", handler: fail(errSignIn), handles: func(error, echo.Context) {},
			status: 200, asked: 2},
		{name: "what has left stays", handler: func(c echo.Context) error {
			c.Response().Flush()
			return errors.New("database")
		}, status: 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, http2 bool) {
				s, m := setup(t)
				e := echo.New()
				asked := 0
				handles := tt.handles
				if handles == nil {
					handles = e.DefaultHTTPErrorHandler
				}
				e.HTTPErrorHandler = func(err error, c echo.Context) {
					if !c.Response().Committed {
						asked++
						handles(err, c)
					}
				}
				seen, met := make(chan outcome, 1), make(chan error, 1)
				e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
					return func(c echo.Context) error {
						err := next(c)
						met <- err
						return err
					}
				}, watch(seen), echosession.New(m))
				e.GET("/", count)
				e.GET("/fails", func(c echo.Context) error {
					if err := echosession.From(c).Set("changed", true); err != nil {
						t.Error(err)
					}
					return tt.handler(c)
				})
				srv := server(t, e, http2)
				resp, _, err := get(t, srv, "/")
				require.NoError(t, err)
				require.NoError(t, <-met)
				<-seen
				old := sessionCookie(resp)

				// A visitor who is known, then a new one.
				resp, body, err := get(t, srv, "/fails", old)
				require.NoError(t, err)
				require.Equal(t, tt.status, resp.StatusCode)
				require.Equal(t, tt.body, body)
				require.Equal(t, tt.noError, <-met == nil, "middlewares outside want the error")
				require.Equal(t, tt.asked, asked)
				if was := <-seen; was.committed {
					require.Equal(t, tt.status, was.status)
					require.Equal(t, len(tt.body), int(was.size))
				}
				changed := s.item(t, old.Value, "changed")
				if tt.name == "what has left stays" {
					return
				}
				require.Equal(t, tt.saved, changed != nil)

				resp, _, err = get(t, srv, "/fails")
				require.NoError(t, err)
				<-met
				<-seen
				require.Equal(t, tt.saved, sessionCookie(resp) != nil)
				require.Equal(t, map[bool]int{false: 1, true: 2}[tt.saved], s.stored(t))
			})
		})
	}
}

func fail(err error) echo.HandlerFunc { return func(echo.Context) error { return err } }

// Headers that go with the error are in its page.
func TestErrorHeaders(t *testing.T) {
	_, m := setup(t)
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		c.Response().Header().Set("Retry-After", "5")
		return echo.NewHTTPError(http.StatusServiceUnavailable)
	}, echosession.New(m))
	w := record(e, "/")
	require.Equal(t, 503, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
}

// An error that came from inside a session inside this one is the outer one's.
func TestNestedError(t *testing.T) {
	s, m := setup(t)
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		require.NoError(t, echosession.From(c).Set("n", 1))
		return errors.New("database")
	}, echosession.New(m), echosession.Lazy(m))
	require.Equal(t, 500, record(e, "/").Code)
	require.Zero(t, s.stored(t))
}

// A panic in the HTTPErrorHandler is a panic of the handler.
func TestErrorHandlerPanics(t *testing.T) {
	s, m := setup(t)
	e := echo.New()
	e.HTTPErrorHandler = func(error, echo.Context) { panic("oops") }
	e.GET("/", func(c echo.Context) error {
		require.NoError(t, echosession.From(c).Set("n", 1))
		return errSignIn
	}, echosession.New(m))
	require.PanicsWithValue(t, "oops", func() { record(e, "/") })
	require.Zero(t, s.stored(t))
}
