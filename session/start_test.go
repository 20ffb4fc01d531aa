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
)

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

// With OnStart a session is stored whatever the handler does: what ASP.NET starts
// it with is there before OnStart and the handler look.
func TestBootstrapBeforeOnStart(t *testing.T) {
	ctx := context.Background()
	for _, access := range []session.Access{session.ReadWrite, session.Lazy, session.ReadOnly} {
		store := newCounting(t)
		booted := 0
		m := manager(t, store, session.Options{Bootstrap: func(_ context.Context, id string) (string, error) {
			booted++
			p := payload.New(20, payload.Limits{})
			require.NoError(t, p.Items().Set("n", 100))
			data, err := p.Append(nil)
			require.NoError(t, err)
			return id, store.Load(id, data)
		}})
		value := func(s *session.Session) int {
			n, err := session.Value[int](s, "n")
			require.NoError(t, err)
			return n
		}
		open := session.Opening{Access: access, OnStart: func(s *session.Session) error { return s.Set("x", value(s)+1) }}
		s := new(session.Session)
		require.NoError(t, m.Start(ctx, s, open))
		require.Equal(t, 100, value(s))
		x, err := session.Value[int](s, "x")
		require.NoError(t, err)
		require.Equal(t, 101, x)
		require.NoError(t, m.Finish(s))
		require.Equal(t, "n=100 of 2", state(t, store.Store, s.ID()))
		require.Equal(t, 1, booted)

		// OnStart fails: nothing stays locked, or behind.
		boom := errors.New("boom")
		var id string
		open.OnStart = func(s *session.Session) error { id = s.ID(); return boom }
		s = new(session.Session)
		err = m.Start(ctx, s, open)
		if access == session.Lazy {
			require.NoError(t, err)
			_, err = s.Len()
		}
		require.ErrorIs(t, err, boom)
		if access == session.Lazy {
			require.NoError(t, m.Discard(s))
		}
		require.Equal(t, "none", state(t, store.Store, id))
	}
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
