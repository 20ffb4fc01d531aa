package sqlserver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
)

// Whoever looks why his late call met no row must not take the news from the
// visitor's next request: an uninitialized session is told to exactly one reader.
func TestLateCallLeavesUninitialized(t *testing.T) {
	for name, late := range map[string]func(s *sqlserver.Store, id string, rec session.Record) error{
		"save": func(s *sqlserver.Store, id string, rec session.Record) error {
			return s.Save(t.Context(), id, rec.Lock, rec.Payload)
		},
		"release": func(s *sqlserver.Store, id string, rec session.Record) error {
			return s.Release(t.Context(), id, rec.Lock)
		},
		"remove": func(s *sqlserver.Store, id string, rec session.Record) error {
			return s.Remove(t.Context(), id, rec.Lock)
		},
	} {
		for lname, layout := range map[string]sqlserver.Layout{"classic": sqlserver.Classic, "async": sqlserver.Async, "async 1.1": sqlserver.AsyncCompat} {
			for when, lease := range map[string]time.Duration{"in time": time.Hour, "past the lease": -time.Second} {
				t.Run(name+"/"+lname+"/"+when, func(t *testing.T) {
					srv := run(t, layout)
					s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: layout})
					other := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: layout})
					id := newID(t)
					require.NoError(t, s.Create(t.Context(), id, 20*time.Minute))
					rec, err := s.Acquire(t.Context(), id, lease)
					require.NoError(t, err)
					require.NoError(t, other.Remove(t.Context(), id, rec.Lock))
					require.NoError(t, other.Create(t.Context(), id, 20*time.Minute))
					require.ErrorIs(t, late(s, id, rec), session.ErrLockLost)
					rec, err = other.Acquire(t.Context(), id, time.Hour)
					require.NoError(t, err)
					require.True(t, rec.Uninitialized, "nobody was told before")
				})
			}
		}
	}
}

// A save after the lease is looked at each time, also when the first look failed.
func TestLateSaveIsLookedAtAgain(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), RetryFor: -1})
	other := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	id := newID(t)
	require.NoError(t, s.Create(t.Context(), id, 20*time.Minute))
	rec, err := s.Acquire(t.Context(), id, -time.Second)
	require.NoError(t, err)
	require.NoError(t, other.Release(t.Context(), id, rec.Lock), "it is broken")
	srv.FailNext(1205, 1, "TempGetStateItem3")
	require.ErrorIs(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), session.ErrUnavailable)
	require.ErrorIs(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), session.ErrLockLost)
}
