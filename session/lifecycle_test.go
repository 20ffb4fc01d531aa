package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

func TestOnStart(t *testing.T) {
	ctx := context.Background()
	for _, access := range []session.Access{session.ReadWrite, session.ReadOnly, session.Lazy} {
		for _, id := range []string{"", anID} {
			name := fmt.Sprintf("%v %q", access, id)
			store := newCounting(t)
			m := manager(t, store, session.Options{})
			ran := 0
			open := session.Opening{ID: id, Access: access, OnStart: func(s *session.Session) error {
				ran++
				require.True(t, s.IsNew())
				for _, end := range []func() error{s.Save, s.Release, s.Regenerate, s.Abandon} {
					require.Error(t, end(), "the hook cannot end the session")
				}
				return s.Set("n", 9)
			}}
			s := start(t, m, open)
			n, err := session.Value[int](s, "n")
			require.NoError(t, err, name)
			require.Equal(t, 9, n, "the handler sees what the hook set")
			require.True(t, s.IsNew())
			require.NoError(t, m.Finish(s))
			require.Equal(t, "n=9 of 1", state(t, store.Store, s.ID()), "%s: stored though the handler stored nothing", name)
			require.Equal(t, 1, ran)
			if id == "" {
				require.Equal(t, session.NewID, m.Announce(s))
			}
			// The second request is of no new session.
			open.ID = s.ID()
			s = start(t, m, open)
			require.False(t, s.IsNew())
			require.NoError(t, m.Finish(s))
			require.Equal(t, 1, ran)
		}
	}
	// One that stores nothing leaves a session all the same; one that fails, none.
	store := newCounting(t)
	m := manager(t, store, session.Options{})
	s := start(t, m, session.Opening{OnStart: func(*session.Session) error { return nil }})
	require.NoError(t, m.Finish(s))
	require.Equal(t, "n=0 of 0", state(t, store.Store, s.ID()))
	boom := errors.New("boom")
	for _, id := range []string{"", anID} {
		err := m.Start(ctx, new(session.Session), session.Opening{ID: id, OnStart: func(*session.Session) error { return boom }})
		require.ErrorIs(t, err, boom)
		require.Equal(t, "none", state(t, store.Store, anID), "the next request starts it anew")
	}
	// A hook that panics leaves no lock and no turn.
	for range 2 {
		require.PanicsWithValue(t, "hook", func() {
			_ = m.Start(ctx, new(session.Session), session.Opening{ID: anID, OnStart: func(*session.Session) error { panic("hook") }})
		})
		require.Equal(t, "none", state(t, store.Store, anID))
	}
	require.NoError(t, m.Close(ctx))
}

func TestBootstrap(t *testing.T) {
	ctx := context.Background()
	store := newCounting(t)
	var legacy func(id string) error
	m := manager(t, store, session.Options{Bootstrap: func(_ context.Context, id string) (string, error) { return id, legacy(id) }})
	legacy = func(id string) error { // Session_Start
		p := payload.New(45, payload.Limits{})
		require.NoError(t, p.Items().Set("n", 100))
		require.NoError(t, p.Items().Set("culture", "en-GB"))
		data, err := p.Append(nil)
		require.NoError(t, err)
		return store.Load(id, data)
	}
	s, err := m.Open(ctx, "", session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, m.Finish(s))
	require.Empty(t, store.took(), "who stores nothing starts nothing")

	s, err = m.Open(ctx, "", session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("n", 1))
	require.NoError(t, m.Finish(s))
	require.Equal(t, "n=1 of 2", state(t, store.Store, s.ID()), "what Go set lies on top of what Session_Start set")
	s, err = m.Open(ctx, s.ID(), session.ReadWrite)
	require.NoError(t, err)
	d, err := s.Timeout()
	require.NoError(t, err)
	require.Equal(t, 45*time.Minute, d)
	require.NoError(t, m.Finish(s))

	// At a flush, too: the session is locked from then on.
	s, err = m.Open(ctx, "", session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("x", 1))
	require.NoError(t, m.Seal(s))
	require.Equal(t, "n=100 of 3 locked", state(t, store.Store, s.ID()))
	n, err := session.Value[int](s, "n")
	require.NoError(t, err)
	require.Equal(t, 100, n)
	require.NoError(t, s.Set("n", 2))
	require.NoError(t, m.Finish(s))
	require.Equal(t, "n=2 of 3", state(t, store.Store, s.ID()))

	// An id that the store lost begins with ASP.NET as well.
	s, err = m.Open(ctx, anID, session.ReadWrite)
	require.NoError(t, err)
	require.True(t, s.IsNew())
	n, err = session.Value[int](s, "n")
	require.NoError(t, err)
	require.Equal(t, 100, n)
	require.NoError(t, m.Finish(s))

	// It may start nothing, but not fail.
	legacy = func(string) error { return nil }
	s, err = m.Open(ctx, "", session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("n", 4))
	require.NoError(t, m.Finish(s))
	require.Equal(t, "n=4 of 1", state(t, store.Store, s.ID()))
	legacy = func(string) error { return errDown }
	s, err = m.Open(ctx, "", session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("n", 5))
	require.ErrorIs(t, m.Finish(s), errDown)
	require.Equal(t, "none", state(t, store.Store, s.ID()))
}

// A site that takes no ids from outside says under which one it started the
// session, and the visitor gets that.
func TestBootstrapUnderAnotherID(t *testing.T) {
	const theirs = "aaaabbbbccccddddeeeeffff"
	store := newCounting(t)
	m := manager(t, store, session.Options{Bootstrap: func(_ context.Context, id string) (string, error) {
		p := payload.New(20, payload.Limits{})
		require.NoError(t, p.Items().Set("culture", "en-GB"))
		data, err := p.Append(nil)
		require.NoError(t, err)
		return strings.ToUpper(theirs), store.Load(theirs, data)
	}})
	for _, id := range []string{"", anID} {
		s, err := m.Open(context.Background(), id, session.ReadWrite)
		require.NoError(t, err)
		require.NoError(t, s.Set("n", 1))
		require.NoError(t, m.Finish(s))
		require.Equal(t, theirs, s.ID())
		require.Equal(t, session.NewID, m.Announce(s))
		require.Equal(t, "n=1 of 2", state(t, store.Store, theirs))
		require.Equal(t, "none", state(t, store.Store, anID))
		require.NoError(t, store.Remove(context.Background(), theirs, session.Lock{}))
	}
	// Too late to tell the visitor.
	s := start(t, m, session.Opening{ID: anID, Access: session.Lazy})
	require.NoError(t, m.Seal(s))
	require.ErrorIs(t, s.Set("n", 1), session.ErrHeadersSent)
	require.NoError(t, m.Finish(s))
}

var errDown = errors.New("the legacy site is down")

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
