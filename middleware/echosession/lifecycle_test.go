package echosession_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/echosession"
	"github.com/aspsession/aspsession/middleware/lifecycletest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// wrap serves h by echo, behind the middleware that the access names.
func wrap(m *middleware.Middleware, access session.Access, h http.HandlerFunc) http.Handler {
	e := echo.New()
	e.Any("/*", echo.WrapHandler(h), of(m, access))
	return e
}

func of(m *middleware.Middleware, access session.Access) echo.MiddlewareFunc {
	return map[session.Access]func(*middleware.Middleware) echo.MiddlewareFunc{
		session.ReadWrite: echosession.ReadWrite,
		session.ReadOnly:  echosession.ReadOnly,
		session.Disabled:  echosession.Disabled,
		session.Lazy:      echosession.Lazy,
	}[access](m)
}

func TestLifeCycle(t *testing.T) {
	lifecycletest.Run(t, lifecycletest.Harness{
		Store: func(t *testing.T) session.Store {
			s := inproc.New(inproc.Options{})
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s
		},
		Wrap: wrap,
		Skip: map[string]string{
			"ReadWrite/new/set, flush/Hold fails ErrUnavailable":   flushIsSilent,
			"ReadWrite/new/set, flush/Hold is lost ErrUnavailable": flushIsSilent,
		},
	})
}

const flushIsSilent = "echo.Response.Flush keeps errors to itself: see TestFlushThatFails"
