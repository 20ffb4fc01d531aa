package session_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// stagedStore lets a test do something else at a call.
type stagedStore struct {
	*inproc.Store
	save    func()
	acquire func(context.Context) error
	remote  bool
	renewed atomic.Int64
	get     func()
}

func (s *stagedStore) Capabilities() session.Capabilities {
	c := s.Store.Capabilities()
	c.Local = !s.remote
	return c
}
func (s *stagedStore) Save(ctx context.Context, id string, l session.Lock, p *payload.Payload) error {
	if s.save != nil {
		s.save()
	}
	return s.Store.Save(ctx, id, l, p)
}
func (s *stagedStore) Get(ctx context.Context, id string) (session.Record, error) {
	rec, err := s.Store.Get(ctx, id)
	if s.get != nil {
		s.get()
	}
	return rec, err
}
func (s *stagedStore) Acquire(ctx context.Context, id string, d time.Duration) (session.Record, error) {
	if s.acquire != nil {
		if err := s.acquire(ctx); err != nil {
			return session.Record{}, err
		}
	}
	return s.Store.Acquire(ctx, id, d)
}
func (s *stagedStore) Renew(context.Context, string, session.Lock, time.Duration) error {
	s.renewed.Add(1)
	return nil
}

// A store that panics in the save at the end leaves neither lock nor turn.
func TestPanicInFinish(t *testing.T) {
	store := &stagedStore{Store: newStore(t)}
	put(t, store.Store, "n", 1)
	m := manager(t, store, session.Options{})
	s, err := m.Open(context.Background(), anID, session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("n", 2))
	store.save = func() { panic("driver") }
	require.Panics(t, func() { _ = m.Finish(s) })
	store.save = nil
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	s, err = m.Open(ctx, anID, session.ReadWrite)
	require.NoError(t, err, "the turn or the lock was left behind")
	require.NoError(t, m.Finish(s))
}

// A hook's values are not lost when the first request's handler fails: the next
// request starts the session anew.
func TestStartLostByDiscard(t *testing.T) {
	for _, how := range []string{"discard", "save fails"} {
		t.Run(how, func(t *testing.T) {
			store := newCounting(t)
			m := manager(t, store, session.Options{})
			ran := 0
			open := session.Opening{ID: anID, OnStart: func(s *session.Session) error { ran++; return s.Set("culture", "de") }}
			s := start(t, m, open)
			if how == "discard" {
				require.NoError(t, m.Discard(s)) // the handler panicked
			} else {
				store.fail = map[string]error{"Save": errDown}
				require.ErrorIs(t, m.Finish(s), errDown)
				store.fail = nil
			}
			s = start(t, m, open)
			c, err := session.Value[string](s, "culture")
			require.NoError(t, err)
			require.NoError(t, m.Finish(s))
			require.Equal(t, "de", c, "ran %d times", ran)
		})
	}
}

// ReadOnly with OnStart stores a known, gone id only after Bootstrap.
func TestReadOnlyStartSkipsBootstrap(t *testing.T) {
	store := newCounting(t)
	booted := 0
	m := manager(t, store, session.Options{Bootstrap: func(_ context.Context, id string) (string, error) { booted++; return id, nil }})
	open := session.Opening{ID: anID, Access: session.ReadOnly, OnStart: func(s *session.Session) error { return s.Set("n", 9) }}
	s := start(t, m, open)
	require.NoError(t, m.Finish(s))
	require.Equal(t, "n=9 of 1", state(t, store.Store, anID))
	require.Equal(t, 1, booted, "Go stored the session first, ASP.NET never started it")
}

// The request goes while its Acquire is under way, which was told, and only it,
// that the session is new: the next one must learn it too.
func TestCancelledAcquireConsumesUninitialized(t *testing.T) {
	store := &stagedStore{Store: newStore(t), remote: true}
	require.NoError(t, store.Create(context.Background(), anID, 20*time.Minute))
	m := manager(t, store, session.Options{})
	ran := 0
	open := session.Opening{ID: anID, OnStart: func(s *session.Session) error { ran++; return s.Set("n", 9) }}
	ctx, cancel := context.WithCancel(context.Background())
	store.acquire = func(ctx context.Context) error { cancel(); return ctx.Err() } // the call is not cancelled
	require.ErrorIs(t, m.Start(ctx, new(session.Session), open), context.Canceled)
	store.acquire = nil
	require.NoError(t, store.List(context.Background(), func(i session.Info) bool {
		require.True(t, i.Lock.IsZero(), "the lock stays")
		return true
	}))
	s := start(t, m, open)
	require.NoError(t, m.Finish(s))
	require.Equal(t, 1, ran, "SessionStart never runs")
}

// ReadOnly, OnStart, and another request begins the session in between: OnLoad
// (the companion's check) is asked all the same.
func TestQuickerSkipsOnLoad(t *testing.T) {
	store := &stagedStore{Store: newStore(t)}
	store.get = func() { put(t, store.Store, "bound", true) }
	m := manager(t, store, session.Options{})
	refused := errors.New("refused")
	err := m.Start(context.Background(), new(session.Session), session.Opening{ID: anID, Access: session.ReadOnly,
		OnStart: func(*session.Session) error { return nil },
		OnLoad:  func(*session.Session) error { return refused }})
	require.ErrorIs(t, err, refused)
}

// A hook's Extend is refused.
func TestHookExtend(t *testing.T) {
	store := &stagedStore{Store: newStore(t)}
	m := manager(t, store, session.Options{})
	var err error
	s := start(t, m, session.Opening{ID: anID, OnStart: func(s *session.Session) error { err = s.Extend(time.Hour); return nil }})
	_, held := m.Lease(s)
	require.True(t, held)
	require.NoError(t, m.Finish(s))
	require.True(t, err != nil || store.renewed.Load() == 1, "Extend said nil and extended nothing")
}

// Lazy, headers gone, then first use: what a hook would set could not be kept.
func TestLateStart(t *testing.T) {
	store := newCounting(t)
	m := manager(t, store, session.Options{})
	ran := false
	s := start(t, m, session.Opening{Access: session.Lazy, OnStart: func(s *session.Session) error { ran = true; return s.Set("n", 9) }})
	require.NoError(t, m.Seal(s))
	_, err := s.Get("n")
	require.NoError(t, m.Finish(s))
	if err == nil && ran {
		require.Equal(t, "n=9 of 1", state(t, store.Store, s.ID()), "SessionStart ran, nothing stored, nobody told")
	}
}

// A panicking driver ends the request, not the process.
func TestRemotePanic(t *testing.T) {
	if os.Getenv("REV1_CRASH") == "1" {
		store := &stagedStore{Store: newStore(t), remote: true, acquire: func(context.Context) error { panic("driver") }}
		m := manager(t, store, session.Options{})
		func() {
			defer func() { _ = recover() }() // as net/http does
			_, _ = m.Open(context.Background(), anID, session.ReadWrite)
		}()
		time.Sleep(200 * time.Millisecond)
		return
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestRemotePanic$")
	c.Env = append(os.Environ(), "REV1_CRASH=1")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "the process died: %s", strings.SplitN(string(out), "\n", 4)[:2])
}

// Save after Extend keeps the lock as long as it was made.
func TestSaveUndoesExtend(t *testing.T) {
	store := &stagedLeases{stagedStore: &stagedStore{Store: newStore(t)}}
	m := manager(t, store, session.Options{})
	s := start(t, m, session.Opening{ID: anID})
	require.NoError(t, s.Extend(time.Hour))
	require.NoError(t, s.Set("n", 1))
	require.NoError(t, s.Save())
	end, _ := m.Lease(s)
	require.NoError(t, m.Finish(s))
	require.WithinDuration(t, end, store.until, 10*time.Second, "the handler is told of a longer lease than the store gives")
}

type stagedLeases struct {
	*stagedStore
	until time.Time
}

func (s *stagedLeases) Checkpoint(ctx context.Context, id string, l session.Lock, lease time.Duration, p *payload.Payload) (session.Lock, error) {
	s.until = time.Now().Add(lease) // as stores/redis does
	return s.Store.Checkpoint(ctx, id, l, lease, p)
}

// A waiter whose answer was on its way while the lock became too old looks once
// more before it gives up, and breaks the lock; while it is not too old, it does
// give up.
func TestALastLookAfterTheDeadline(t *testing.T) {
	const executionTimeout = time.Minute
	for _, old := range []bool{true, false} {
		store := &stagedStore{Store: newStore(t), remote: true}
		put(t, store.Store, "n", 1)
		held, err := store.Store.Acquire(t.Context(), anID, executionTimeout)
		require.NoError(t, err)
		m := manager(t, store, session.Options{ExecutionTimeout: executionTimeout, WaitTimeout: time.Millisecond})
		looks := 0
		store.acquire = func(context.Context) error {
			switch looks++; {
			case looks == 1:
				time.Sleep(5 * time.Millisecond) // past the deadline
				return &session.LockedError{Holder: held.Lock, Age: executionTimeout - time.Second}
			case looks == 2 && old:
				return &session.LockedError{Holder: held.Lock, Age: executionTimeout}
			}
			return nil
		}
		s := new(session.Session)
		err = m.Start(t.Context(), s, session.Opening{ID: anID})
		if !old {
			require.ErrorIs(t, err, session.ErrLocked)
			require.Equal(t, 2, looks)
			continue
		}
		require.NoError(t, err)
		require.NoError(t, m.Finish(s))
	}
}
