package sqlservertest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/require"
)

// in10s bounds what must not hang, generously.
func in10s(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, opt Options) (*Server, *sql.DB) {
	t.Helper()
	srv := Run(t, opt)
	return srv, open(t, srv.DSN())
}

func layouts(l ...Layout) Options {
	return Options{Databases: []Database{{Layouts: l}}}
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlserver", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// A reply is what a get procedure came to.
type reply struct {
	Short, Long []byte // Long nil: no result set
	Locked      sql.NullBool
	Age         sql.NullInt32
	Cookie      sql.NullInt32
	Flags       sql.NullInt32
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// get calls a get procedure of the third generation or one with its parameters.
func get(t *testing.T, db querier, proc, id string) reply {
	t.Helper()
	var r reply
	r.Long = query(t, db, proc, sql.Named("id", id), sql.Named("itemShort", sql.Out{Dest: &r.Short}), sql.Named("locked", sql.Out{Dest: &r.Locked}),
		sql.Named("lockAge", sql.Out{Dest: &r.Age}), sql.Named("lockCookie", sql.Out{Dest: &r.Cookie}), sql.Named("actionFlags", sql.Out{Dest: &r.Flags}))
	return r
}

// getAsync is get of the async provider's procedures and texts.
func getAsync(t *testing.T, db querier, proc, id string) reply {
	t.Helper()
	var r reply
	r.Long = query(t, db, proc, sql.Named("SessionId", id), sql.Named("Locked", sql.Out{Dest: &r.Locked}),
		sql.Named("LockAge", sql.Out{Dest: &r.Age}), sql.Named("LockCookie", sql.Out{Dest: &r.Cookie}), sql.Named("ActionFlags", sql.Out{Dest: &r.Flags}))
	return r
}

// query returns the one value of the result set, nil without a row.
func query(t *testing.T, db querier, text string, args ...any) []byte {
	t.Helper()
	rows, err := db.QueryContext(in10s(t), text, args...)
	require.NoError(t, err)
	defer rows.Close()
	var long []byte
	for rows.Next() {
		require.Nil(t, long, "a second row")
		require.NoError(t, rows.Scan(&long))
		require.NotNil(t, long)
	}
	require.NoError(t, rows.Err())
	return long
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// affected calls what must succeed and returns the row count.
func affected(t *testing.T, db execer, text string, args ...any) int64 {
	t.Helper()
	res, err := db.ExecContext(in10s(t), text, args...)
	require.NoError(t, err)
	n, err := res.RowsAffected()
	require.NoError(t, err)
	return n
}

func insertShort(t *testing.T, db execer, id string, item []byte) {
	t.Helper()
	require.EqualValues(t, 1, affected(t, db, "dbo.TempInsertStateItemShort", sql.Named("id", id), sql.Named("itemShort", item), sql.Named("timeout", int32(20))))
}

// sqlError is the error that the server sent.
func sqlError(t *testing.T, err error, number int32) mssql.Error {
	t.Helper()
	var e mssql.Error
	require.Error(t, err)
	require.True(t, errors.As(err, &e), "%T %v", err, err)
	require.Equal(t, number, e.Number, "%v", err)
	return e
}

func blob(n int) []byte {
	return bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
}

func some(n int32) sql.NullInt32 { return sql.NullInt32{Int32: n, Valid: true} }
func is(b bool) sql.NullBool     { return sql.NullBool{Bool: b, Valid: true} }

// noLeak fails if goroutines are left of what the test started.
func noLeak(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		var now int
		for range 200 {
			if now = runtime.NumGoroutine(); now <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, now, buf[:runtime.Stack(buf, true)])
	})
}
