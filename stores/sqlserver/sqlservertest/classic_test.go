package sqlservertest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAppID(t *testing.T) {
	srv, db := start(t, Options{})
	appID := func(name string) int32 {
		var id sql.NullInt32
		_, err := db.ExecContext(in10s(t), "dbo.TempGetAppID", sql.Named("appName", mssql.VarChar(name)), sql.Named("appId", sql.Out{Dest: &id}))
		require.NoError(t, err)
		require.True(t, id.Valid)
		return id.Int32
	}
	for name, want := range map[string]int32{
		"/LM/W3SVC/1/ROOT": 538231025, "/lm/w3svc/2/root": 729231826, "/LM/W3SVC/1/ROOT/fxtest": 708014934,
		"/LM/W3SVC/3/ROOT": 611758131, "/LM/W3SVC/1273337584/ROOT": -871514839, "": 5381,
	} {
		require.Equal(t, want, appID(name), name)
		require.Equal(t, want, appID(strings.ToUpper(name)+"  "), name)
	}
	srv.PutApp("/LM/W3SVC/4/ROOT", 538231025)
	require.EqualValues(t, 538231025, appID("/lm/w3svc/4/root"))

	// Another name with the hash of one that is there.
	srv.PutApp("other", 5382)
	var h sql.NullInt32
	_, err := db.ExecContext(in10s(t), "GetHashCode", sql.Named("input", mssql.VarChar("new")), sql.Named("hash", sql.Out{Dest: &h}))
	require.NoError(t, err)
	srv.PutApp("clash", h.Int32)
	_, err = db.ExecContext(in10s(t), "TempGetAppID", sql.Named("appName", mssql.VarChar("new")), sql.Named("appId", sql.Out{Dest: &h}))
	e := sqlError(t, err, 50000)
	require.EqualValues(t, 18, e.Class)
	require.Contains(t, e.Message, "clash")
}

func TestVersions(t *testing.T) {
	_, db := start(t, Options{})
	var ver string
	_, err := db.ExecContext(in10s(t), "[dbo].[TempGetVersion]", sql.Named("ver", sql.Out{Dest: &ver}))
	require.NoError(t, err)
	require.Equal(t, "2         ", ver)

	var major sql.NullInt32
	_, err = db.ExecContext(in10s(t), "EXEC dbo.GetMajorVersion @@ver=@ver OUTPUT", sql.Named("ver", sql.Out{Dest: &major}))
	require.NoError(t, err)
	require.Equal(t, some(16), major)

	var name string
	require.NoError(t, db.QueryRowContext(in10s(t), "Select name from sysobjects where type = 'P' and name = 'TempGetVersion'").Scan(&name))
	require.Equal(t, "TempGetVersion", name)
}

// The life of a session as the module leads it, with every output.
func TestLife(t *testing.T) {
	srv, db := start(t, Options{Zone: time.FixedZone("", 3600)})
	srv.SetTime(noon)
	const id = "4m4irghotazmxblpyakfaw1d2014c0f1"
	require.Equal(t, reply{}, get(t, db, "dbo.TempGetStateItemExclusive3", id), "no row")

	require.EqualValues(t, 1, affected(t, db, "dbo.TempInsertUninitializedItem", sql.Named("id", id), sql.Named("itemShort", []byte{20, 0, 0, 0, 0, 0, 0xFF}), sql.Named("timeout", int32(20))))
	row, ok := srv.Get(strings.ToUpper(id))
	require.True(t, ok)
	require.Equal(t, Row{SessionID: id, Created: noon, Expires: noon.Add(20 * time.Minute), LockDate: noon, LockDateLocal: noon.Add(time.Hour), LockCookie: 1, Timeout: 20,
		SessionItemShort: []byte{20, 0, 0, 0, 0, 0, 0xFF}, Flags: 1}, row)

	srv.Advance(5 * time.Second)
	require.Equal(t, reply{Short: row.SessionItemShort, Locked: is(false), Age: some(0), Cookie: some(2), Flags: some(1)}, get(t, db, "dbo.TempGetStateItemExclusive3", id))
	require.True(t, srv.Locked(id))
	srv.Advance(7 * time.Second)
	require.Equal(t, reply{Locked: is(true), Age: some(7), Cookie: some(2), Flags: some(0)}, get(t, db, "dbo.TempGetStateItemExclusive3", id))
	require.Equal(t, reply{Locked: is(true), Age: some(7), Cookie: some(2), Flags: some(0)}, get(t, db, "dbo.TempGetStateItem3", id))
	row, _ = srv.Get(id)
	require.Equal(t, noon.Add(5*time.Second), row.LockDate)
	require.Equal(t, noon.Add(20*time.Minute+12*time.Second), row.Expires, "a read renews, even of a locked session")

	save := func(cookie int32) int64 {
		return affected(t, db, "dbo.TempUpdateStateItemShort", sql.Named("id", id), sql.Named("itemShort", []byte("saved")), sql.Named("timeout", int32(30)), sql.Named("lockCookie", cookie))
	}
	require.EqualValues(t, 0, save(1), "a stale cookie")
	require.True(t, srv.Locked(id))
	require.EqualValues(t, 1, save(2))
	require.False(t, srv.Locked(id))
	row, _ = srv.Get(id)
	require.Equal(t, srv.Now().Add(30*time.Minute), row.Expires)
	require.EqualValues(t, 30, row.Timeout)
	require.EqualValues(t, 1, save(2), "saving does not ask for the lock")

	require.Equal(t, reply{Short: []byte("saved"), Locked: is(false), Age: some(7), Cookie: some(2), Flags: some(0)}, get(t, db, "dbo.TempGetStateItem3", id), "the age of an open session counts on")
	require.Equal(t, some(3), get(t, db, "dbo.TempGetStateItemExclusive3", id).Cookie)
	owned := func(proc string, cookie int32) int64 {
		return affected(t, db, proc, sql.Named("id", id), sql.Named("lockCookie", cookie))
	}
	require.EqualValues(t, 0, owned("dbo.TempReleaseStateItemExclusive", 2))
	require.EqualValues(t, 1, owned("dbo.TempReleaseStateItemExclusive", 3))
	require.False(t, srv.Locked(id))
	srv.Advance(time.Minute)
	require.EqualValues(t, 1, affected(t, db, "dbo.TempResetTimeout", sql.Named("id", id)))
	row, _ = srv.Get(id)
	require.Equal(t, srv.Now().Add(30*time.Minute), row.Expires)
	require.EqualValues(t, 0, affected(t, db, "dbo.TempResetTimeout", sql.Named("id", "nobody")))
	require.EqualValues(t, 0, owned("dbo.TempRemoveStateItem", 2))
	require.EqualValues(t, 1, owned("dbo.TempRemoveStateItem", 3))
	require.Empty(t, srv.Rows())
}

// Every size through every way in, and back by both gets.
func TestPayloads(t *testing.T) {
	srv, db := start(t, Options{})
	for _, size := range []int{0, 1, 6999, 7000, 7001, 8000, 8001, 65535, 1 << 20} {
		item := blob(size)
		for _, column := range []string{"Short", "Long"} {
			if column == "Short" && size > 7000 {
				continue
			}
			name := fmt.Sprintf("%s %d", column, size)
			check := func(id string) {
				t.Helper()
				want := reply{Locked: is(false), Age: some(0), Cookie: some(2), Flags: some(0)}
				if column == "Short" {
					want.Short = item
				} else {
					want.Long = item
				}
				got := get(t, db, "dbo.TempGetStateItemExclusive3", id)
				require.Equal(t, want, got, name)
				affected(t, db, "dbo.TempReleaseStateItemExclusive", sql.Named("id", id), sql.Named("lockCookie", int32(2)))
				got = get(t, db, "dbo.TempGetStateItem3", id)
				want.Age = got.Age // of seconds that may have passed
				require.Equal(t, want, got, name)
			}
			param := sql.Named("item"+column, item)
			id := "insert " + name
			require.EqualValues(t, 1, affected(t, db, "dbo.TempInsertStateItem"+column, sql.Named("id", id), param, sql.Named("timeout", int32(20))))
			check(id)

			other := map[string]string{"Short": "NullLong", "Long": "NullShort"}[column]
			for _, proc := range []string{"dbo.TempUpdateStateItem" + column, "dbo.TempUpdateStateItem" + column + other} {
				id := proc + name
				srv.Put(Row{SessionID: id, LockCookie: 1, Timeout: 20, Locked: true, LockDate: srv.Now(), SessionItemShort: []byte("old"), SessionItemLong: []byte("old")})
				require.EqualValues(t, 1, affected(t, db, proc, sql.Named("id", id), param, sql.Named("timeout", int32(20)), sql.Named("lockCookie", int32(1))))
				row, _ := srv.Get(id)
				kept := map[bool][]byte{true: nil, false: []byte("old")}[strings.Contains(proc, "Null")]
				if column == "Short" {
					require.Equal(t, item, row.SessionItemShort)
					require.Equal(t, kept, row.SessionItemLong)
				} else {
					require.Equal(t, item, row.SessionItemLong)
					require.Equal(t, kept, row.SessionItemShort)
				}
			}
		}
	}
	// A parameter that is too long for the short column is cut, as by T-SQL.
	insertShort(t, db, "cut", blob(7001))
	row, _ := srv.Get("cut")
	require.Len(t, row.SessionItemShort, 7000)
}

func TestBothColumnsAndNull(t *testing.T) {
	srv, db := start(t, Options{})
	srv.Put(Row{SessionID: "both", LockCookie: 1, Timeout: 20, LockDate: srv.Now(), SessionItemShort: []byte("stale"), SessionItemLong: blob(8000)})
	got := get(t, db, "dbo.TempGetStateItemExclusive3", "both")
	require.Equal(t, []byte("stale"), got.Short)
	require.Equal(t, blob(8000), got.Long)

	require.EqualValues(t, 1, affected(t, db, "dbo.TempInsertStateItemShort", sql.Named("id", "none"), sql.Named("itemShort", []byte(nil)), sql.Named("timeout", int32(20))))
	got = get(t, db, "dbo.TempGetStateItem3", "none")
	require.Nil(t, got.Short)
	require.Nil(t, got.Long)
	require.Equal(t, is(false), got.Locked)
}

// In T-SQL an output goes in, too: one that held a value keeps it if no row is
// there to assign it.
func TestOutputsGoIn(t *testing.T) {
	_, db := start(t, Options{})
	locked, cookie := true, int32(77)
	query(t, db, "dbo.TempGetStateItem3", sql.Named("id", "nobody"), sql.Named("itemShort", sql.Out{Dest: &[]byte{}}), sql.Named("locked", sql.Out{Dest: &locked}),
		sql.Named("lockAge", sql.Out{Dest: &sql.NullInt32{}}), sql.Named("lockCookie", sql.Out{Dest: &cookie}), sql.Named("actionFlags", sql.Out{Dest: &sql.NullInt32{}}))
	require.True(t, locked)
	require.EqualValues(t, 77, cookie)
}

func TestOlderGets(t *testing.T) {
	srv, db := start(t, Options{Zone: time.FixedZone("", -7200)})
	srv.SetTime(noon)
	for _, exclusive := range []string{"", "Exclusive"} {
		proc := "dbo.TempGetStateItem" + exclusive
		srv.Put(Row{SessionID: "x", LockCookie: 4, Timeout: 20, LockDate: noon.Add(-time.Minute), LockDateLocal: noon.Add(-2*time.Hour - time.Minute), SessionItemShort: []byte("s"), Flags: 1})
		var short []byte
		var locked sql.NullBool
		var age, cookie sql.NullInt32
		var date mssql.DateTime1
		query(t, db, proc+"2", sql.Named("id", "x"), sql.Named("itemShort", sql.Out{Dest: &short}), sql.Named("locked", sql.Out{Dest: &locked}),
			sql.Named("lockAge", sql.Out{Dest: &age}), sql.Named("lockCookie", sql.Out{Dest: &cookie}))
		require.Equal(t, []byte("s"), short)
		require.Equal(t, is(false), locked)
		row, _ := srv.Get("x")
		require.EqualValues(t, 1, row.Flags, "they do not know flags")
		if exclusive == "" {
			require.Equal(t, some(60), age)
			require.Equal(t, some(4), cookie)
		} else {
			require.Equal(t, some(0), age)
			require.Equal(t, some(5), cookie)
		}
		short = nil
		query(t, db, proc, sql.Named("id", "x"), sql.Named("itemShort", sql.Out{Dest: &short}), sql.Named("locked", sql.Out{Dest: &locked}),
			sql.Named("lockDate", sql.Out{Dest: &date}), sql.Named("lockCookie", sql.Out{Dest: &cookie}))
		if exclusive == "" {
			require.Equal(t, noon.Add(-2*time.Hour-time.Minute), time.Time(date).UTC())
		} else {
			require.Equal(t, noon.Add(-2*time.Hour), time.Time(date).UTC())
			require.Equal(t, is(true), locked)
			require.Nil(t, short)
		}
	}
}

func TestDuplicate(t *testing.T) {
	srv, db := start(t, Options{})
	insertShort(t, db, "key", []byte("first"))
	for _, proc := range []string{"TempInsertStateItemShort", "TempInsertUninitializedItem"} {
		_, err := db.ExecContext(in10s(t), "dbo."+proc, sql.Named("id", "KEY"), sql.Named("itemShort", []byte("second")), sql.Named("timeout", int32(20)))
		e := sqlError(t, err, 2627)
		require.EqualValues(t, 14, e.Class)
		require.Equal(t, proc, e.ProcName)
	}
	row, _ := srv.Get("key")
	require.Equal(t, []byte("first"), row.SessionItemShort)
}

// The two eras differ in what an update renews the expiry by, and in whether the
// purge counts.
func TestEras(t *testing.T) {
	for _, era := range []struct {
		layout  Layout
		minutes int
		purged  int64
	}{{Classic2, 20, 1}, {Classic4, 40, 0}} {
		srv, db := start(t, layouts(era.layout))
		srv.SetTime(noon)
		insertShort(t, db, "x", []byte("s"))
		affected(t, db, "dbo.TempUpdateStateItemShort", sql.Named("id", "x"), sql.Named("itemShort", []byte("t")), sql.Named("timeout", int32(40)), sql.Named("lockCookie", int32(1)))
		row, _ := srv.Get("x")
		require.EqualValues(t, 40, row.Timeout)
		require.Equal(t, noon.Add(time.Duration(era.minutes)*time.Minute), row.Expires)

		get(t, db, "dbo.TempGetStateItemExclusive3", "x")
		insertShort(t, db, "stays", nil)
		srv.Advance(time.Minute * 20)
		affected(t, db, "dbo.TempResetTimeout", sql.Named("id", "stays"))
		srv.Advance(time.Minute*20 + time.Second)
		affected(t, db, "dbo.TempResetTimeout", sql.Named("id", "stays"))
		require.Equal(t, era.purged, affected(t, db, "dbo.DeleteExpiredSessions"))
		require.Len(t, srv.Rows(), 1, "locked ones go, too")
	}
}

func TestExpiredRowRevives(t *testing.T) {
	srv, db := start(t, Options{})
	insertShort(t, db, "x", []byte("s"))
	srv.Advance(24 * time.Hour)
	require.Equal(t, []byte("s"), get(t, db, "dbo.TempGetStateItemExclusive3", "x").Short)
	affected(t, db, "dbo.DeleteExpiredSessions")
	require.Len(t, srv.Rows(), 1)
}

func TestArguments(t *testing.T) {
	_, db := start(t, Options{})
	id, cookie := sql.Named("id", "x"), sql.Named("lockCookie", int32(1))
	for _, c := range []struct {
		number int32
		proc   string
		args   []any
	}{
		{201, "dbo.TempRemoveStateItem", []any{id}},
		{8144, "dbo.TempRemoveStateItem", []any{id, cookie, sql.Named("more", int32(1))}},
		{8145, "dbo.TempRemoveStateItem", []any{id, sql.Named("cookie", int32(1))}},
		{8162, "dbo.TempRemoveStateItem", []any{id, sql.Named("lockCookie", sql.Out{Dest: new(int32)})}},
		{8115, "dbo.TempRemoveStateItem", []any{id, sql.Named("lockCookie", int64(1)<<40)}},
		{8114, "dbo.TempRemoveStateItem", []any{id, sql.Named("lockCookie", "one")}},
		{206, "dbo.TempRemoveStateItem", []any{id, sql.Named("lockCookie", []byte{1})}},
		{206, "dbo.TempInsertStateItemShort", []any{id, sql.Named("itemShort", "text"), sql.Named("timeout", int32(20))}},
		{515, "dbo.TempInsertStateItemShort", []any{sql.Named("id", nil), sql.Named("itemShort", []byte{1}), sql.Named("timeout", int32(20))}},
		{515, "dbo.TempInsertStateItemShort", []any{id, sql.Named("itemShort", []byte{1}), sql.Named("timeout", nil)}},
		{2812, "dbo.TempRemoveStateItem9", []any{id}},
		{2812, "master.dbo.TempRemoveStateItem", []any{id, cookie}},
		{2812, "nowhere.dbo.TempRemoveStateItem", []any{id, cookie}},
		{2714, "dbo.CreateTempTables", nil},
	} {
		_, err := db.ExecContext(in10s(t), c.proc, c.args...)
		sqlError(t, err, c.number)
	}
	// By position, by bigint, in any case, and through another database's name.
	insertShort(t, db, "x", []byte("s"))
	require.EqualValues(t, 1, affected(t, db, "ASPState.dbo.tempreleasestateitemexclusive", sql.Named("ID", "X"), sql.Named("LOCKCOOKIE", int64(1))))
	require.EqualValues(t, 1, affected(t, db, "ASPState..TempRemoveStateItem", "x", 1))
	require.EqualValues(t, 0, affected(t, db, "exec TempRemoveStateItem @id = N'x', @lockCookie = 1"))
}
