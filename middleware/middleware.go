package middleware

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/session"
)

// Options of a Middleware. The zero value is ASP.NET's own behaviour.
type Options struct {
	// Session is the life cycle: timeouts, waiting, ids, hooks, the zone of dates.
	Session session.Options
	// Cookie is how the id travels.
	Cookie Cookie
	// Cookieless is how it travels where it does not in the cookie: in the URL.
	// Default: cookies only. In path mode Lazy is ReadWrite, because an id can be
	// issued only by a redirect, before the handler runs.
	Cookieless cookieless.Options
	// Access decides per request what Wrap's handlers may do with the session.
	// Default: session.ReadWrite for all.
	Access func(r *http.Request) session.Access
	// BufferSize is how many bytes of a response wait for the session to be
	// saved. Default 32 KiB, as in ASP.NET. Each running request holds so much.
	BufferSize int
	// SessionStart runs when a session is new, before the handler, on ReadOnly
	// pages too; on Lazy ones at the first use. What it sets is stored, and the
	// visitor gets his id, whether the handler stores anything or not; see
	// session.Opening.OnStart. r has no session: use s. Its error fails the
	// request. Default none: a new session leaves nothing until something is
	// stored.
	SessionStart func(r *http.Request, s *session.Session) error
	// Companion, if set, is a second, signed cookie that sessions can be bound
	// to; see Bind. Default none: the id alone opens the session.
	Companion *Companion
	// OutliveLease lets a handler run on when it has held the lock for as long as
	// the execution timeout. Default false: its context is cancelled with cause
	// session.ErrLockLost, as ASP.NET aborts such pages, because another request
	// may break the lock from then on.
	OutliveLease bool
	// OnError answers a request whose session could not be opened or saved. It
	// may write a page. What it writes is dropped where headers have left already,
	// and the connection is broken, and where a Disabled page's session could not
	// be renewed, which the page survives. Default: a short text with status 503
	// for what may pass (a full queue, a lock, a store out of reach), else 500,
	// 403 for ErrCompanion, 400 and 404 for cookieless.ErrPath and ErrOutside, and
	// a line to slog; nothing where the client is gone.
	OnError func(w http.ResponseWriter, r *http.Request, err error)
}

// A Middleware wraps handlers. It is safe for concurrent use.
type Middleware struct {
	sessions   *session.Manager
	cookieless *cookieless.Cookieless
	opt        Options
	buffers    sync.Pool
}

// New checks the options and returns a Middleware on a store, which stays the
// caller's to close after Close.
func New(store session.Store, opt Options) (*Middleware, error) {
	if err := opt.Cookie.setDefaults(); err != nil {
		return nil, err
	}
	if opt.BufferSize == 0 {
		opt.BufferSize = 32 << 10
	}
	if opt.BufferSize < 0 {
		return nil, fmt.Errorf("middleware: BufferSize %d is negative", opt.BufferSize)
	}
	if opt.Access == nil {
		opt.Access = func(*http.Request) session.Access { return session.ReadWrite }
	}
	if opt.OnError == nil {
		opt.OnError = onError
	}
	if opt.Companion != nil {
		c := *opt.Companion
		if err := c.setDefaults(opt.Cookie); err != nil {
			return nil, err
		}
		opt.Companion = &c
	}
	path, err := cookieless.New(opt.Cookieless)
	if err != nil {
		return nil, fmt.Errorf("middleware: %w", err)
	}
	if opt.Session.StrictIDs && opt.Cookieless.KeepExpiredIDs {
		return nil, errors.New("middleware: StrictIDs refuses the ids that Cookieless.KeepExpiredIDs would keep: choose one")
	}
	sessions, err := session.NewManager(store, opt.Session)
	if err != nil {
		return nil, fmt.Errorf("middleware: %w", err)
	}
	m := &Middleware{sessions: sessions, cookieless: path, opt: opt}
	m.buffers.New = func() any { b := make([]byte, 0, opt.BufferSize); return &b }
	return m, nil
}

// Wrap gives next a session with the access that Options.Access says, which is
// ReadWrite by default. A handler wrapped twice keeps the outer session.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, m.opt.Access(r), next) })
}

// ReadWrite gives next exclusive access, whatever Options.Access says.
func (m *Middleware) ReadWrite(next http.Handler) http.Handler {
	return m.with(session.ReadWrite, next)
}

// ReadOnly gives next a session to read, without a lock.
func (m *Middleware) ReadOnly(next http.Handler) http.Handler { return m.with(session.ReadOnly, next) }

// Disabled keeps the visitor's session alive and gives next none.
func (m *Middleware) Disabled(next http.Handler) http.Handler { return m.with(session.Disabled, next) }

// Lazy gives next a session that costs nothing until it is used, and is
// ReadWrite from then on. Its first use may wait for the lock.
func (m *Middleware) Lazy(next http.Handler) http.Handler { return m.with(session.Lazy, next) }

func (m *Middleware) with(access session.Access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, access, next) })
}

// Close refuses new requests and waits, until ctx ends, for those under way and
// for locks that are still being given back. Call it after the server's
// Shutdown.
func (m *Middleware) Close(ctx context.Context) error { return m.sessions.Close(ctx) }

// errNoSession is what a handler meets that was not wrapped.
var errNoSession = errors.New("middleware: no session: the handler is not wrapped")

// From returns the request's session. It never fails and never returns nil: in a
// handler that was not wrapped, every method of what it returns has an error
// that says so.
func From(r *http.Request) *session.Session { return FromContext(r.Context()) }

// FromContext is From for code that has only the request's context.
func FromContext(ctx context.Context) *session.Session {
	if x, _ := ctx.Value(contextKey{}).(*exchange); x != nil {
		return &x.session
	}
	return session.Unusable(errNoSession)
}

type contextKey struct{}

// An exchange is one request in one allocation: its session, its context and
// its response.
type exchange struct {
	m       *Middleware
	session session.Session
	path    *cookieless.State // nil: the id travels in the cookie
	request *http.Request     // as the handler has it
	context requestContext
	response
}

func (m *Middleware) serve(w http.ResponseWriter, r *http.Request, access session.Access, next http.Handler) {
	ctx := r.Context()
	if outer, _ := ctx.Value(contextKey{}).(*exchange); outer != nil && outer.m == m {
		next.ServeHTTP(w, r)
		return
	}
	v, ok := m.identify(w, r, access)
	if !ok {
		return
	}
	if v.access == session.Disabled && v.id != "" {
		// A page that needs no session must not fail for it.
		if err := m.sessions.Touch(ctx, v.id); err != nil {
			m.opt.OnError(dropped{}, v.r, err)
		}
	}
	x := &exchange{m: m, path: v.path}
	if err := m.sessions.Start(ctx, &x.session, m.opening(v)); err != nil {
		m.refuse(w, v, err)
		return
	}
	x.context.start(v.r.Context(), x)
	x.response.start(w, x)
	x.request = v.r.WithContext(&x.context)
	returned := false
	defer func() {
		// Also where the handler panics or ends its goroutine.
		if !returned {
			x.abandon()
		}
		x.context.stop()
	}()
	next.ServeHTTP(x, x.request)
	returned = true
	x.finish()
}

// onError is the default of Options.OnError.
func onError(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is left to answer
	}
	status := http.StatusInternalServerError
	for _, passing := range []error{
		session.ErrQueueFull, session.ErrLocked, session.ErrUnavailable, session.ErrClosed,
		context.DeadlineExceeded, // the store's time ran out, and the client is still there
	} {
		if errors.Is(err, passing) {
			status = http.StatusServiceUnavailable
		}
	}
	path := r.URL.Path
	if strings.IndexByte(path, '(') >= 0 {
		path = "(not shown)" // an id may be in it, where it is not read from too
	}
	switch {
	case errors.Is(err, ErrCompanion):
		status = http.StatusForbidden
	case errors.Is(err, cookieless.ErrPath):
		status, path = http.StatusBadRequest, "(refused)"
	case errors.Is(err, cookieless.ErrOutside):
		status, path = http.StatusNotFound, "(outside)"
	}
	slog.ErrorContext(r.Context(), "session state failed", "method", r.Method, "path", path, "error", err)
	http.Error(w, "The session could not be loaded or saved. Please try again.", status)
}
