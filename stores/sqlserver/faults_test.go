package sqlserver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// holding opens a store on a new stand-in and takes the lock of a session in which n
// is 1.
func holding(t *testing.T, opt sqlserver.Options) (srv *sqlservertest.Server, s *sqlserver.Store, id string, rec session.Record) {
	t.Helper()
	srv = run(t, opt.Layout)
	opt.ConnectionString = srv.DSN()
	s = open(t, opt)
	id = newID(t)
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("n", 1))
	require.NoError(t, s.Save(t.Context(), id, session.Lock{}, p))
	rec, err := s.Acquire(t.Context(), id, time.Minute)
	require.NoError(t, err)
	return srv, s, id, rec
}

func count(t *testing.T, s session.Store, id string) int {
	t.Helper()
	rec, err := s.Get(t.Context(), id)
	require.NoError(t, err)
	n, err := payload.Value[int](rec.Payload.Items(), "n")
	require.NoError(t, err)
	return n
}

// Errors that pass: the call is made again, and nobody notices.
func TestRetries(t *testing.T) {
	for name, fault := range map[string]func(srv *sqlservertest.Server, call string){
		"deadlock victim":         func(srv *sqlservertest.Server, call string) { srv.FailNext(1205, 2, call) },
		"conflict in memory":      func(srv *sqlservertest.Server, call string) { srv.FailNext(41302, 1, call) },
		"failover of Azure":       func(srv *sqlservertest.Server, call string) { srv.FailNext(40613, 1, call) },
		"a fatal error":           func(srv *sqlservertest.Server, call string) { srv.FailNext(823, 1, call) },
		"dropped before":          func(srv *sqlservertest.Server, call string) { srv.DropNext(call, sqlservertest.BeforeEffect) },
		"all connections dropped": func(srv *sqlservertest.Server, call string) { srv.DropConnections() },
		"restarted":               func(srv *sqlservertest.Server, call string) { srv.Restart() },
	} {
		t.Run(name, func(t *testing.T) {
			srv, s, id, rec := holding(t, sqlserver.Options{})
			fault(srv, "TempUpdateStateItemShortNullLong")
			require.NoError(t, rec.Payload.Items().Set("n", 2))
			require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload))
			require.Equal(t, 2, count(t, s, id))

			fault(srv, "TempGetStateItemExclusive3")
			rec, err := s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err)
			fault(srv, "TempReleaseStateItemExclusive")
			require.NoError(t, s.Release(t.Context(), id, rec.Lock))
			require.False(t, srv.Locked(classicKey(id)))
			fault(srv, "TempGetStateItem3")
			require.Equal(t, 2, count(t, s, id))
			fault(srv, "TempResetTimeout")
			require.NoError(t, s.Touch(t.Context(), id))
			rec, err = s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err)
			fault(srv, "TempRemoveStateItem")
			require.NoError(t, s.Remove(t.Context(), id, rec.Lock))
			fault(srv, "TempInsertUninitializedItem")
			require.NoError(t, s.Create(t.Context(), id, time.Minute))
		})
	}
}

// The effect was had, and its reply lost.
func TestLostReplies(t *testing.T) {
	for name, at := range map[string]sqlservertest.DropPoint{"no reply": sqlservertest.AfterEffect, "half a reply": sqlservertest.MidReply} {
		t.Run(name, func(t *testing.T) {
			srv, s, id, rec := holding(t, sqlserver.Options{})
			// Of a save: the second attempt saves the same once more.
			srv.DropNext("TempUpdateStateItemShortNullLong", at)
			require.NoError(t, rec.Payload.Items().Set("n", 2))
			require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload))
			require.Equal(t, 2, count(t, s, id))
			// Of a release, a touch, an uninitialized insert: the same.
			rec, err := s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err)
			srv.DropNext("TempReleaseStateItemExclusive", at)
			require.NoError(t, s.Release(t.Context(), id, rec.Lock))
			srv.DropNext("TempInsertUninitializedItem", at)
			other := newID(t)
			require.NoError(t, s.Create(t.Context(), other, time.Minute))
			// Of a new session's save: it may be another's that is there now.
			srv.DropNext("TempInsertStateItemShort", at)
			err = s.Save(t.Context(), newID(t), session.Lock{}, rec.Payload)
			require.ErrorIs(t, err, session.ErrUnavailable)
			require.ErrorContains(t, err, "not known")
			require.NotErrorIs(t, err, session.ErrExists)
			// Of a removal: what is gone is gone.
			rec, err = s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err)
			srv.DropNext("TempRemoveStateItem", at)
			require.ErrorIs(t, s.Remove(t.Context(), id, rec.Lock), session.ErrNotFound)
			// Of an acquire: the second attempt meets the lock of the first, and
			// waiters break it by its age. The life cycle does so for this caller, too.
			srv.DropNext("TempGetStateItemExclusive3", at)
			_, err = s.Acquire(t.Context(), other, time.Minute)
			var locked *session.LockedError
			require.ErrorAs(t, err, &locked)
			srv.Advance(2 * time.Minute)
			m, err := session.NewManager(s, session.Options{})
			require.NoError(t, err)
			live, err := m.Open(t.Context(), other, session.ReadWrite)
			require.NoError(t, err)
			require.NoError(t, m.Finish(live))
			require.False(t, srv.Locked(classicKey(other)))
		})
	}
}

// A save is lost, and before the second attempt another takes the lock: whether it
// was stored is not known, and is not called a lost lock.
func TestLostReplyThenAnother(t *testing.T) {
	srv, s, id, rec := holding(t, sqlserver.Options{})
	const save = "TempUpdateStateItemShortNullLong"
	srv.DropNext(save, sqlservertest.AfterEffect)
	first, goOn := srv.Pause(save)
	require.NoError(t, rec.Payload.Items().Set("n", 2))
	result := make(chan error, 1)
	go func() { result <- s.Save(context.Background(), id, rec.Lock, rec.Payload) }()
	<-first
	second, resume := srv.Pause(save)
	goOn()
	<-second
	require.False(t, srv.Locked(classicKey(id)), "the first attempt had its effect")
	row, _ := srv.Get(classicKey(id))
	row.LockCookie++
	srv.Put(row)
	resume()
	err := <-result
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.NotErrorIs(t, err, session.ErrLockLost)
	require.ErrorContains(t, err, "not known")
}

// Errors that no retry mends come at once, and say what to do.
func TestNoRetry(t *testing.T) {
	for number, want := range map[int32]string{18456: "user id and the password", 4060: "database is missing", 229: "aspstate_client", 9002: "transaction log"} {
		srv := run(t, sqlserver.Classic)
		s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), RetryFor: time.Hour})
		name := sqlservertest.Login
		if number == 229 || number == 9002 {
			name = "TempResetTimeout"
		}
		srv.FailNext(number, 1, name)
		err := s.Touch(t.Context(), newID(t))
		require.ErrorIs(t, err, session.ErrUnavailable, "%d", number)
		require.ErrorContains(t, err, want)
		var e *sqlserver.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, number, e.Number)
		require.ErrorIs(t, s.Touch(t.Context(), newID(t)), session.ErrNotFound, "the next one is tried")
	}
}

// RetryFor and the context end the attempts, and the last failure is told.
func TestRetriesEnd(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	srv.FailNext(1205, 1_000_000, "TempResetTimeout")
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), RetryFor: time.Millisecond})
	err := s.Touch(t.Context(), newID(t))
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.ErrorContains(t, err, "(error 1205)")
	var sqlErr mssql.Error
	require.ErrorAs(t, err, &sqlErr)
	require.EqualValues(t, 1205, sqlErr.Number)

	s = open(t, sqlserver.Options{ConnectionString: srv.DSN(), RetryFor: -1})
	srv.ResetTrace()
	require.ErrorIs(t, s.Touch(t.Context(), newID(t)), session.ErrUnavailable)
	require.Equal(t, []string{"TempGetAppID", "TempResetTimeout"}, srv.Names(), "never again")

	s = open(t, sqlserver.Options{ConnectionString: srv.DSN(), RetryFor: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = s.Touch(ctx, newID(t))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "1205")

	gone := errors.New("the visitor went away")
	cancelled, stop := context.WithCancelCause(t.Context())
	arrived, _ := srv.Pause("TempGetStateItem3")
	result := make(chan error, 1)
	go func() { _, err := s.Get(cancelled, newID(t)); result <- err }()
	<-arrived
	stop(gone)
	require.ErrorIs(t, <-result, gone)
}

// Nobody listens: a few attempts, then an error that says so.
func TestServerDown(t *testing.T) {
	srv := sqlservertest.Run(t, sqlservertest.Options{})
	dsn := srv.DSN()
	srv.Close()
	s := open(t, sqlserver.Options{ConnectionString: dsn, RetryFor: time.Millisecond})
	_, err := s.Get(t.Context(), newID(t))
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.ErrorContains(t, err, srv.Addr())
	require.ErrorContains(t, err, "is the server up")
}

// A session read by a broken payload keeps no lock.
func TestBadDataKeepsNoLock(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	for name, blob := range map[string][]byte{"none": nil, "garbage": []byte("garbage"), "cut": {20, 0, 0}, "long": make([]byte, 9000)} {
		id := newID(t)
		put(srv, classicKey(id), blob)
		_, err := s.Acquire(t.Context(), id, time.Minute)
		require.ErrorIs(t, err, session.ErrBadData, name)
		require.False(t, srv.Locked(classicKey(id)), name)
		_, err = s.Get(t.Context(), id)
		require.ErrorIs(t, err, session.ErrBadData, name)
		row, _ := srv.Get(classicKey(id))
		require.Equal(t, len(blob), len(row.SessionItemShort)+len(row.SessionItemLong), "%s: it stays as it is", name)
	}
}

// A server that counts no rows: lost locks are found by a look, and what was saved
// is not called lost.
func TestNoCount(t *testing.T) {
	srv, s, id, rec := holding(t, sqlserver.Options{Layout: sqlserver.AsyncCompat})
	silent := func(r *sqlservertest.Request, table *sqlservertest.Table, f func(row *sqlservertest.Row)) error {
		row := table.Find(r.Arg("@SessionId").(string))
		if row != nil && int64(row.LockCookie) == r.Arg("@LockCookie").(int64) {
			f(row)
		}
		r.Affected(0)
		return nil
	}
	handle := func(name, text string, f func(r *sqlservertest.Request, row *sqlservertest.Row)) {
		srv.Handle(name, text, func(r *sqlservertest.Request) error {
			table, err := r.Table(r.Found("table"))
			if err != nil {
				return err
			}
			return silent(r, table, func(row *sqlservertest.Row) { f(r, row) })
		})
	}
	handle("update", "UPDATE {table} SET Expires = DATEADD(n, @Timeout, GETUTCDATE()), ... AND LockCookie = @LockCookie", func(r *sqlservertest.Request, row *sqlservertest.Row) {
		row.SessionItemLong, row.Locked = r.Arg("@SessionItemLong").([]byte), false
	})
	handle("release", "UPDATE {table} SET Expires = DATEADD(n, Timeout, GETUTCDATE()), Locked = 0 WHERE SessionId = @SessionId AND LockCookie = @LockCookie", func(_ *sqlservertest.Request, row *sqlservertest.Row) {
		row.Locked = false
	})
	require.NoError(t, rec.Payload.Items().Set("n", 2))
	require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload))
	require.Equal(t, 2, count(t, s, id))
	next, err := s.Acquire(t.Context(), id, time.Minute)
	require.NoError(t, err)
	require.ErrorIs(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), session.ErrLockLost)
	require.NoError(t, s.Release(t.Context(), id, next.Lock))
	require.ErrorIs(t, s.Release(t.Context(), id, rec.Lock), session.ErrLockLost)
}

// The server restarts while it works on a call: the call is made again. What was
// in tempdb is gone then, and the holder is told so.
func TestRestartMidRequest(t *testing.T) {
	for name, temp := range map[string]bool{"persisted": false, "tempdb": true} {
		t.Run(name, func(t *testing.T) {
			srv := runWith(t, sqlservertest.Database{TempTables: temp})
			s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
			id := newID(t)
			require.NoError(t, s.Create(t.Context(), id, time.Hour))
			rec, err := s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err)
			require.NoError(t, rec.Payload.Items().Set("n", 2))
			arrived, _ := srv.Pause("TempUpdateStateItemShortNullLong")
			result := make(chan error, 1)
			go func() { result <- s.Save(context.Background(), id, rec.Lock, rec.Payload) }()
			<-arrived
			srv.Restart()
			if temp {
				// Perhaps it was stored, and another removed it since.
				require.ErrorIs(t, <-result, session.ErrUnavailable)
				require.ErrorIs(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), session.ErrGone)
				return
			}
			require.NoError(t, <-result)
			require.Equal(t, 2, count(t, s, id))
		})
	}
}

// A server that does not answer in time: the context's error, no lock, and the
// next call is served.
func TestTimeout(t *testing.T) {
	srv, s, id, rec := holding(t, sqlserver.Options{})
	require.NoError(t, s.Release(t.Context(), id, rec.Lock))
	srv.Delay(time.Hour, "TempGetStateItemExclusive3")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := s.Acquire(ctx, id, time.Minute)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, srv.Addr())
	requireNoSecrets(t, err, id)
	srv.Delay(0, "TempGetStateItemExclusive3")
	require.False(t, srv.Locked(classicKey(id)))
	_, err = s.Acquire(t.Context(), id, time.Minute)
	require.NoError(t, err)
}

// The connections are lost between acquire and save: the page is served and its
// session saved. A handler that panics gives its lock back all the same.
func TestDroppedWhileAHandlerRuns(t *testing.T) {
	srv, s, id, rec := holding(t, sqlserver.Options{})
	require.NoError(t, s.Release(t.Context(), id, rec.Lock))
	m, err := middleware.New(s, middleware.Options{})
	require.NoError(t, err)
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = middleware.From(r).Set("n", 2)
		srv.DropConnections()
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
	}))
	for _, path := range []string{"/", "/panic"} {
		r := httptest.NewRequest("GET", path, nil)
		r.AddCookie(&http.Cookie{Name: "ASP.NET_SessionId", Value: id})
		w := httptest.NewRecorder()
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(w, r)
		}()
		require.Equal(t, http.StatusOK, w.Code)
		require.False(t, srv.Locked(classicKey(id)), path)
		require.Equal(t, 2, count(t, s, id))
	}
	require.NoError(t, m.Close(t.Context()))
}
