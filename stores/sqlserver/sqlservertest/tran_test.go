package sqlservertest

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTransactions(t *testing.T) {
	srv, db := start(t, Options{})
	ctx := in10s(t)
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	insertShort(t, tx, "undone", nil)
	require.Len(t, srv.Rows(), 1)
	require.NoError(t, tx.Rollback())
	require.Empty(t, srv.Rows())

	insertShort(t, db, "before", []byte("kept"))
	tx, err = db.BeginTx(ctx, nil)
	require.NoError(t, err)
	get(t, tx, "dbo.TempGetStateItemExclusive3", "before")
	affected(t, tx, "dbo.TempUpdateStateItemShort", sql.Named("id", "before"), sql.Named("itemShort", []byte("new")), sql.Named("timeout", int32(20)), sql.Named("lockCookie", int32(2)))

	// The others wait, and can give up.
	short, cancel := context.WithCancel(ctx)
	waiting := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(short, "dbo.TempResetTimeout", sql.Named("id", "before"))
		waiting <- err
	}()
	require.Eventually(t, func() bool { return srv.Names()[len(srv.Names())-1] == "TempResetTimeout" }, 10*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-waiting, context.Canceled)
	require.NoError(t, tx.Commit())
	row, _ := srv.Get("before")
	require.Equal(t, []byte("new"), row.SessionItemShort)
	require.EqualValues(t, 2, row.LockCookie)

	// A deadlock's victim has lost its transaction.
	tx, err = db.BeginTx(ctx, nil)
	require.NoError(t, err)
	insertShort(t, tx, "victim", nil)
	srv.FailNext(1205, 1, "TempResetTimeout")
	_, err = tx.ExecContext(ctx, "dbo.TempResetTimeout", sql.Named("id", "before"))
	sqlError(t, err, 1205)
	_, there := srv.Get("victim")
	require.False(t, there)
	tx.Rollback()

	// A connection that ends takes its transaction along.
	tx, err = db.BeginTx(ctx, nil)
	require.NoError(t, err)
	insertShort(t, tx, "lost", nil)
	srv.DropConnections()
	_, there = srv.Get("lost")
	require.False(t, there)
	tx.Rollback()
	again(t, db)
}

// Text transactions, the pool's reset, and the errors of ends without beginnings.
func TestTextTransactions(t *testing.T) {
	srv, db := start(t, Options{Databases: []Database{{}, {Name: "Other"}}})
	db.SetMaxOpenConns(1)
	ctx := in10s(t)
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	exec := func(text string) {
		t.Helper()
		_, err := conn.ExecContext(ctx, text)
		require.NoError(t, err)
	}
	exec("BEGIN TRAN")
	exec("begin transaction;")
	insertShort(t, conn, "x", nil)
	exec("COMMIT TRAN")
	exec("commit transaction")
	_, err = conn.ExecContext(ctx, "COMMIT TRAN")
	sqlError(t, err, 3902)
	_, err = conn.ExecContext(ctx, "ROLLBACK TRAN")
	sqlError(t, err, 3903)
	exec("IF @@TRANCOUNT > 0 ROLLBACK")
	require.Len(t, srv.Rows(), 1)

	exec("USE Other")
	var name string
	require.NoError(t, conn.QueryRowContext(ctx, "select db_name()").Scan(&name))
	require.Equal(t, "Other", name)
	_, err = conn.ExecContext(ctx, "USE Nowhere")
	sqlError(t, err, 911)
	exec("BEGIN TRAN")
	insertShort(t, conn, "forgotten", nil)
	require.NoError(t, conn.Close()) // to the pool, which resets it
	require.NoError(t, db.QueryRowContext(ctx, "select db_name()").Scan(&name))
	require.Equal(t, "ASPState", name)
	require.Empty(t, srv.In("Other", "ASPStateTempSessions").Rows())
	require.Equal(t, 1, logins(srv))
}
