package session_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func TestFilterHidesAndCarries(t *testing.T) {
	store := newCounting(t)
	put(t, store.Store, "n", 1, "Secret", "s", "list", []string{"a"})
	m := manager(t, store, session.Options{Filter: func(name, typeName string) bool {
		return name != "Secret" && typeName != "System.String[]"
	}})
	s, err := m.Open(context.Background(), anID, session.ReadWrite)
	require.NoError(t, err)
	for _, key := range []string{"secret", "list"} {
		v, err := s.Get(key)
		require.NoError(t, err)
		require.Nil(t, v)
		has, err := s.Has(key)
		require.NoError(t, err)
		require.False(t, has)
		name, err := s.Type(key)
		require.NoError(t, err)
		require.Empty(t, name)
		require.ErrorIs(t, s.Set(key, "x"), session.ErrHidden)
		require.ErrorIs(t, s.Remove(key), session.ErrHidden)
		text, err := session.Value[string](s, key)
		require.NoError(t, err)
		require.Empty(t, text)
	}
	keys, err := s.Keys()
	require.NoError(t, err)
	require.Equal(t, []string{"n"}, keys)
	count, err := s.Len()
	require.NoError(t, err)
	require.Equal(t, 1, count)
	require.NoError(t, s.Clear())
	require.NoError(t, s.Set("n", 7))
	require.NoError(t, m.Finish(s))
	require.Equal(t, "n=7 of 3", state(t, store.Store, anID), "what is hidden was carried")
}

func TestPartition(t *testing.T) {
	a, b := newCounting(t), newCounting(t)
	m, err := session.NewManager(nil, session.Options{Partition: func(id string) session.Store {
		if id[0] < 'n' {
			return a
		}
		return struct{ session.Store }{b}
	}})
	require.NoError(t, err)
	for range 40 {
		s, err := m.Open(context.Background(), "", session.ReadWrite)
		require.NoError(t, err)
		require.NoError(t, s.Set("n", 1))
		require.NoError(t, s.Regenerate())
		require.NoError(t, s.Save())
		require.NoError(t, s.Regenerate(), "from one store to another, too")
		require.NoError(t, s.Set("n", 2))
		require.NoError(t, m.Finish(s))
		here, there := a, b
		if s.ID()[0] >= 'n' {
			here, there = b, a
		}
		require.Equal(t, "n=2 of 1", state(t, here.Store, s.ID()))
		require.Equal(t, "none", state(t, there.Store, s.ID()))
	}
}

func TestSessionEnd(t *testing.T) {
	store := newCounting(t)
	var ended []string
	m := manager(t, store, session.Options{SessionEnd: func(id string, reason session.EndReason, p *payload.Payload) {
		n, err := payload.Value[int](p.Items(), "n")
		require.NoError(t, err)
		ended = append(ended, fmt.Sprintf("%s %v %d", id, reason, n))
	}})
	put(t, store.Store, "n", 6)
	s, err := m.Open(context.Background(), anID, session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Abandon())
	require.NoError(t, m.Finish(s))
	require.Equal(t, []string{anID + " removed 6"}, ended)
	require.NoError(t, m.Close(context.Background()))
	put(t, store.Store, "n", 7)
	require.NoError(t, store.Store.Remove(context.Background(), anID, session.Lock{}))
	require.Len(t, ended, 1, "a closed manager is told no more")

	_, err = session.NewManager(struct{ session.Store }{store}, session.Options{SessionEnd: func(string, session.EndReason, *payload.Payload) {}})
	require.ErrorIs(t, err, session.ErrUnsupported)
}

// measured keeps what Metrics is told.
type measured struct{ all []session.Measures }

func (m *measured) Session(_ context.Context, x session.Measures) { m.all = append(m.all, x) }

func (m *measured) last() session.Measures { return m.all[len(m.all)-1] }

func TestMetrics(t *testing.T) {
	ctx := context.Background()
	store := newCounting(t)
	put(t, store.Store, "n", 1)
	var got measured
	m := manager(t, store, session.Options{Metrics: &got, WaitTimeout: time.Millisecond})
	s, err := m.Open(ctx, anID, session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("n", 2))
	require.NoError(t, m.Finish(s))
	x := got.last()
	require.True(t, x.Used && !x.New && x.Err == nil && x.Broken == 0)
	require.Positive(t, x.Load)
	require.Positive(t, x.Hold)
	require.Positive(t, x.Save)
	require.Positive(t, x.Loaded)
	require.Equal(t, x.Loaded, x.Saved)

	require.NoError(t, m.Finish(start(t, m, session.Opening{ID: anID, Access: session.Lazy})))
	require.Equal(t, session.Measures{Access: session.Lazy}, got.last())

	// Waiting in vain, and a save that comes too late.
	lock, err := store.Store.Acquire(ctx, anID, time.Minute)
	require.NoError(t, err)
	_, err = m.Open(ctx, anID, session.ReadWrite)
	require.ErrorIs(t, err, session.ErrLocked)
	require.ErrorIs(t, got.last().Err, session.ErrLocked)
	require.NoError(t, store.Store.Release(ctx, anID, lock.Lock))
	s, err = m.Open(ctx, anID, session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("n", 3))
	store.fail["Save"] = session.ErrLockLost
	require.ErrorIs(t, m.Finish(s), session.ErrLockLost)
	require.ErrorIs(t, got.last().Err, session.ErrLockLost)
	require.Len(t, got.all, 4)
}

func TestClearOnRelease(t *testing.T) {
	for _, clear := range []bool{false, true} {
		store := newCounting(t)
		put(t, store.Store, "n", 1)
		m := manager(t, store, session.Options{ClearOnRelease: clear})
		s, err := m.Open(context.Background(), anID, session.ReadWrite)
		require.NoError(t, err)
		require.NoError(t, s.Release())
		require.ErrorIs(t, second(s.Get("n")), session.ErrReleased)
		require.ErrorIs(t, second(s.Timeout()), session.ErrReleased)
		require.ErrorIs(t, s.Release(), session.ErrReleased)
		require.NoError(t, m.Finish(s))
	}
}

// renewing is a store whose locks can be made to last.
type renewing struct {
	session.Store
	asked []time.Duration
	err   error
}

func (r *renewing) Renew(_ context.Context, _ string, lock session.Lock, lease time.Duration) error {
	r.asked = append(r.asked, lease)
	return r.err
}

func TestExtend(t *testing.T) {
	store := newCounting(t)
	put(t, store.Store, "n", 1)
	s, err := manager(t, store, session.Options{}).Open(context.Background(), anID, session.ReadWrite)
	require.NoError(t, err)
	require.ErrorIs(t, s.Extend(time.Minute), session.ErrUnsupported)
	require.NoError(t, s.Release())

	r := &renewing{Store: store}
	m := manager(t, r, session.Options{})
	s, err = m.Open(context.Background(), anID, session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Extend(time.Hour))
	require.Equal(t, []time.Duration{time.Hour}, r.asked)
	end, held := m.Lease(s)
	require.True(t, held)
	require.WithinDuration(t, time.Now().Add(time.Hour), end, time.Minute)
	r.err = session.ErrLockLost
	require.ErrorIs(t, s.Extend(time.Hour), session.ErrLockLost)
	require.NoError(t, m.Finish(s))
	_, held = m.Lease(s)
	require.False(t, held)
}

func TestCreateMakesAnUninitializedSession(t *testing.T) {
	store := newCounting(t)
	m := manager(t, store, session.Options{})
	id, err := m.Create(context.Background())
	require.NoError(t, err)
	s := start(t, m, session.Opening{ID: id, Known: true})
	require.True(t, s.IsNew(), "Session_Start runs for it")
	require.NoError(t, m.Finish(s))
	require.ErrorIs(t, m.Start(context.Background(), new(session.Session), session.Opening{ID: anID, Known: true}), session.ErrNotFound)
	require.Equal(t, "none", state(t, store.Store, anID))
	require.NoError(t, m.Close(context.Background()))
	_, err = m.Create(context.Background())
	require.ErrorIs(t, err, session.ErrClosed)
	require.ErrorIs(t, m.Touch(context.Background(), anID), session.ErrClosed)
}
