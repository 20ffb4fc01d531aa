package stateserver_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

func pair(t *testing.T, server stateservice.Options, opt stateserver.Options) (*stateservice.Server, *stateserver.Store) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	opt.Addr, opt.Base = ln.Addr().String(), "/app/"
	srv := serveOn(t, ln, server)
	s, err := stateserver.New(opt)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return srv, s
}

// parked waits until so many requests are parked.
func parked(t *testing.T, s *stateservice.Server, n int64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); s.Metrics().ParkedNow != n; time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(end), "%d are parked, not %d", s.Metrics().ParkedNow, n)
	}
}

// What a 423 says about waiting, and what the store makes of it.
func TestWaited(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server stateservice.Options
		plain  bool
		want   bool
	}{
		{"parked", stateservice.Options{ParkTimeout: 5 * time.Millisecond}, false, true},
		{"parking is off", stateservice.Options{ParkTimeout: -1}, false, false},
		{"no room", stateservice.Options{ParkTimeout: time.Minute, ParkMax: 1}, false, false},
		{"the server does not know us", stateservice.Options{ParkTimeout: 5 * time.Millisecond}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, s := pair(t, tt.server, stateserver.Options{Plain: tt.plain})
			require.False(t, s.Capabilities().QueuesWaiters, "nobody has told")
			ctx, cancel := context.WithCancel(t.Context())
			require.NoError(t, s.Create(ctx, "a", time.Hour))
			_, err := s.Acquire(ctx, "a", time.Minute)
			require.NoError(t, err)
			require.Equal(t, !tt.plain, s.Capabilities().QueuesWaiters)
			first := make(chan error, 1)
			if tt.server.ParkMax > 0 {
				go func() { _, err := s.Get(ctx, "a"); first <- err }()
				parked(t, srv, 1)
			}
			var locked *session.LockedError
			_, err = s.Acquire(t.Context(), "a", time.Minute)
			require.ErrorAs(t, err, &locked)
			require.Equal(t, tt.want, locked.Waited)
			require.Equal(t, int64(2), locked.Holder.Number())
			_, err = s.Get(t.Context(), "a")
			require.ErrorAs(t, err, &locked)
			require.Equal(t, tt.want, locked.Waited)
			require.Equal(t, tt.want, s.Capabilities().QueuesWaiters)
			cancel()
			if tt.server.ParkMax > 0 {
				require.ErrorIs(t, <-first, context.Canceled)
			}
		})
	}
}

// A waiter gets the lock when the holder is done, with what he has stored, and
// not at the end of its patience.
func TestWaiterGetsTheLock(t *testing.T) {
	srv, s := pair(t, stateservice.Options{ParkTimeout: time.Minute}, stateserver.Options{Strict: true, NetworkTimeout: time.Minute})
	ctx := t.Context()
	require.NoError(t, s.Create(ctx, "a", time.Hour))
	rec, err := s.Acquire(ctx, "a", time.Minute)
	require.NoError(t, err)
	require.NoError(t, rec.Payload.Items().Set("n", 1))
	next := make(chan session.Record, 1)
	go func() {
		rec, err := s.Acquire(ctx, "a", time.Minute)
		if err != nil {
			t.Error(err)
		}
		next <- rec
	}()
	parked(t, srv, 1)
	require.NoError(t, s.Save(ctx, "a", rec.Lock, rec.Payload))
	got := <-next
	v, _, err := got.Payload.Items().Get("n")
	require.NoError(t, err)
	require.EqualValues(t, 1, v)
	require.NoError(t, s.Release(ctx, "a", got.Lock))
}

// Who stops waiting takes no lock.
func TestCancelledWaiter(t *testing.T) {
	srv, s := pair(t, stateservice.Options{ParkTimeout: time.Minute}, stateserver.Options{})
	require.NoError(t, s.Create(t.Context(), "a", time.Hour))
	rec, err := s.Acquire(t.Context(), "a", time.Minute)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { _, err := s.Acquire(ctx, "a", time.Minute); gone <- err }()
	parked(t, srv, 1)
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	parked(t, srv, 0)
	require.NoError(t, s.Release(t.Context(), "a", rec.Lock))
	rec, err = s.Acquire(t.Context(), "a", time.Minute)
	require.NoError(t, err, "nobody has it")
	require.NoError(t, s.Release(t.Context(), "a", rec.Lock))
}
