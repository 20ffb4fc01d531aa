package middleware_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// renewer is a store whose locks end by themselves, as far as Extend can tell.
type renewer struct{ *inproc.Store }

func (renewer) Renew(context.Context, string, session.Lock, time.Duration) error { return nil }

const leaseTime = 400 * time.Millisecond

func ended(t *testing.T, ctx context.Context) {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(waiting):
		t.Error("the context goes on")
	}
}

// goesOn gives a context time to end that must not.
func goesOn(t *testing.T, ctx context.Context) {
	t.Helper()
	select {
	case <-ctx.Done():
		t.Errorf("the context has ended: %v", context.Cause(ctx))
	case <-time.After(2 * leaseTime):
	}
	require.NoError(t, ctx.Err())
	require.NoError(t, context.Cause(ctx))
}

// The handler's context ends with the lease of its lock, whichever way it looks.
func TestTheLeaseEndsTheHandlersContext(t *testing.T) {
	lost := func(t *testing.T, ctx context.Context) {
		t.Helper()
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		require.ErrorIs(t, context.Cause(ctx), session.ErrLockLost)
	}
	for _, row := range []struct {
		name   string
		access session.Access
		opt    middleware.Options
		run    func(t *testing.T, ctx context.Context, s *session.Session)
	}{
		{"who waits for Done", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			ended(t, ctx)
			lost(t, ctx)
		}},
		{"who polls Err", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			require.NoError(t, ctx.Err())
			for start := time.Now(); ctx.Err() == nil && time.Since(start) < waiting; {
				time.Sleep(pause)
			}
			lost(t, ctx)
			ended(t, ctx)
		}},
		{"who looks late", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			time.Sleep(2 * leaseTime)
			ended(t, ctx)
			lost(t, ctx)
		}},
		{"who asks for the cause alone", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			require.NoError(t, context.Cause(ctx))
			time.Sleep(2 * leaseTime)
			require.ErrorIs(t, context.Cause(ctx), session.ErrLockLost)
		}},
		{"children", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			child, cancel := context.WithTimeout(ctx, waiting)
			defer cancel()
			called := make(chan bool)
			context.AfterFunc(ctx, func() { close(called) })
			value := context.WithValue(ctx, leaseTime, 1)
			ended(t, child)
			ended(t, value)
			lost(t, child)
			lost(t, value)
			<-called
			require.NoError(t, context.WithoutCancel(ctx).Err())
		}},
		{"a Lazy one that is used late", session.Lazy, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			done := ctx.Done()
			goesOn(t, ctx)
			start := time.Now()
			_, err := s.Get("n")
			require.NoError(t, err)
			select {
			case <-done:
			case <-time.After(waiting):
				t.Error("the context goes on")
			}
			require.GreaterOrEqual(t, time.Since(start), leaseTime)
			lost(t, ctx)
		}},
		{"not a Lazy one that is not used", session.Lazy, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) { goesOn(t, ctx) }},
		{"not a reader", session.ReadOnly, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) { goesOn(t, ctx) }},
		{"not without a session", session.Disabled, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) { goesOn(t, ctx) }},
		{"not after Release", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			child, cancel := context.WithCancel(ctx) // somebody watches already
			defer cancel()
			require.NoError(t, s.Release())
			goesOn(t, ctx)
			require.NoError(t, child.Err())
		}},
		{"not with OutliveLease", session.ReadWrite, middleware.Options{OutliveLease: true}, func(t *testing.T, ctx context.Context, s *session.Session) { goesOn(t, ctx) }},
		{"later with Extend", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			start := time.Now()
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			require.NoError(t, s.Extend(3*leaseTime))
			ended(t, child)
			require.GreaterOrEqual(t, time.Since(start), 3*leaseTime)
			lost(t, child)
		}},
		{"later after Save takes the lock again", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			require.NoError(t, s.Set("n", 2))
			require.NoError(t, s.Save())
			ended(t, ctx)
			lost(t, ctx)
		}},
		{"after Regenerate", session.ReadWrite, middleware.Options{}, func(t *testing.T, ctx context.Context, s *session.Session) {
			require.NoError(t, s.Regenerate())
			ended(t, ctx)
			lost(t, ctx)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			store.put(t, "n", 1)
			row.opt.Session.ExecutionTimeout = leaseTime
			row.opt.Access = func(*http.Request) session.Access { return row.access }
			m := newMiddleware(t, renewer{store.Store}, row.opt)
			var kept context.Context
			serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				kept = r.Context()
				row.run(t, r.Context(), middleware.From(r))
			})), request(anID))
			store.requireNoLocks(t)
			require.NotPanics(t, func() { _, _ = kept.Err(), kept.Done() }, "a goroutine that goes on after the handler may look")
			require.NoError(t, m.Close(t.Context()))
		})
	}
}

// The client's end has its own cause.
func TestTheClientsEndIsNotTheLeases(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	m := newMiddleware(t, store.Store, middleware.Options{})
	r := request(anID)
	ctx, cancel := context.WithCancelCause(r.Context())
	serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.Context().Err())
		cancel(errDisk)
		ended(t, r.Context())
		require.ErrorIs(t, context.Cause(r.Context()), errDisk)
		increment(w, r)
	})), r.WithContext(ctx))
	require.EqualValues(t, 2, store.item(t, "n"), "the handler ran to its end, and is saved")
}
