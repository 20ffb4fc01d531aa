package middleware

import (
	"context"
	"sync"
	"time"

	"github.com/aspsession/aspsession/session"
)

// requestContext is the handler's context: the request's, with the session in
// it, cancelled when the lock's lease ends. It costs nothing until somebody
// waits for it.
type requestContext struct {
	context.Context // the request's
	x               *exchange

	mu      sync.Mutex // guards the rest
	stopped bool       // the request has ended
	inner   context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
}

func (c *requestContext) start(ctx context.Context, x *exchange) { c.Context, c.x = ctx, x }

// Value implements context.Context.
func (c *requestContext) Value(key any) any {
	if _, ok := key.(contextKey); ok {
		return c.x
	}
	if c.x.m.opt.OutliveLease {
		return c.Context.Value(key)
	}
	c.mu.Lock()
	inner := c.inner
	c.mu.Unlock()
	if inner != nil {
		return inner.Value(key) // where context.Cause looks
	}
	return c.Context.Value(key)
}

// Done implements context.Context.
func (c *requestContext) Done() <-chan struct{} {
	if c.x.m.opt.OutliveLease {
		return c.Context.Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch()
	return c.inner.Done()
}

// Err implements context.Context.
func (c *requestContext) Err() error {
	if c.x.m.opt.OutliveLease {
		return c.Context.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		if err := c.Context.Err(); err != nil || c.left() > 0 {
			return err
		}
		c.watch()
	}
	return c.inner.Err()
}

// left is how long the lease lasts yet; a session that holds no lock now may
// take one at any moment.
func (c *requestContext) left() time.Duration {
	end, held := c.x.m.sessions.Lease(&c.x.session)
	if c.stopped || !held {
		return c.x.m.sessions.ExecutionTimeout()
	}
	return time.Until(end)
}

// watch needs mu held.
func (c *requestContext) watch() {
	if c.inner != nil {
		return
	}
	c.inner, c.cancel = context.WithCancelCause(c.Context)
	if c.stopped {
		c.cancel(nil)
		return
	}
	left := c.left()
	if left <= 0 {
		c.cancel(session.ErrLockLost)
		return
	}
	c.timer = time.AfterFunc(left, c.check)
}

// check runs when the lease has ended, unless it was prolonged or the lock taken
// later.
func (c *requestContext) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	if left := c.left(); left > 0 {
		c.timer.Reset(left)
		return
	}
	c.cancel(session.ErrLockLost)
}

// stop ends the watch with the request.
func (c *requestContext) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.inner != nil {
		c.cancel(nil)
	}
	if c.timer != nil {
		c.timer.Stop()
	}
}
