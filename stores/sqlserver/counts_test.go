package sqlserver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
)

// The server counts seconds by their boundaries, so that a lock may be broken by
// its age before its lease is quite over. A save after the lease is told all the
// same, also where a request of the same process broke the lock.
func TestBrokenJustBeforeTheLease(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	m, err := session.NewManager(s, session.Options{ExecutionTimeout: time.Second})
	require.NoError(t, err)
	id := newID(t)
	require.NoError(t, s.Create(t.Context(), id, 20*time.Minute))
	srv.SetTime(time.Date(2026, 1, 2, 3, 4, 5, 950e6, time.UTC))
	rec, err := s.Acquire(t.Context(), id, time.Second)
	require.NoError(t, err)
	srv.Advance(100 * time.Millisecond)
	reader, err := m.Open(t.Context(), id, session.ReadOnly)
	require.NoError(t, err, "it broke the lock")
	require.NoError(t, m.Finish(reader))
	require.False(t, srv.Locked(classicKey(id)))
	time.Sleep(1100 * time.Millisecond) // the lease is of this process's clock
	require.ErrorIs(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), session.ErrLockLost)
}
