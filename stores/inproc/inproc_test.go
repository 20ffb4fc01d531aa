package inproc_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
	"github.com/aspsession/aspsession/stores/storetest"
)

// A clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func open(t *testing.T, opt inproc.Options) (*inproc.Store, *clock) {
	c := newClock()
	opt.Now = c.Now
	s := inproc.New(opt)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, c
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		s, c := open(t, inproc.Options{})
		return storetest.Harness{Store: s, Advance: c.Advance}
	})
}

// The life cycle treats a local store differently: the suite once more as if it
// were a remote one, without its optional interfaces.
func TestStoreAsIfRemote(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		s, c := open(t, inproc.Options{})
		return storetest.Harness{Store: remote{s}, Second: s, Advance: c.Advance}
	})
}

// remote hides what only a local store can do, and is slow enough for requests
// to be cancelled on the way.
type remote struct{ session.Store }

func (r remote) Capabilities() session.Capabilities {
	c := r.Store.Capabilities()
	c.Local = false
	return c
}

func (r remote) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	rec, err := r.Store.Acquire(ctx, id, lease)
	time.Sleep(200 * time.Microsecond)
	return rec, err
}

func frame(t *testing.T, minutes int32, items ...any) []byte {
	p := payload.New(minutes, payload.Limits{})
	for i := 0; i < len(items); i += 2 {
		require.NoError(t, p.Items().Set(items[i].(string), items[i+1]))
	}
	data, err := p.Append(nil)
	require.NoError(t, err)
	return data
}

func TestOnEndIsToldOnce(t *testing.T) {
	type end struct {
		id     string
		reason session.EndReason
		n      int
	}
	var mu sync.Mutex
	var ends []end
	s, c := open(t, inproc.Options{SweepInterval: -1})
	stop := s.NotifyEnd(func(id string, reason session.EndReason, p *payload.Payload) {
		n, err := payload.Value[int](p.Items(), "n")
		if err != nil {
			n = -1
		}
		mu.Lock()
		defer mu.Unlock()
		ends = append(ends, end{id, reason, n})
	})
	ctx := context.Background()
	require.NoError(t, s.Load("swept", frame(t, 1, "n", 1)))
	require.NoError(t, s.Load("met", frame(t, 1, "n", 2)))
	require.NoError(t, s.Load("replaced", frame(t, 1, "n", 3)))
	require.NoError(t, s.Load("removed", frame(t, 9, "n", 4)))
	require.NoError(t, s.Load("alive", frame(t, 9, "n", 5)))
	require.NoError(t, s.Remove(ctx, "removed", session.Lock{}))
	require.Empty(t, s.Sweep())
	c.Advance(time.Minute)
	_, err := s.Get(ctx, "met")
	require.ErrorIs(t, err, session.ErrNotFound)
	p := payload.New(5, payload.Limits{})
	require.NoError(t, s.Save(ctx, "replaced", session.Lock{}, p))
	require.Equal(t, 1, s.Sweep())
	require.Zero(t, s.Sweep())
	require.Equal(t, []end{{"removed", session.Removed, 4}, {"met", session.Expired, 2}, {"replaced", session.Expired, 3}, {"swept", session.Expired, 1}}, ends)
	stop()
	require.NoError(t, s.Remove(ctx, "alive", session.Lock{}))
	require.Len(t, ends, 4, "who has stopped is told no more")
	require.Equal(t, "expired removed", session.Expired.String()+" "+session.Removed.String())
}

func TestSweeperStopsWithClose(t *testing.T) {
	before := runtime.NumGoroutine()
	ended := make(chan string, 1)
	c := newClock()
	s := inproc.New(inproc.Options{Now: c.Now, SweepInterval: time.Millisecond})
	s.NotifyEnd(func(id string, _ session.EndReason, _ *payload.Payload) { ended <- id })
	require.NoError(t, s.Load("a", frame(t, 1)))
	c.Advance(2 * time.Minute)
	require.Equal(t, "a", <-ended, "an expired session ends without anybody asking for it")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestBytesAreRefusedOrKept(t *testing.T) {
	s, _ := open(t, inproc.Options{})
	err := s.Load("x", []byte("not a session"))
	require.ErrorIs(t, err, session.ErrBadData)
	require.ErrorContains(t, err, "offset")
	_, ok := s.Bytes("x")
	require.False(t, ok)
	data := frame(t, 20, "big", strings.Repeat("b", 100))
	require.NoError(t, s.Load("x", data))
	got, ok := s.Bytes("x")
	require.True(t, ok)
	require.Equal(t, data, got)
}

// What cannot be read keeps no lock, and nothing replaces it.
func TestBadDataKeepsNoLock(t *testing.T) {
	s, _ := open(t, inproc.Options{})
	ctx := context.Background()
	data := frame(t, 20, "a", 1)
	require.NoError(t, s.Load("id", data))
	data[6] = 0xff // as only broken memory would
	for range 2 {
		_, err := s.Acquire(ctx, "id", time.Minute)
		require.ErrorIs(t, err, session.ErrBadData)
		require.ErrorIs(t, err, payload.ErrCorrupt)
	}
	got, _ := s.Bytes("id")
	require.Equal(t, data, got)
}

// A session over the limits could not be read again: it is not stored.
func TestOverTheLimitIsNotSaved(t *testing.T) {
	s, _ := open(t, inproc.Options{Limits: payload.Limits{Items: 1}})
	ctx := context.Background()
	require.NoError(t, s.Load("id", frame(t, 20, "a", 1)))
	rec, err := s.Acquire(ctx, "id", time.Minute)
	require.NoError(t, err)
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("a", 1))
	require.NoError(t, p.Items().Set("b", 1))
	err = s.Save(ctx, "id", rec.Lock, p)
	require.ErrorIs(t, err, session.ErrUnsupported)
	require.ErrorIs(t, err, payload.ErrLimit)
	require.NoError(t, s.Release(ctx, "id", rec.Lock))
	_, err = s.Get(ctx, "id")
	require.NoError(t, err)
}
