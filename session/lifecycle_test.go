package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// A counting store says which calls were made.
type counting struct {
	*inproc.Store
	calls []string
	fail  map[string]error
}

func newCounting(t *testing.T) *counting {
	return &counting{Store: newStore(t), fail: map[string]error{}}
}

func (c *counting) note(call string) error {
	c.calls = append(c.calls, call)
	return c.fail[call]
}

func (c *counting) took() []string {
	calls := c.calls
	c.calls = nil
	return calls
}

func (c *counting) Get(ctx context.Context, id string) (session.Record, error) {
	if err := c.note("Get"); err != nil {
		return session.Record{}, err
	}
	return c.Store.Get(ctx, id)
}

func (c *counting) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	if err := c.note("Acquire"); err != nil {
		return session.Record{}, err
	}
	return c.Store.Acquire(ctx, id, lease)
}

func (c *counting) Create(ctx context.Context, id string, timeout time.Duration) error {
	if err := c.note("Create"); err != nil {
		return err
	}
	return c.Store.Create(ctx, id, timeout)
}

func (c *counting) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	if err := c.note("Save"); err != nil {
		return err
	}
	return c.Store.Save(ctx, id, lock, p)
}

func (c *counting) Checkpoint(ctx context.Context, id string, lock session.Lock, lease time.Duration, p *payload.Payload) (session.Lock, error) {
	if err := c.note("Checkpoint"); err != nil {
		return session.Lock{}, err
	}
	return c.Store.Checkpoint(ctx, id, lock, lease, p)
}

func (c *counting) Release(ctx context.Context, id string, lock session.Lock) error {
	if err := c.note("Release"); err != nil {
		return err
	}
	return c.Store.Release(ctx, id, lock)
}

func (c *counting) Remove(ctx context.Context, id string, lock session.Lock) error {
	if err := c.note("Remove"); err != nil {
		return err
	}
	return c.Store.Remove(ctx, id, lock)
}

func (c *counting) Touch(ctx context.Context, id string) error {
	if err := c.note("Touch"); err != nil {
		return err
	}
	return c.Store.Touch(ctx, id)
}

// state is what the store has under an id: n's value, and whether it is locked.
func state(t *testing.T, s *inproc.Store, id string) string {
	t.Helper()
	out := "none"
	require.NoError(t, s.List(context.Background(), func(i session.Info) bool {
		if i.ID != id {
			return true
		}
		data, ok := s.Bytes(id)
		require.True(t, ok)
		p, err := payload.Open(data, payload.Limits{})
		require.NoError(t, err)
		n, err := payload.Value[int](p.Items(), "n")
		require.NoError(t, err)
		out = fmt.Sprintf("n=%d of %d", n, p.Items().Len())
		if !i.Lock.IsZero() {
			out += " locked"
		}
		return false
	}))
	return out
}

func start(t *testing.T, m *session.Manager, o session.Opening) *session.Session {
	t.Helper()
	s := new(session.Session)
	require.NoError(t, m.Start(context.Background(), s, o))
	return s
}

func TestLazyCostsNothingUntilItIsUsed(t *testing.T) {
	store := newCounting(t)
	put(t, store.Store, "n", 1)
	m := manager(t, store, session.Options{})
	lazy := session.Opening{ID: anID, Access: session.Lazy}

	s := start(t, m, lazy)
	require.Empty(t, store.took())
	require.False(t, s.ReadOnly())
	require.NoError(t, m.Finish(s))
	require.Equal(t, []string{"Touch"}, store.took(), "an unused one is renewed")
	require.NoError(t, m.Finish(start(t, m, lazy)))
	require.Empty(t, store.took(), "but not each time")

	s = start(t, m, lazy)
	require.NoError(t, s.Set("n", 2))
	require.Equal(t, []string{"Acquire"}, store.took())
	require.Equal(t, "n=1 of 1 locked", state(t, store.Store, anID))
	require.NoError(t, m.Finish(s))
	require.Equal(t, []string{"Save"}, store.took())
	require.Equal(t, "n=2 of 1", state(t, store.Store, anID))

	for name, use := range map[string]func(*session.Session) error{
		"IsNew":      func(s *session.Session) error { require.False(t, s.IsNew()); return nil },
		"Has":        func(s *session.Session) error { return second(s.Has("n")) },
		"Keys":       func(s *session.Session) error { return second(s.Keys()) },
		"Len":        func(s *session.Session) error { return second(s.Len()) },
		"Type":       func(s *session.Session) error { return second(s.Type("n")) },
		"Timeout":    func(s *session.Session) error { return second(s.Timeout()) },
		"Value":      func(s *session.Session) error { return second(session.Value[int](s, "n")) },
		"Regenerate": func(s *session.Session) error { return s.Regenerate() },
	} {
		store.Remove(context.Background(), anID, session.Lock{})
		put(t, store.Store, "n", 1)
		store.took()
		s = start(t, m, lazy)
		require.NoError(t, use(s), name)
		require.Equal(t, "Acquire", store.took()[0], name)
		require.NoError(t, m.Discard(s))
	}

	// A new visitor's costs nothing either, and can be used as any.
	s = start(t, m, session.Opening{Access: session.Lazy})
	store.took()
	require.NoError(t, m.Finish(s))
	require.Empty(t, store.took())
	s = start(t, m, session.Opening{Access: session.Lazy})
	require.NoError(t, s.Set("n", 3))
	require.NoError(t, m.Finish(s))
	require.Equal(t, []string{"Save"}, store.took())
	require.Equal(t, session.NewID, m.Announce(s))
	require.Equal(t, "n=3 of 1", state(t, store.Store, s.ID()))
}

func TestLazyThatCannotBeLoaded(t *testing.T) {
	store := newCounting(t)
	put(t, store.Store, "n", 1)
	store.fail["Acquire"] = session.ErrUnavailable
	m := manager(t, store, session.Options{})
	s := start(t, m, session.Opening{ID: anID, Access: session.Lazy})
	require.ErrorIs(t, s.Set("n", 2), session.ErrUnavailable)
	require.ErrorIs(t, second(s.Get("n")), session.ErrUnavailable)
	require.Equal(t, []string{"Acquire"}, store.took(), "it is asked once a request")
	require.False(t, s.IsNew())
	require.NoError(t, m.Finish(s), "the handler was told")
	require.Equal(t, "n=1 of 1", state(t, store.Store, anID))

	// Its touch is no reason to fail a page, but said.
	store.fail["Touch"] = session.ErrUnavailable
	for range 2 { // and tried again
		err := m.Finish(start(t, m, session.Opening{ID: anID, Access: session.Lazy}))
		require.ErrorIs(t, err, session.ErrNotRenewed)
		require.ErrorIs(t, err, session.ErrUnavailable)
	}
}

func TestStrictIDs(t *testing.T) {
	for _, access := range []session.Access{session.ReadWrite, session.ReadOnly, session.Lazy} {
		store := newCounting(t)
		m := manager(t, store, session.Options{StrictIDs: true})
		s := start(t, m, session.Opening{ID: anID, Access: access})
		require.True(t, s.IsNew())
		require.NotEqual(t, anID, s.ID(), "%v: a planted id is not used", access)
		if access != session.ReadOnly {
			require.NoError(t, s.Set("n", 1))
		}
		require.NoError(t, m.Finish(s))
		require.Equal(t, "none", state(t, store.Store, anID))
		if access != session.ReadOnly {
			require.Equal(t, session.NewID, m.Announce(s))
			require.Equal(t, "n=1 of 1", state(t, store.Store, s.ID()))
		}
		// One that the store knows is kept.
		put(t, store.Store, "n", 5)
		s = start(t, m, session.Opening{ID: anID, Access: access})
		n, err := session.Value[int](s, "n")
		require.NoError(t, err)
		require.Equal(t, 5, n)
		require.Equal(t, anID, s.ID())
		require.NoError(t, m.Finish(s))
	}
}

func TestRegenerate(t *testing.T) {
	for _, kind := range []string{"checkpoints", "does not checkpoint"} {
		counted := newCounting(t)
		var store session.Store = counted
		if kind != "checkpoints" {
			store = struct{ session.Store }{counted}
		}
		put(t, counted.Store, "n", 1)
		m := manager(t, store, session.Options{})
		s, err := m.Open(context.Background(), anID, session.ReadWrite)
		require.NoError(t, err)
		require.NoError(t, s.Set("n", 2))
		require.NoError(t, s.Regenerate(), kind)
		id := s.ID()
		require.NotEqual(t, anID, id)
		require.Equal(t, "none", state(t, counted.Store, anID), "the old id is worth nothing")
		require.Equal(t, "n=2 of 1 locked", state(t, counted.Store, id), "the new one is locked at once")
		require.Equal(t, session.NewID, m.Announce(s))
		require.NoError(t, s.Set("n", 3))
		require.NoError(t, m.Finish(s))
		require.Equal(t, "n=3 of 1", state(t, counted.Store, id))

		// Of one that is not stored it is just another id.
		counted.took()
		s, err = m.Open(context.Background(), "", session.ReadWrite)
		require.NoError(t, err)
		before := s.ID()
		require.NoError(t, s.Regenerate())
		require.NotEqual(t, before, s.ID())
		require.NoError(t, m.Finish(s))
		require.Empty(t, counted.took())

		// Too late, or not allowed.
		put(t, counted.Store, "n", 1)
		s, err = m.Open(context.Background(), anID, session.ReadWrite)
		require.NoError(t, err)
		require.NoError(t, m.Seal(s))
		require.ErrorIs(t, s.Regenerate(), session.ErrHeadersSent)
		require.NoError(t, m.Finish(s))
		require.ErrorIs(t, s.Regenerate(), session.ErrReleased)
		s, err = m.Open(context.Background(), anID, session.ReadOnly)
		require.NoError(t, err)
		require.ErrorIs(t, s.Regenerate(), session.ErrReadOnly)
		require.NoError(t, m.Finish(s))
		require.Equal(t, "n=1 of 1", state(t, counted.Store, anID))
	}
}

func TestRegenerateThatFailsLeavesOneSession(t *testing.T) {
	broken := errors.New("no answer")
	for _, row := range []struct {
		failing string
		err     error
		old     string // what is left under the old id once the request has ended
	}{
		{"Checkpoint", broken, "n=1 of 1"},
		{"Remove", broken, "n=1 of 1"},
	} {
		store := newCounting(t)
		put(t, store.Store, "n", 1)
		m := manager(t, store, session.Options{})
		var asked []string
		s := start(t, m, session.Opening{ID: anID, OnID: func(id string) error { asked = append(asked, id); return nil }})
		store.fail[row.failing] = row.err
		require.ErrorIs(t, s.Regenerate(), row.err)
		delete(store.fail, row.failing)
		require.Len(t, asked, 2)
		require.Equal(t, anID, asked[1], "whoever writes links is told of the old id again")
		require.Equal(t, anID, s.ID())
		require.NoError(t, m.Finish(s))
		require.Equal(t, row.old, state(t, store.Store, anID), row.failing)
	}
	// Another took the old one meanwhile: the copy must not live on.
	store := newCounting(t)
	put(t, store.Store, "n", 1)
	m := manager(t, store, session.Options{})
	s, err := m.Open(context.Background(), anID, session.ReadWrite)
	require.NoError(t, err)
	var holder session.Lock
	require.NoError(t, store.List(context.Background(), func(i session.Info) bool { holder = i.Lock; return false }))
	require.NoError(t, store.Store.Release(context.Background(), anID, holder))
	_, err = store.Store.Acquire(context.Background(), anID, time.Minute)
	require.NoError(t, err)
	require.ErrorIs(t, s.Regenerate(), session.ErrLockLost)
	require.ErrorIs(t, s.Set("n", 2), session.ErrLockLost)
	require.NoError(t, m.Finish(s))
	n := 0
	require.NoError(t, store.List(context.Background(), func(session.Info) bool { n++; return true }))
	require.Equal(t, 1, n)
}
