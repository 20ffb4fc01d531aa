package echosession

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// New gives handlers a session with the access that m's Options.Access says,
// which is ReadWrite by default.
func New(m *middleware.Middleware) echo.MiddlewareFunc { return wrapped(m.Wrap) }

// ReadWrite gives handlers exclusive access, whatever Options.Access says.
func ReadWrite(m *middleware.Middleware) echo.MiddlewareFunc { return wrapped(m.ReadWrite) }

// ReadOnly gives handlers a session to read, without a lock.
func ReadOnly(m *middleware.Middleware) echo.MiddlewareFunc { return wrapped(m.ReadOnly) }

// Disabled keeps the visitor's session alive and gives handlers none.
func Disabled(m *middleware.Middleware) echo.MiddlewareFunc { return wrapped(m.Disabled) }

// Lazy gives handlers a session that costs nothing until it is used, and is
// ReadWrite from then on.
func Lazy(m *middleware.Middleware) echo.MiddlewareFunc { return wrapped(m.Lazy) }

// From returns the request's session. It never fails and never returns nil:
// where no middleware of this package ran before, every method of what it
// returns has an error that says so.
func From(c echo.Context) *session.Session {
	if c.Request() == nil {
		return middleware.FromContext(context.Background())
	}
	return middleware.From(c.Request())
}

func wrapped(wrap func(http.Handler) http.Handler) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			p := &pass{c: c, next: next, outer: c.Response()}
			p.serve(wrap)
			return p.err
		}
	}
}

// A pass is one request on its way through the session.
type pass struct {
	c     echo.Context
	next  echo.HandlerFunc
	outer *echo.Response // of the middlewares outside
	err   error          // the handler's
	// failed is the page of an error after which nothing is saved; empty where
	// echo is to make one, when err has come to it.
	failed *page
}

// serve runs the handler in its session.
func (p *pass) serve(wrap func(http.Handler) http.Handler) {
	defer func() {
		if p.failed == nil {
			return
		}
		if r := recover(); r != nil && r != any(p) {
			panic(r)
		}
		if !p.outer.Committed {
			p.failed.send(p.outer)
		}
	}()
	wrap(p).ServeHTTP(below{p.outer}, p.c.Request())
}

// ServeHTTP runs the rest of the chain; w and r are the session's.
func (p *pass) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := p.c
	request := c.Request()
	if r == request { // there is a session already
		p.err = p.next(c)
		return
	}
	inside := echo.NewResponse(w, c.Echo())
	inside.Status = p.outer.Status
	if p.outer.Committed {
		inside.Committed, inside.Size = true, p.outer.Size
		inside.Flush() // a new session must learn that headers have left
	}
	defer func() { // also where a handler panics
		c.SetResponse(p.outer)
		c.SetRequest(request)
		if !inside.Committed && !p.outer.Committed {
			p.outer.Status = inside.Status
		}
	}()
	c.SetResponse(inside)
	c.SetRequest(r)
	if p.err = p.next(c); p.err == nil {
		return
	}
	inside.Committed = inside.Committed || p.outer.Committed // flushed
	page := answer(c, inside, p.err)
	if page.failed() {
		p.failed = page
		panic(p) // how a handler tells package middleware to save nothing; serve takes it back
	}
	page.send(w)
}
