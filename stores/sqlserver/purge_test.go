package sqlserver_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// expired fills a stand-in with sessions that have expired, and one that has not.
func fill(t *testing.T, srv *sqlservertest.Server, n int) (live string) {
	t.Helper()
	for i := range n {
		row := sqlservertest.Row{SessionID: fmt.Sprintf("%024d2014c0f1", i), Expires: srv.Now().Add(-time.Minute), LockCookie: 1, Timeout: 20, Locked: i%3 == 0}
		srv.Put(row)
	}
	live = "live"
	srv.Put(sqlservertest.Row{SessionID: live, Expires: srv.Now().Add(time.Minute), LockCookie: 1, Timeout: 20})
	return live
}

func TestPurge(t *testing.T) {
	for name, test := range map[string]struct {
		db    sqlservertest.Database
		opt   sqlserver.Options
		calls []string
		known bool // how many there were
	}{
		"classic":         {sqlservertest.Database{}, sqlserver.Options{}, []string{"Purge", "Purge", "Purge"}, true},
		"in tempdb":       {sqlservertest.Database{TempTables: true}, sqlserver.Options{}, []string{"Purge", "Purge", "Purge", "Purge"}, true},
		"async":           {sqlservertest.Database{Layouts: []sqlservertest.Layout{sqlservertest.Async2}}, sqlserver.Options{Layout: sqlserver.Async}, []string{"Purge", "Purge", "Purge"}, true},
		"async in memory": {sqlservertest.Database{Layouts: []sqlservertest.Layout{sqlservertest.Async2InMemory}}, sqlserver.Options{Layout: sqlserver.AsyncInMemory}, []string{"Purge", "Purge", "Purge"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			srv := runWith(t, test.db)
			live := fill(t, srv, 1100)
			test.opt.ConnectionString, test.opt.Suffix = srv.DSN(), "00000000"
			s := open(t, test.opt)
			n, err := s.Purge(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 1100, n)
			require.Equal(t, test.calls, srv.Names(), "batches")
			require.Len(t, srv.Rows(), 1)
			require.Equal(t, live, srv.Rows()[0].SessionID)
			n, err = s.Purge(t.Context())
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
}

// Who may only execute procedures purges by the database's own, and asks for
// nothing else from then on.
func TestPurgeByProcedure(t *testing.T) {
	for layout, proc := range map[sqlserver.Layout]string{
		sqlserver.Classic: "DeleteExpiredSessions", sqlserver.Async: "DeleteExpiredSessionState", sqlserver.AsyncInMemory: "DeleteExpiredSessionStateM",
	} {
		srv := run(t, layout)
		fill(t, srv, 10)
		s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Suffix: "00000000", Layout: layout})
		srv.FailNext(229, 100, "Purge")
		for range 2 {
			_, err := s.Purge(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, []string{"Purge", proc, proc}, srv.Names())
		require.Len(t, srv.Rows(), 1)
	}
	// Where there is no procedure the refusal is told.
	srv := run(t, sqlserver.AsyncCompat)
	srv.FailNext(229, 1, "Purge")
	_, err := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: sqlserver.AsyncCompat}).Purge(t.Context())
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.ErrorContains(t, err, "(error 229)")
}

// Many nodes purge one table while sessions come and go.
func TestPurgeOfMany(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	fill(t, srv, 3000)
	srv.FailNext(1205, 3, "Purge")
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
		wg.Go(func() {
			n, err := s.Purge(t.Context())
			if err != nil {
				t.Error(err)
			}
			total.Add(n)
		})
		wg.Go(func() {
			for range 20 {
				id := newID(t)
				if err := s.Create(t.Context(), id, time.Minute); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 3000, total.Load())
	require.Len(t, srv.Rows(), 1+80)
}

// The store purges by itself, tells of failures, goes on after them, and stops at
// Close.
func TestPurgeInterval(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	fill(t, srv, 10)
	srv.FailNext(9002, 1, "Purge")
	told := make(chan error, 10)
	s, err := sqlserver.New(sqlserver.Options{ConnectionString: srv.DSN(), AppID: appID, PurgeInterval: 2 * time.Millisecond, PurgeError: func(err error) { told <- err }})
	require.NoError(t, err)
	require.ErrorIs(t, <-told, session.ErrUnavailable)
	require.Eventually(t, func() bool { return len(srv.Rows()) == 1 }, 20*time.Second, time.Millisecond)
	arrived, _ := srv.Pause("Purge")
	<-arrived
	require.NoError(t, s.Close(), "in the middle of one")
	require.NoError(t, s.Close(), "twice")
	n := len(srv.Calls())
	require.Never(t, func() bool { return len(srv.Calls()) != n }, 20*time.Millisecond, 5*time.Millisecond)
	require.Empty(t, told, "that it was stopped is no failure")
}

// Nothing is left running, whatever was going on.
func TestNoGoroutineLeft(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	srv, err := sqlservertest.Start(sqlservertest.Options{})
	require.NoError(t, err)
	s, err := sqlserver.New(sqlserver.Options{ConnectionString: srv.DSN(), AppID: appID, PurgeInterval: time.Millisecond})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
			defer cancel()
			id := newID(t)
			_ = s.Create(ctx, id, time.Minute)
			if rec, err := s.Acquire(ctx, id, time.Minute); err == nil {
				_ = s.Save(ctx, id, rec.Lock, rec.Payload)
			}
			_ = s.List(ctx, func(session.Info) bool { return true })
		})
	}
	wg.Wait()
	require.NoError(t, s.Close())
	srv.Close()
}
