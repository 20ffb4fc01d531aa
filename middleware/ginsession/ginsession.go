package ginsession

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// New gives the handlers after it a session with the access that m's
// Options.Access says, which is ReadWrite by default.
func New(m *middleware.Middleware) gin.HandlerFunc { return handler(m.Wrap) }

// ReadWrite gives the handlers after it exclusive access, whatever
// Options.Access says.
func ReadWrite(m *middleware.Middleware) gin.HandlerFunc { return handler(m.ReadWrite) }

// ReadOnly gives the handlers after it a session to read, without a lock.
func ReadOnly(m *middleware.Middleware) gin.HandlerFunc { return handler(m.ReadOnly) }

// Disabled keeps the visitor's session alive and gives the handlers after it
// none.
func Disabled(m *middleware.Middleware) gin.HandlerFunc { return handler(m.Disabled) }

// Lazy gives the handlers after it a session that costs nothing until it is
// used, and is ReadWrite from then on.
func Lazy(m *middleware.Middleware) gin.HandlerFunc { return handler(m.Lazy) }

// From returns the request's session. It never fails and never returns nil:
// where no handler of this package ran before, every method of what it returns
// has an error that says so.
func From(c *gin.Context) *session.Session {
	if c.Request == nil {
		return middleware.FromContext(context.Background())
	}
	return middleware.From(c.Request)
}

func handler(wrap func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		p := &pass{c: c}
		p.below.start(c)
		done := false
		defer func() {
			if p.returned && !done {
				p.below.cut()
			}
		}()
		wrap(p).ServeHTTP(p.below.writer(), c.Request)
		done = true
		switch {
		case !p.entered:
			c.Abort() // the session could not be opened: the page is OnError's
		case p.inside.ResponseWriter != nil && !p.inside.Written() && !c.Writer.Written():
			c.Writer.WriteHeader(p.inside.status) // a c.Status for gin to send
		}
	}
}

// A pass is one request on its way through the session.
type pass struct {
	c        *gin.Context
	below    below
	inside   inside
	entered  bool // the handlers were called
	returned bool // and came back: a panic from now on is package middleware's
}

// ServeHTTP runs the rest of the chain; w and r are the session's.
func (p *pass) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := p.c
	p.entered = true
	outer := c.Request
	if r == outer { // there is a session already
		c.Next()
		return
	}
	p.inside.start(w, c.Writer)
	if c.Writer.Written() {
		_ = p.inside.FlushError() // a new session must learn that headers have left
	}
	defer func() { c.Writer, c.Request = p.below.gin, outer }() // also where a handler panics
	c.Writer, c.Request = &p.inside, r
	c.Next()
	p.returned = true
}
