package sqlservertest

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/require"
)

// Every column type with and without NULLs, in packets of the smallest, usual and
// largest size.
func TestResultSets(t *testing.T) {
	columns := []Column{
		{"int", Int, 0}, {"bigint", BigInt, 0}, {"smallint", SmallInt, 0}, {"tinyint", TinyInt, 0}, {"bit", Bit, 0}, {"float", Float, 0}, {"datetime", DateTime, 0},
		{"nvarchar", NVarChar, 0}, {"nvarchar(20)", NVarChar, 20}, {"varchar", VarChar, 0}, {"char(5)", Char, 5}, {"varbinary", VarBinary, 0}, {"varbinary(5)", VarBinary, 5}, {"image", Image, 0},
	}
	when := time.Date(1753, 1, 1, 23, 59, 59, 990000000, time.UTC)
	values := []any{int32(-5), int64(1) << 40, int16(-300), uint8(255), true, 1.5, when, "grüße 😀", "Ωmega", "plain", "abc", blob(70000), []byte{1, 2}, blob(40000)}
	sent := []any{int64(-5), int64(1) << 40, int64(-300), int64(255), true, 1.5, when, "grüße 😀", "Ωmega", "plain", "abc  ", blob(70000), []byte{1, 2}, blob(40000)}
	nulls := make([]any, len(columns))
	mixed := append([]any{}, values...)
	mixed[0], mixed[9], mixed[13] = nil, nil, []byte(nil)
	wantMixed := append([]any{}, sent...)
	wantMixed[0], wantMixed[9], wantMixed[13] = nil, nil, nil

	srv := Run(t, Options{})
	srv.Script("^SELECT \\* FROM everything", Result{Columns: columns, Rows: [][]any{values, nulls, mixed}}, Result{Affected: 7}, Result{Columns: []Column{{"second", Int, 0}}, Rows: [][]any{{1}}})
	for _, size := range []int{512, 4096, 32767} {
		db := open(t, fmt.Sprintf("%s&packet+size=%d", srv.DSN(), size))
		rows, err := db.QueryContext(in10s(t), "select * from EVERYTHING where 1=1")
		require.NoError(t, err)
		names, err := rows.Columns()
		require.NoError(t, err)
		require.Equal(t, "varbinary(5)", names[12])
		for _, want := range [][]any{sent, nulls, wantMixed} {
			require.True(t, rows.Next(), "%v", rows.Err())
			got := make([]any, len(columns))
			dest := make([]any, len(columns))
			for i := range got {
				dest[i] = &got[i]
			}
			require.NoError(t, rows.Scan(dest...))
			require.Equal(t, want, got)
		}
		require.False(t, rows.Next())
		require.True(t, rows.NextResultSet())
		require.True(t, rows.Next())
		require.NoError(t, rows.Close())
	}
}

func TestScriptedErrorsAndValues(t *testing.T) {
	srv, db := start(t, Options{})
	srv.Script("broken", Result{Columns: []Column{{"a", Int, 0}}, Rows: [][]any{{1}}}, Result{Err: &Error{Number: 1222, Class: 16, State: 51, Message: "Lock request time out", Proc: "inner", Line: 7}})
	rows, err := db.QueryContext(in10s(t), "this is BROKEN")
	require.NoError(t, err)
	for rows.Next() {
	}
	rows.NextResultSet()
	e := sqlError(t, rows.Err(), 1222)
	rows.Close()
	require.Equal(t, "inner", e.ProcName)
	require.EqualValues(t, 7, e.LineNo)
	require.EqualValues(t, 51, e.State)
	require.Equal(t, serverName, e.ServerName)

	for name, r := range map[string]Result{
		"a type that has no form": {Columns: []Column{{"a", Int, 0}}, Rows: [][]any{{struct{}{}}}},
		"a value too many":        {Columns: []Column{{"a", Int, 0}}, Rows: [][]any{{1, 2}}},
		"text as a date":          {Columns: []Column{{"a", DateTime, 0}}, Rows: [][]any{{"today"}}},
		"a number too large":      {Columns: []Column{{"a", TinyInt, 0}}, Rows: [][]any{{256}}},
	} {
		srv.Script("^wrong values", r)
		_, err = db.ExecContext(in10s(t), "wrong values")
		require.ErrorContains(t, err, "row 0", name)
	}
	srv.Script("^create ")
	require.EqualValues(t, 0, affected(t, db, "CREATE PROCEDURE x AS SELECT 1"))
	require.Contains(t, srv.Batches(), "CREATE PROCEDURE x AS SELECT 1")
}

// A text that nobody taught is an error that says so.
func TestUnknownText(t *testing.T) {
	srv, db := start(t, Options{})
	_, err := db.ExecContext(in10s(t), "SELECT * FROM sys.tables")
	e := sqlError(t, err, 50000)
	require.Contains(t, e.Message, "sys.tables")
	require.Contains(t, e.Message, "Handle or Script")
	srv.Handle("tables", "select * from {view}", func(r *Request) error {
		r.Rows([]Column{{"name", NVarChar, 128}}, []any{r.Found("view")})
		return nil
	})
	var name string
	require.NoError(t, db.QueryRowContext(in10s(t), "SELECT *\n\tFROM [sys].[tables] -- a comment\n;").Scan(&name))
	require.Equal(t, "tables", name)
	require.NoError(t, db.PingContext(in10s(t)))
}

// A handler has parameters, outputs and tables.
func TestHandle(t *testing.T) {
	srv, db := start(t, layouts(Async11))
	srv.SetTime(noon)
	srv.Handle("purge", "DELETE TOP (@n) FROM {table} WHERE Expires < @before", func(r *Request) error {
		table, err := r.Table(r.Found("table"))
		if err != nil {
			return err
		}
		n := int64(0)
		for _, row := range table.Rows() {
			require.Equal(t, "ASPStateTempSessions", table.Name())
			if before, ok := r.Arg("@BEFORE").(time.Time); ok && row.Expires.Before(before) && n < r.Arg("@n").(int64) {
				table.Delete(row.SessionID)
				n++
			}
		}
		r.Affected(n)
		return nil
	})
	srv.Handle("count", "set @count = (select count(*) from {table})", func(r *Request) error {
		table, err := r.Table(r.Found("table"))
		if err != nil {
			return err
		}
		r.Out("@count", len(table.Rows()))
		return nil
	})
	for i := range 5 {
		srv.Put(Row{SessionID: fmt.Sprint(i), Expires: noon.Add(time.Duration(i) * time.Minute)})
	}
	require.EqualValues(t, 2, affected(t, db, "delete top (@n) from dbo.ASPStateTempSessions where Expires < @before;", sql.Named("n", 2), sql.Named("before", noon.Add(3*time.Minute))))
	var count int64
	_, err := db.ExecContext(in10s(t), "SET @count = (SELECT COUNT(*) FROM ASPStateTempSessions)", sql.Named("count", sql.Out{Dest: &count}))
	require.NoError(t, err)
	require.EqualValues(t, 3, count)
	_, err = db.ExecContext(in10s(t), "SET @count = (SELECT COUNT(*) FROM Nowhere)", sql.Named("count", sql.Out{Dest: &count}))
	sqlError(t, err, 208)
}

// Outputs of every type that has a Go destination.
func TestOutputTypes(t *testing.T) {
	srv, db := start(t, Options{})
	srv.SetTime(noon)
	srv.Handle("all", "set all", func(r *Request) error {
		for name, v := range map[string]any{"@i": 7, "@b": true, "@s": "grüße", "@f": 2.5, "@t": r.Now(), "@d": r.Now(), "@p": blob(9000), "@n": nil} {
			r.Out(name, v)
		}
		r.Out("@absent", 1)
		return nil
	})
	var i int64
	var b bool
	var s string
	var f float64
	var at time.Time
	var d mssql.DateTime1
	var p []byte
	n := sql.NullInt32{Int32: 5, Valid: true}
	out := func(name string, dest any) sql.NamedArg { return sql.Named(name, sql.Out{Dest: dest}) }
	_, err := db.ExecContext(in10s(t), "SET all", out("i", &i), out("b", &b), out("s", &s), out("f", &f), out("t", &at), out("d", &d), out("p", &p), out("n", &n))
	require.NoError(t, err)
	require.EqualValues(t, 7, i)
	require.True(t, b)
	require.Equal(t, "grüße", s)
	require.Equal(t, 2.5, f)
	require.True(t, noon.Equal(at))
	require.True(t, noon.Equal(time.Time(d)))
	require.Equal(t, blob(9000), p)
	require.False(t, n.Valid)
	params := srv.Calls()[1].Params
	require.Equal(t, []Param{{"@i", "bigint", 8, true}}, params[:1])
}

func TestReturnStatus(t *testing.T) {
	_, db := start(t, Options{})
	status := mssql.ReturnStatus(99)
	_, err := db.ExecContext(in10s(t), "dbo.TempResetTimeout", sql.Named("id", "x"), &status)
	require.NoError(t, err)
	require.Zero(t, status)
}

// Types that this driver does not send and others do, in bytes.
func TestOtherTypes(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want any
	}{
		{"null", []byte{typeNull}, nil},
		{"tinyint", []byte{typeTinyInt, 200}, int64(200)},
		{"smallint", []byte{typeSmallInt, 0xFF, 0xFF}, int64(-1)},
		{"int", []byte{typeInt, 1, 0, 0, 0x80}, int64(-2147483647)},
		{"bigint", []byte{typeBigInt, 1, 0, 0, 0, 0, 0, 0, 0}, int64(1)},
		{"bit", []byte{typeBit, 1}, true},
		{"real", []byte{typeReal, 0, 0, 0xC0, 0x3F}, 1.5},
		{"float", []byte{typeFloat, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F}, 1.5},
		{"datetime", []byte{typeDateTime, 1, 0, 0, 0, 0x2C, 1, 0, 0}, time.Date(1900, 1, 2, 0, 0, 1, 0, time.UTC)},
		{"smalldatetime", []byte{typeDateTimeN, 4, 4, 1, 0, 60, 0}, time.Date(1900, 1, 2, 1, 0, 0, 0, time.UTC)},
		{"date", []byte{typeDate, 3, 1, 0, 0}, time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)},
		{"uniqueidentifier", append([]byte{typeGUID, 16, 16}, blob(16)...), blob(16)},
		{"binary(2)", []byte{typeBinary, 2, 0, 2, 0, 7, 8}, []byte{7, 8}},
		{"char(2)", []byte{typeChar, 2, 0, 0, 0, 0, 0, 0, 2, 0, 'a', 'b'}, "ab"},
		{"nchar(1)", []byte{typeNChar, 2, 0, 0, 0, 0, 0, 0, 2, 0, 'a', 0}, "a"},
		{"text", []byte{typeText, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'a', 'b'}, "ab"},
		{"ntext", []byte{typeNText, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'a', 0}, "a"},
		{"image", []byte{typeImage, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}, nil},
		{"varbinary(max)", []byte{typeVarBinary, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 5, 1, 0, 0, 0, 6, 0, 0, 0, 0}, []byte{5, 6}},
	} {
		d := decoder{b: c.in}
		typ := d.wireType()
		require.Equal(t, c.name, typ.String())
		require.Equal(t, c.want, d.value(typ), c.name)
		require.NoError(t, d.err, c.name)
		require.Empty(t, d.b, c.name)
		for n := range c.in { // cut anywhere
			d := decoder{b: c.in[:n]}
			d.value(d.wireType())
			require.Error(t, d.err, "%s cut at %d", c.name, n)
		}
	}
	for name, in := range map[string][]byte{
		"int of 3":        {typeIntN, 3},
		"int of 8 with 5": {typeIntN, 8, 5, 1, 2, 3, 4, 5},
		"bit of 2":        {typeBitN, 1, 2, 0, 0},
		"scale 8":         {typeDateTime2, 8, 1, 1},
		"odd nvarchar":    {typeNVarChar, 4, 0, 0, 0, 0, 0, 0, 3, 0, 1, 2, 3},
		"short date":      {typeDate, 2, 1, 1},
		"long chunks":     {typeVarBinary, 0xFF, 0xFF, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 6, 0, 0, 0, 0},
		"xml":             {0xF1, 0},
		"negative image":  {typeImage, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF},
	} {
		d := decoder{b: in}
		d.value(d.wireType())
		require.Error(t, d.err, name)
	}
}

func TestDateTime(t *testing.T) {
	for _, at := range []time.Time{noon, {}, time.Date(1753, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(1899, 12, 31, 23, 59, 59, 999e6, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 990e6, time.UTC)} {
		got := toDateTime(at)
		require.InDelta(t, 0, got.Sub(at), float64(time.Second)/600+1)
		require.Equal(t, got, toDateTime(got), "rounding twice")
		_, ticks := splitDateTime(at)
		require.Less(t, ticks, uint32(300*daySeconds), "the day has no such tick")
	}
	for _, typ := range []wireType{dateType, {id: typeDateTimeN, size: 4}, {id: typeDateTime2, scale: 7}, {id: typeDateTime2, scale: 3}, {id: typeDateTimeOffset, scale: 0}} {
		var e encoder
		require.NoError(t, e.value(typ, noon))
		d := decoder{b: e.b}
		require.Equal(t, noon, d.value(typ), "%s", typ)
		require.NoError(t, d.err)
		require.Empty(t, d.b)
	}
}
