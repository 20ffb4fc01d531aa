package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
)

// WaitTimeout bounds the wait for one's turn in this process, too.
func TestWaitTimeoutInProcess(t *testing.T) {
	store := newStore(t)
	put(t, store, "n", 1)
	m := manager(t, store, session.Options{WaitTimeout: 50 * time.Millisecond})
	s, err := m.Open(context.Background(), anID, session.ReadWrite)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, err = m.Open(ctx, anID, session.ReadWrite)
	require.ErrorIs(t, err, session.ErrLocked)
	require.NoError(t, m.Finish(s))
}

type stagedSeen struct{ last session.Measures }

func (s *stagedSeen) Session(_ context.Context, m session.Measures) { s.last = m }

// Metrics are told of what a Lazy session, or Regenerate, met.
func TestMetricsMissErrors(t *testing.T) {
	seen := new(stagedSeen)
	store := newCounting(t)
	m := manager(t, store, session.Options{Metrics: seen})
	store.fail["Acquire"] = session.ErrUnavailable
	s := start(t, m, session.Opening{ID: anID, Access: session.Lazy})
	require.Error(t, s.Set("n", 1))
	require.NoError(t, m.Finish(s))
	require.ErrorIs(t, seen.last.Err, session.ErrUnavailable, "lazy")
}

func TestMetricsMissRegenerate(t *testing.T) {
	seen := new(stagedSeen)
	store := newCounting(t)
	put(t, store.Store, "n", 1)
	m := manager(t, store, session.Options{Metrics: seen})
	s := start(t, m, session.Opening{ID: anID})
	put(t, store.Store, "n", 7) // another broke the lock and saved
	require.ErrorIs(t, s.Regenerate(), session.ErrLockLost)
	require.NoError(t, m.Finish(s))
	require.ErrorIs(t, seen.last.Err, session.ErrLockLost)
}

// A bootstrap that fails as the headers leave.
func TestMetricsMissBootstrap(t *testing.T) {
	seen := new(stagedSeen)
	m := manager(t, newCounting(t), session.Options{Metrics: seen, Bootstrap: func(context.Context, string) (string, error) { return "", errDown }})
	s := start(t, m, session.Opening{})
	require.NoError(t, s.Set("n", 1))
	require.ErrorIs(t, m.Seal(s), errDown)
	require.NoError(t, m.Discard(s))
	require.ErrorIs(t, seen.last.Err, errDown)
}
