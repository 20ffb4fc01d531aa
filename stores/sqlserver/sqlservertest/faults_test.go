package sqlservertest

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/require"
)

func TestLogin(t *testing.T) {
	srv := Run(t, Options{Users: map[string]string{"ada": "p;'\"ä]=1", User: Password}, Databases: []Database{{Name: "Shop"}, {Name: "Other"}}})
	ping := func(url string) error { return open(t, url).PingContext(in10s(t)) }
	require.NoError(t, ping(srv.URL("ada", "p;'\"ä]=1", "shop")))
	require.NoError(t, ping(srv.URL(User, Password, "OTHER")))
	require.NoError(t, ping("server="+strings.Replace(srv.Addr(), ":", ";port=", 1)+";user id="+User+";password=\""+Password+"\";database=Shop"), "without a word on encryption")
	require.ErrorContains(t, ping(strings.Replace(srv.DSN(), "encrypt=disable", "encrypt=true", 1)), "encryption")

	for name, url := range map[string]string{"user": srv.URL("eve", Password, "Shop"), "password": srv.URL("ada", "x", "Shop"), "none": srv.URL("", "", "Shop"), "both": srv.URL("ada", "x", "Nowhere")} {
		e := sqlError(t, ping(url), 18456)
		require.EqualValues(t, 14, e.Class, name)
		require.Len(t, e.All, 1, name)
	}
	e := sqlError(t, ping(srv.URL(User, Password, "Nowhere")), 18456)
	require.Len(t, e.All, 2)
	require.EqualValues(t, 4060, e.All[0].Number)
	require.Contains(t, e.All[0].Message, "Nowhere")

	// Without a database the login is in master, which has no procedures.
	_, err := open(t, srv.URL(User, Password, "")).ExecContext(in10s(t), "dbo.TempResetTimeout", sql.Named("id", "x"))
	sqlError(t, err, 2812)

	srv.FailNext(18456, 1, Login)
	sqlError(t, ping(srv.DSN()), 18456)
	require.NoError(t, ping(srv.DSN()))
	srv.DropNext(Login, BeforeEffect)
	db := open(t, srv.DSN())
	conn, err := db.Conn(in10s(t))
	if err == nil { // the pool may have tried again
		conn.Close()
	}
	require.Equal(t, Login, srv.Calls()[len(srv.Calls())-1].Name)
}

// What a client can be told, and what it finds in its error.
func TestFailNext(t *testing.T) {
	srv, db := start(t, Options{})
	reset := func() error {
		_, err := db.ExecContext(in10s(t), "dbo.TempResetTimeout", sql.Named("id", "x"))
		return err
	}
	insertShort(t, db, "x", nil)
	for number, class := range map[int32]uint8{1205: 13, 229: 14, 1222: 16, 9002: 17, 40613: 17, 41302: 16, 77777: 16} {
		srv.FailNext(number, 2, "TempResetTimeout")
		require.Equal(t, []byte(nil), get(t, db, "dbo.TempGetStateItem3", "x").Short, "another procedure")
		for range 2 {
			e := sqlError(t, reset(), number)
			require.Equal(t, class, e.Class)
			require.Equal(t, "TempResetTimeout", e.ProcName)
			require.NotEmpty(t, e.Message)
		}
		require.NoError(t, reset())
	}
	srv.FailNextWith(Error{Number: 8645, Class: 17, State: 3, Message: "memory", Proc: "p", Line: 9}, 1, "")
	e := sqlError(t, reset(), 8645)
	require.Equal(t, []any{uint8(3), "memory", "p", int32(9)}, []any{e.State, e.Message, e.ProcName, e.LineNo})

	srv.FailNext(823, 1, "tempresettimeout")
	err := reset()
	var fatal mssql.ServerError
	require.True(t, errors.As(err, &fatal), "%T %v", err, err)
	sqlError(t, err, 823)
	require.NoError(t, reset(), "on a new connection")
	require.Equal(t, 2, logins(srv))
}

func logins(srv *Server) (n int) {
	for _, c := range srv.Calls() {
		if c.Name == Login {
			n++
		}
	}
	return n
}

func TestMissingAndDenied(t *testing.T) {
	srv, db := start(t, Options{})
	insert := func() error {
		_, err := db.ExecContext(in10s(t), "dbo.TempInsertStateItemShort", sql.Named("id", "x"), sql.Named("itemShort", []byte{1}), sql.Named("timeout", int32(20)))
		return err
	}
	srv.MissingProc("dbo.TempInsertStateItemShort")
	require.Contains(t, sqlError(t, insert(), 2812).Message, "TempInsertStateItemShort")
	srv.Restore("TempInsertStateItemShort")
	srv.Deny("[dbo].[TempInsertStateItemShort]")
	e := sqlError(t, insert(), 229)
	require.Contains(t, e.Message, "'TempInsertStateItemShort', database 'ASPState'")
	require.Empty(t, srv.Rows())
	srv.Restore("TempInsertStateItemShort")
	require.NoError(t, insert())

	probe := func() error {
		var name string
		return db.QueryRowContext(in10s(t), "select name from sysobjects where type = 'P' and name = 'TempGetVersion'").Scan(&name)
	}
	srv.Deny("TempGetVersion")
	require.ErrorIs(t, probe(), sql.ErrNoRows, "metadata follows permissions")
	srv.Restore("TempGetVersion")
	require.NoError(t, probe())
}

func TestDrop(t *testing.T) {
	for point, rows := range map[DropPoint]int{BeforeEffect: 0, AfterEffect: 1, MidReply: 1} {
		srv, db := start(t, Options{})
		require.NoError(t, db.PingContext(in10s(t)))
		srv.DropNext("TempInsertStateItemLong", point)
		_, err := db.ExecContext(in10s(t), "dbo.TempInsertStateItemLong", sql.Named("id", "x"), sql.Named("itemLong", blob(100000)), sql.Named("timeout", int32(20)))
		var op *net.OpError
		require.True(t, errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), "%T %v", err, err)
		require.Len(t, srv.Rows(), rows)
		again(t, db)

		// In the middle of a long result set.
		srv.Put(Row{SessionID: "long", LockCookie: 1, Timeout: 20, SessionItemLong: blob(1 << 20)})
		srv.DropNext("TempGetStateItemExclusive3", point)
		var sink sql.NullBool
		result, err := db.QueryContext(in10s(t), "dbo.TempGetStateItemExclusive3", sql.Named("id", "long"), sql.Named("itemShort", sql.Out{Dest: &[]byte{}}), sql.Named("locked", sql.Out{Dest: &sink}),
			sql.Named("lockAge", sql.Out{Dest: &sql.NullInt32{}}), sql.Named("lockCookie", sql.Out{Dest: &sql.NullInt32{}}), sql.Named("actionFlags", sql.Out{Dest: &sql.NullInt32{}}))
		if err == nil {
			for result.Next() {
			}
			err = result.Err()
			result.Close()
		}
		require.Error(t, err)
		require.False(t, sink.Valid)
		require.Equal(t, point != BeforeEffect, srv.Locked("long"))
	}
}

// A cancelled call has no effect, the attention is acknowledged, and the
// connection serves the next call.
func TestAttention(t *testing.T) {
	srv, db := start(t, Options{})
	db.SetMaxOpenConns(1)
	insertShort(t, db, "x", []byte("s"))
	wait := func(how string, arrived <-chan struct{}) {
		t.Helper()
		ctx, cancel := context.WithCancel(in10s(t))
		done := make(chan error, 1)
		go func() {
			_, err := db.ExecContext(ctx, "dbo.TempRemoveStateItem", sql.Named("id", "x"), sql.Named("lockCookie", int32(1)))
			done <- err
		}()
		<-arrived
		cancel()
		require.ErrorIs(t, <-done, context.Canceled, how)
		require.Len(t, srv.Rows(), 1)
		require.Equal(t, []byte("s"), get(t, db, "dbo.TempGetStateItem3", "x").Short)
		require.Equal(t, 1, logins(srv), "the connection survived")
	}
	arrived, _ := srv.Pause("TempRemoveStateItem")
	wait("paused", arrived)

	srv.Delay(time.Hour, "TempRemoveStateItem")
	arrived, resume := srv.Pause("TempRemoveStateItem")
	resume()
	wait("delayed", arrived)
	srv.Delay(0, "TempRemoveStateItem")

	// A deadline does the same; this driver then closes the connection.
	srv.Pause("TempRemoveStateItem")
	ctx, cancel := context.WithTimeout(in10s(t), 20*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(ctx, "dbo.TempRemoveStateItem", sql.Named("id", "x"), sql.Named("lockCookie", int32(1)))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualValues(t, 1, affected(t, db, "dbo.TempRemoveStateItem", sql.Named("id", "x"), sql.Named("lockCookie", int32(1))))
}

func TestPauseGoesOn(t *testing.T) {
	srv, db := start(t, Options{})
	insertShort(t, db, "x", []byte("s"))
	arrived, resume := srv.Pause("TempResetTimeout")
	done := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(in10s(t), "dbo.TempResetTimeout", sql.Named("id", "x"))
		done <- err
	}()
	<-arrived
	last := srv.Calls()[len(srv.Calls())-1]
	require.False(t, last.Finished)
	srv.Advance(time.Hour) // others go on meanwhile
	require.Equal(t, []byte("s"), get(t, db, "dbo.TempGetStateItem3", "x").Short)
	resume()
	require.NoError(t, <-done)
	start := time.Now()
	srv.Delay(30*time.Millisecond, "")
	require.NoError(t, db.PingContext(in10s(t)))
	require.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
}

func TestRestart(t *testing.T) {
	srv, db := start(t, Options{Databases: []Database{{TempTables: true, Layouts: []Layout{Classic4, Async2InMemory, Async2InMemoryDurable}}, {Name: "Kept"}}})
	kept := open(t, srv.URL(User, Password, "Kept"))
	insertShort(t, db, "x", nil)
	insertShort(t, kept, "x", nil)
	for _, mark := range []string{"M", "MD"} {
		affected(t, db, "InsertStateItem"+mark, sql.Named("SessionId", "x"), sql.Named("Timeout", int32(20)), sql.Named("SessionItemLong", []byte{1}))
	}
	arrived, _ := srv.Pause("TempResetTimeout")
	done := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(in10s(t), "dbo.TempResetTimeout", sql.Named("id", "x"))
		done <- err
	}()
	<-arrived
	srv.Restart()
	require.Error(t, <-done)
	require.Empty(t, srv.Rows())
	require.Empty(t, srv.In("ASPState", "ASPNetSessionState_InMem").Rows())
	require.Len(t, srv.In("ASPState", "ASPNetSessionState_InMemDurable").Rows(), 1)
	require.Len(t, srv.In("Kept", "ASPStateTempSessions").Rows(), 1)
	for _, pool := range []*sql.DB{kept, db} {
		again(t, pool)
	}
	insertShort(t, db, "x", nil)
}

func TestLostStartupProcedure(t *testing.T) {
	srv, db := start(t, Options{Databases: []Database{{TempTables: true, NoStartup: true}}})
	insertShort(t, db, "x", nil)
	srv.Restart()
	again(t, db)
	require.Empty(t, srv.Rows())
	var id sql.NullInt32
	for proc, args := range map[string][]any{
		"dbo.TempResetTimeout": {sql.Named("id", "x")},
		"dbo.TempGetAppID":     {sql.Named("appName", mssql.VarChar("a")), sql.Named("appId", sql.Out{Dest: &id})},
	} {
		_, err := db.ExecContext(in10s(t), proc, args...)
		sqlError(t, err, 208)
	}
	affected(t, db, "EXEC dbo.CreateTempTables")
	insertShort(t, db, "x", nil)
}

// again waits until the pool has found out that its connections are dead.
func again(t *testing.T, db *sql.DB) {
	t.Helper()
	require.Eventually(t, func() bool { return db.PingContext(in10s(t)) == nil }, 10*time.Second, time.Millisecond)
}

func TestTrace(t *testing.T) {
	srv, db := start(t, Options{})
	insertShort(t, db, "x", blob(7000))
	srv.Put(Row{SessionID: "long", Timeout: 20, SessionItemLong: blob(8000)})
	srv.ResetTrace()
	get(t, db, "dbo.TempGetStateItemExclusive3", "long")
	affected(t, db, "dbo.TempUpdateStateItemLong", sql.Named("id", "long"), sql.Named("itemLong", blob(9000)), sql.Named("timeout", int32(20)), sql.Named("lockCookie", int32(1)))
	require.Equal(t, []string{"TempGetStateItemExclusive3", "TempUpdateStateItemLong"}, srv.Names())
	require.Equal(t, []Call{
		{Conn: 1, Database: "ASPState", Name: "TempGetStateItemExclusive3", Reset: true, Finished: true, Rows: 1, Affected: 1, Params: []Param{
			{"@id", "nvarchar(4)", 8, false}, {"@itemShort", "varbinary(max)", -1, true}, {"@locked", "bit", -1, true}, {"@lockAge", "int", -1, true}, {"@lockCookie", "int", -1, true}, {"@actionFlags", "int", -1, true}}},
		{Conn: 1, Database: "ASPState", Name: "TempUpdateStateItemLong", Reset: true, Finished: true, Affected: 1, Params: []Param{
			{"@id", "nvarchar(4)", 8, false}, {"@itemLong", "varbinary(max)", 9000, false}, {"@timeout", "int", 4, false}, {"@lockCookie", "int", 4, false}}},
	}, srv.Calls())
	require.True(t, srv.Delete("long"))
	require.False(t, srv.Delete("long"))
}
