package sqlserver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
)

// What the package comment's table says of a stale writer, row by row, on both
// layouts.
func TestStaleWriters(t *testing.T) {
	for name, layout := range map[string]sqlserver.Layout{"classic": sqlserver.Classic, "async": sqlserver.Async, "async 1.1": sqlserver.AsyncCompat} {
		for row, test := range map[string]struct {
			lease     time.Duration
			meanwhile func(t *testing.T, s *sqlserver.Store, id string, lock session.Lock)
			save      error // nil: it is stored
			remove    error
		}{
			"another has the lock": {time.Hour, func(t *testing.T, s *sqlserver.Store, id string, lock session.Lock) {
				require.NoError(t, s.Release(t.Context(), id, lock))
				_, err := s.Acquire(t.Context(), id, time.Hour)
				require.NoError(t, err)
			}, session.ErrLockLost, session.ErrLockLost},
			"another had it": {time.Hour, func(t *testing.T, s *sqlserver.Store, id string, lock session.Lock) {
				require.NoError(t, s.Release(t.Context(), id, lock))
				rec, err := s.Acquire(t.Context(), id, time.Hour)
				require.NoError(t, err)
				require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload))
			}, session.ErrLockLost, session.ErrLockLost},
			"removed": {time.Hour, func(t *testing.T, s *sqlserver.Store, id string, lock session.Lock) {
				require.NoError(t, s.Remove(t.Context(), id, lock))
			}, session.ErrGone, session.ErrNotFound},
			"broken in time": {time.Hour, func(t *testing.T, s *sqlserver.Store, id string, lock session.Lock) {
				require.NoError(t, s.Release(t.Context(), id, lock))
			}, nil, nil},
			"broken, past the lease": {-time.Second, func(t *testing.T, s *sqlserver.Store, id string, lock session.Lock) {
				require.NoError(t, s.Release(t.Context(), id, lock))
			}, session.ErrLockLost, session.ErrLockLost},
			"removed, past the lease": {-time.Second, func(t *testing.T, s *sqlserver.Store, id string, lock session.Lock) {
				require.NoError(t, s.Remove(t.Context(), id, lock))
			}, session.ErrGone, session.ErrNotFound},
			"still ours, past the lease": {-time.Second, func(*testing.T, *sqlserver.Store, string, session.Lock) {}, nil, nil},
		} {
			t.Run(name+"/"+row, func(t *testing.T) {
				for i := range 4 {
					remove, sameProcess := i%2 == 1, i/2 == 1
					srv := run(t, layout)
					opt := sqlserver.Options{ConnectionString: srv.DSN(), Layout: layout}
					s, other := open(t, opt), open(t, opt)
					if sameProcess {
						other = s
					}
					id := newID(t)
					require.NoError(t, s.Create(t.Context(), id, 20*time.Minute))
					rec, err := s.Acquire(t.Context(), id, test.lease)
					require.NoError(t, err)
					test.meanwhile(t, other, id, rec.Lock)
					if want := test.remove; remove {
						err = s.Remove(t.Context(), id, rec.Lock)
						if want == nil {
							require.NoError(t, err)
							require.Empty(t, srv.Rows())
						} else {
							require.ErrorIs(t, err, want)
						}
						continue
					}
					require.NoError(t, rec.Payload.Items().Set("n", 1))
					err = s.Save(t.Context(), id, rec.Lock, rec.Payload)
					if test.save == nil {
						require.NoError(t, err)
						require.Equal(t, 1, count(t, s, id))
						continue
					}
					require.ErrorIs(t, err, test.save)
				}
			})
		}
	}
}

// A session removed and made anew counts its locks from the start: past its lease
// an old holder is told from the new one by the lock's age.
func TestMadeAnewPastTheLease(t *testing.T) {
	srv, _, id, rec := holding(t, sqlserver.Options{})
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	require.NoError(t, s.Remove(t.Context(), id, rec.Lock))
	require.NoError(t, s.Create(t.Context(), id, time.Hour))
	old, err := s.Acquire(t.Context(), id, 0)
	require.NoError(t, err)
	require.Equal(t, rec.Lock, old.Lock, "which is the danger")
	time.Sleep(3100 * time.Millisecond) // ages are whole seconds
	other := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	require.NoError(t, other.Remove(t.Context(), id, old.Lock))
	require.NoError(t, other.Create(t.Context(), id, time.Hour))
	_, err = other.Acquire(t.Context(), id, time.Minute)
	require.NoError(t, err)
	require.ErrorIs(t, s.Save(t.Context(), id, old.Lock, old.Payload), session.ErrLockLost)
	require.True(t, srv.Locked(classicKey(id)), "the new holder still has it")
}

// An expired session that nothing purged is there, and is given new life, as in
// ASP.NET; a new one cannot take its place.
func TestExpiredUntilPurged(t *testing.T) {
	srv, s, id, rec := holding(t, sqlserver.Options{})
	require.NoError(t, s.Release(t.Context(), id, rec.Lock))
	srv.Advance(time.Hour)
	require.ErrorIs(t, s.Save(t.Context(), id, session.Lock{}, payload.New(20, payload.Limits{})), session.ErrExists)
	require.Equal(t, 1, count(t, s, id))
	row, _ := srv.Get(classicKey(id))
	require.Greater(t, row.Expires, srv.Now())
}

// ASP.NET's life of a new session: inserted uninitialized, locked with cookie 2 by
// whoever is told so, saved by an update.
func TestRowOfANewSession(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	id := newID(t)
	require.NoError(t, s.Create(t.Context(), id, 90*time.Second))
	row, ok := srv.Get(classicKey(id))
	require.True(t, ok)
	require.Equal(t, []any{int32(1), int32(1), int32(2), false}, []any{row.LockCookie, row.Flags, row.Timeout, row.Locked})
	require.Equal(t, []byte("\x02\x00\x00\x00\x00\x00\xff"), row.SessionItemShort)
	rec, err := s.Acquire(t.Context(), id, time.Minute)
	require.NoError(t, err)
	require.True(t, rec.Uninitialized)
	require.Equal(t, session.NumberLock(2), rec.Lock)
	row, _ = srv.Get(classicKey(id))
	require.Equal(t, []any{int32(2), int32(0), true}, []any{row.LockCookie, row.Flags, row.Locked})
	rec.Payload.SetTimeout(600_000) // over ASP.NET's limit: a frame can hold it
	require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload))
	row, _ = srv.Get(classicKey(id))
	require.Equal(t, []any{int32(525_600), false}, []any{row.Timeout, row.Locked})
}
