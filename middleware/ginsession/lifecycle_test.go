package ginsession_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/ginsession"
	"github.com/aspsession/aspsession/middleware/lifecycletest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// wrap serves h by gin, behind the handler that the access names.
func wrap(m *middleware.Middleware, access session.Access, h http.HandlerFunc) http.Handler {
	e := engine()
	e.Any("/*path", of(m, access), gin.WrapF(h))
	return e
}

func of(m *middleware.Middleware, access session.Access) gin.HandlerFunc {
	return map[session.Access]func(*middleware.Middleware) gin.HandlerFunc{
		session.ReadWrite: ginsession.ReadWrite,
		session.ReadOnly:  ginsession.ReadOnly,
		session.Disabled:  ginsession.Disabled,
		session.Lazy:      ginsession.Lazy,
	}[access](m)
}

func engine() *gin.Engine {
	gin.SetMode(gin.TestMode)
	return gin.New()
}

func TestLifeCycle(t *testing.T) {
	lifecycletest.Run(t, lifecycletest.Harness{
		Store: func(t *testing.T) session.Store {
			s := inproc.New(inproc.Options{})
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s
		},
		Wrap: wrap,
	})
}
