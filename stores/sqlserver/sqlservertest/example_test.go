package sqlservertest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// A session is inserted, expires an hour later, and is purged.
func Example() {
	srv, err := sqlservertest.Start(sqlservertest.Options{})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	db, err := sql.Open("sqlserver", srv.DSN())
	if err != nil {
		panic(err)
	}
	defer db.Close()
	ctx := context.Background()

	const key = "4m4irghotazmxblpyakfaw1d2014c0f1" // session id and application suffix
	_, err = db.ExecContext(ctx, "dbo.TempInsertStateItemShort",
		sql.Named("id", key), sql.Named("itemShort", []byte{20, 0, 0, 0, 0, 0, 0xFF}), sql.Named("timeout", int32(20)))
	row, ok := srv.Get(key)
	fmt.Println(err, ok, row.Timeout, row.LockCookie)

	srv.Advance(time.Hour)
	_, err = db.ExecContext(ctx, "dbo.DeleteExpiredSessions")
	fmt.Println(err, len(srv.Rows()), srv.Names())
	// Output:
	// <nil> true 20 1
	// <nil> 0 [TempInsertStateItemShort DeleteExpiredSessions]
}

// The next call is a deadlock's victim.
func ExampleServer_FailNext() {
	srv, err := sqlservertest.Start(sqlservertest.Options{})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	db, err := sql.Open("sqlserver", srv.DSN())
	if err != nil {
		panic(err)
	}
	defer db.Close()

	srv.FailNext(1205, 1, "TempResetTimeout")
	for range 2 {
		_, err = db.Exec("dbo.TempResetTimeout", sql.Named("id", "x"))
		var e mssql.Error
		fmt.Println(errors.As(err, &e), e.Number, e.Class, e.ProcName)
	}
	// Output:
	// true 1205 13 TempResetTimeout
	// false 0 0
}

// What a catalogue view of a faulty database said once is replayed.
func ExampleServer_Script() {
	srv, err := sqlservertest.Start(sqlservertest.Options{})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	db, err := sql.Open("sqlserver", srv.DSN())
	if err != nil {
		panic(err)
	}
	defer db.Close()

	srv.Script(`from sys\.procedures`, sqlservertest.Result{
		Columns: []sqlservertest.Column{{Name: "name", Type: sqlservertest.NVarChar, Size: 128}},
		Rows:    [][]any{{"TempGetAppID"}, {"TempGetVersion"}},
	})
	rows, err := db.Query("SELECT name FROM sys.procedures")
	if err != nil {
		panic(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		fmt.Println(rows.Scan(&name), name)
	}
	// Output:
	// <nil> TempGetAppID
	// <nil> TempGetVersion
}

// A text of one's own gets a meaning.
func ExampleServer_Handle() {
	srv, err := sqlservertest.Start(sqlservertest.Options{})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	db, err := sql.Open("sqlserver", srv.DSN())
	if err != nil {
		panic(err)
	}
	defer db.Close()

	srv.Handle("count", "select count(*) from {table}", func(r *sqlservertest.Request) error {
		table, err := r.Table(r.Found("table"))
		if err != nil {
			return err
		}
		r.Rows([]sqlservertest.Column{{Type: sqlservertest.Int}}, []any{len(table.Rows())})
		return nil
	})
	srv.Put(sqlservertest.Row{SessionID: "x"})
	var n int
	fmt.Println(db.QueryRow("SELECT COUNT(*) FROM [dbo].[ASPStateTempSessions];").Scan(&n), n)
	// Output: <nil> 1
}
