package sqlserver_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// Connections die and deadlocks strike anywhere while requests count: whatever was
// said to be saved is, nothing is saved that was said not to be, and what stays
// locked is what a lost reply left, until its age breaks it.
func TestChaos(t *testing.T) {
	for name, layout := range map[string]sqlserver.Layout{"classic": sqlserver.Classic, "async": sqlserver.Async} {
		t.Run(name, func(t *testing.T) {
			srv := run(t, layout)
			key, get, save := classicKey, "TempGetStateItemExclusive3", "TempUpdateStateItemShortNullLong"
			if layout == sqlserver.Async {
				key, get, save = asyncKey, "GetStateItemExclusive", "UpdateStateItem"
			}
			id := newID(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var saved, unsure atomic.Int64
			var wg sync.WaitGroup
			for range 3 {
				m, err := session.NewManager(open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: layout}), session.Options{})
				require.NoError(t, err)
				wg.Go(func() {
					for range 10 {
						switch err := increment(ctx, m, id); {
						case err == nil:
							saved.Add(1)
						case errors.Is(err, session.ErrUnavailable):
							unsure.Add(1)
						case errors.Is(err, session.ErrLockLost): // broken by its age: not stored
						default:
							t.Errorf("unexpected error: %v", err)
						}
					}
					_ = m.Close(ctx)
				})
			}
			done := make(chan struct{})
			go func() { wg.Wait(); close(done) }()
			points := []sqlservertest.DropPoint{sqlservertest.BeforeEffect, sqlservertest.AfterEffect, sqlservertest.MidReply}
			for i, running := 0, true; running; i++ {
				if i%4 == 0 && i < 48 {
					switch rand.N(8) {
					case 0:
						srv.DropConnections()
					case 1, 2:
						srv.DropNext(save, points[rand.N(3)])
					case 3:
						srv.DropNext(get, points[rand.N(3)])
					default:
						srv.FailNext(1205, 1, []string{get, save}[rand.N(2)])
					}
				}
				// A lock that a lost reply left is old soon, so that the test is not.
				if row, ok := srv.Get(key(id)); ok && row.Locked && rand.N(4) == 0 {
					srv.Advance(30 * time.Second)
				}
				select {
				case <-done:
					running = false
				case <-time.After(3 * time.Millisecond):
				}
			}
			srv.Advance(2 * time.Minute)
			s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: layout, RetryFor: time.Minute})
			m, err := session.NewManager(s, session.Options{})
			require.NoError(t, err)
			live, err := m.Open(ctx, id, session.ReadOnly)
			require.NoError(t, err, "what is locked is broken by its age")
			n, err := session.Value[int](live, "n")
			require.NoError(t, err)
			require.NoError(t, m.Finish(live))
			require.LessOrEqual(t, int(saved.Load()), n)
			require.LessOrEqual(t, n, int(saved.Load()+unsure.Load()))
			require.Positive(t, saved.Load())
		})
	}
}

func increment(ctx context.Context, m *session.Manager, id string) error {
	s, err := m.Open(ctx, id, session.ReadWrite)
	if err != nil {
		return err
	}
	n, err := session.Value[int](s, "n")
	if err == nil {
		err = s.Set("n", n+1)
	}
	return errors.Join(err, m.Finish(s))
}
