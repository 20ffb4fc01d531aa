package sqlservertest

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Texts of the shape that version 1.1 of the async provider sends.
func textsOf11(table string, inMemory bool) map[string]string {
	now := "DECLARE @now AS datetime  DECLARE @nowLocal AS datetime\nSET @now = GETUTCDATE() SET @nowLocal = GETDATE()\n"
	touch := "SET Expires = DATEADD(n, Timeout, @now),\n"
	flags := "Flags = CASE WHEN (Flags & 1) <> 0 THEN (Flags & ~1) ELSE Flags END, @ActionFlags = CASE WHEN (Flags & 1) <> 0 THEN 1 ELSE 0 END\n"
	columns := "(SessionId, SessionItemLong, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie"
	values := "VALUES (@SessionId, @SessionItemLong, @Timeout, DATEADD(n, @Timeout, @now), 0, @now, @nowLocal, 1"
	mine := " WHERE SessionId = @SessionId AND LockCookie = @LockCookie"
	texts := map[string]string{
		"InsertStateItem":         now + "INSERT {0} " + columns + ")\n" + values + ")",
		"InsertUninitializedItem": now + "INSERT {0} " + columns + ", Flags)\n" + values + ", 1)",
		"UpdateStateItem":         "UPDATE {0} WITH (ROWLOCK) SET Expires = DATEADD(n, @Timeout, GETUTCDATE()), SessionItemLong = @SessionItemLong, Timeout = @Timeout, Locked = 0" + mine,
		"ReleaseItemExclusive":    "UPDATE {0} SET Expires = DATEADD(n, Timeout, GETUTCDATE()), Locked = 0" + mine,
		"RemoveStateItem":         "DELETE {0}" + mine,
		"ResetItemTimeout":        "UPDATE {0} SET Expires = DATEADD(n, Timeout, GETUTCDATE()) WHERE SessionId = @SessionId",
		"DeleteExpiredSessions": "SET NOCOUNT ON SET DEADLOCK_PRIORITY LOW DECLARE @now datetime SET @now = GETUTCDATE() CREATE TABLE #tblExpiredSessions (SessionId nvarchar(88) NOT NULL PRIMARY KEY) " +
			"INSERT #tblExpiredSessions (SessionId) SELECT SessionId FROM {0} WHERE Expires < @now /* cursor */ IF @@ROWCOUNT <> 0 BEGIN DELETE FROM {0} WHERE SessionId = @SessionId AND Expires < @now END DROP TABLE #tblExpiredSessions",
		"GetStateItemExclusive": "BEGIN TRAN\nDECLARE @textptr AS varbinary(16) " + now + "UPDATE {0} WITH (ROWLOCK, XLOCK) " + touch + "LockDate = CASE Locked WHEN 0 THEN @now ELSE LockDate END, " +
			"@LockCookie = LockCookie = CASE Locked WHEN 0 THEN LockCookie + 1 ELSE LockCookie END, @Locked = Locked, Locked = 1, " + flags +
			"WHERE SessionId = @SessionId IF @length IS NOT NULL BEGIN READTEXT {0}.SessionItemLong @textptr 0 @length END COMMIT TRAN",
		"GetStateItem": "BEGIN TRAN\nDECLARE @textptr AS varbinary(16) " + now + "UPDATE {0} WITH (XLOCK, ROWLOCK) " + touch + "@Locked = Locked, @LockAge = DATEDIFF(second, LockDate, @now), " + flags +
			"WHERE SessionId = @SessionId IF @length IS NOT NULL BEGIN READTEXT {0}.SessionItemLong @textptr 0 @length END COMMIT TRAN",
	}
	if inMemory {
		texts["UpdateStateItem"] = strings.Replace(texts["UpdateStateItem"], " WITH (ROWLOCK)", "", 1)
		texts["GetStateItemExclusive"] = "DECLARE @textptr AS varbinary(max) " + now + "DECLARE @LockedCheck bit DECLARE @Flags int SELECT @LockedCheck = Locked, @Flags = Flags FROM {0} WHERE SessionID = @SessionId " +
			"IF @Flags&1 <> 0 SET @actionFlags = 1 IF @LockedCheck = 1 BEGIN UPDATE {0} " + touch + "@LockCookie = LockCookie WHERE SessionId = @SessionId END ELSE BEGIN UPDATE {0} " + touch +
			"@LockCookie = LockCookie = LockCookie + 1, --a comment\n Locked = 1 WHERE SessionId = @SessionId IF @TextPtr IS NOT NULL SELECT @TextPtr END"
		texts["GetStateItem"] = "DECLARE @textptr AS varbinary(max) " + now + "UPDATE {0} " + touch + "@Locked = Locked, " + flags + "WHERE SessionId = @SessionId IF @length IS NOT NULL BEGIN SELECT @textptr END"
	}
	for name, text := range texts {
		texts[name] = strings.ReplaceAll(text, "{0}", table)
	}
	return texts
}

// The async layouts have one behaviour: 1.1 in text, 2.x in procedures.
func TestAsyncLayouts(t *testing.T) {
	procs := func(prefix, suffix string) map[string]string {
		names := map[string]string{"DeleteExpiredSessions": prefix + "DeleteExpiredSessionState" + suffix}
		for _, base := range []string{"GetStateItem", "GetStateItemExclusive", "InsertStateItem", "InsertUninitializedItem", "UpdateStateItem", "ReleaseItemExclusive", "RemoveStateItem", "ResetItemTimeout"} {
			names[base] = prefix + base + suffix
		}
		return names
	}
	for _, c := range []struct {
		name   string
		layout Layout
		table  string
		texts  map[string]string
	}{
		{"1.1", Async11, "", textsOf11("ASPStateTempSessions", false)},
		{"1.1 named", Async11, "Mine", textsOf11("[dbo].[Mine]", false)},
		{"1.1 in memory", Async11InMemory, "", textsOf11("ASPStateTempSessions", true)},
		{"2", Async2, "", procs("", "")},
		{"2 named", Async2, "Mine", procs("Mine_", "")},
		{"2 in memory", Async2InMemory, "", procs("", "M")},
		{"2 durable", Async2InMemoryDurable, "", procs("", "MD")},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, db := start(t, Options{Databases: []Database{{Layouts: []Layout{c.layout}, SessionTable: c.table}}})
			srv.SetTime(noon)
			const id = "4m4irghotazmxblpyakfaw1dB3003E84"
			key, timeout := sql.Named("SessionId", id), sql.Named("Timeout", int32(20))
			item := func(b []byte) sql.NamedArg { return sql.Named("SessionItemLong", b) }
			cookie := func(n int32) sql.NamedArg { return sql.Named("LockCookie", n) }

			none := reply{}
			if c.layout == Async11InMemory {
				none.Flags = some(0)
			}
			require.Equal(t, none, getAsync(t, db, c.texts["GetStateItemExclusive"], id))
			require.Equal(t, reply{}, getAsync(t, db, c.texts["GetStateItem"], id))
			require.EqualValues(t, 1, affected(t, db, c.texts["InsertUninitializedItem"], key, timeout, item([]byte{1})))
			_, err := db.ExecContext(in10s(t), c.texts["InsertStateItem"], key, timeout, item([]byte{2}))
			sqlError(t, err, 2627)
			srv.Advance(time.Second)
			require.Equal(t, reply{Long: []byte{1}, Locked: is(false), Age: some(0), Cookie: some(2), Flags: some(1)}, getAsync(t, db, c.texts["GetStateItemExclusive"], id))
			srv.Advance(3 * time.Second)
			locked := reply{Locked: is(true), Age: some(3), Cookie: some(2), Flags: some(0)}
			require.Equal(t, locked, getAsync(t, db, c.texts["GetStateItemExclusive"], id))
			require.Equal(t, locked, getAsync(t, db, c.texts["GetStateItem"], id))

			require.EqualValues(t, 0, affected(t, db, c.texts["UpdateStateItem"], key, cookie(1), timeout, item(blob(9000))))
			require.EqualValues(t, 1, affected(t, db, c.texts["UpdateStateItem"], key, cookie(2), timeout, item(blob(1<<20))))
			require.Equal(t, blob(1<<20), getAsync(t, db, c.texts["GetStateItem"], id).Long)
			require.EqualValues(t, 1, affected(t, db, c.texts["UpdateStateItem"], key, cookie(2), timeout, item(nil)))
			require.Nil(t, getAsync(t, db, c.texts["GetStateItemExclusive"], id).Long)
			require.True(t, srv.Locked(id))
			require.EqualValues(t, 0, affected(t, db, c.texts["ReleaseItemExclusive"], key, cookie(2)))
			require.EqualValues(t, 1, affected(t, db, c.texts["ReleaseItemExclusive"], key, cookie(3)))
			require.False(t, srv.Locked(id))

			_, anyCase := srv.Get(strings.ToLower(id))
			require.Equal(t, strings.Contains(c.name, "memory") || strings.Contains(c.name, "durable"), !anyCase, "in memory the collation is binary")

			srv.Advance(time.Minute)
			require.EqualValues(t, 1, affected(t, db, c.texts["ResetItemTimeout"], key))
			row, _ := srv.Get(id)
			require.Equal(t, srv.Now().Add(20*time.Minute), row.Expires)
			affected(t, db, c.texts["InsertStateItem"], sql.Named("SessionId", "other"), sql.Named("Timeout", int32(60)), item([]byte{3}))
			srv.Advance(21 * time.Minute)
			affected(t, db, c.texts["DeleteExpiredSessions"])
			require.Len(t, srv.Rows(), 1)
			require.EqualValues(t, 1, affected(t, db, c.texts["RemoveStateItem"], sql.Named("SessionId", "other"), cookie(1)))
			require.Empty(t, srv.Rows())
			require.Contains(t, srv.Names()[len(srv.Names())-1], "RemoveStateItem", "texts have names in the trace")
		})
	}
}

const askTable = "BEGIN DECLARE @tableType int DECLARE @isMemoryOpt int SET @tableType = 0 IF EXISTS (SELECT * FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'ASPStateTempSessions') SET @tableType = 1 SELECT @tableType, @isMemoryOpt END"

func tableKind(t *testing.T, db *sql.DB) (kind [2]int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(in10s(t), askTable).Scan(&kind[0], &kind[1]))
	return kind
}

func TestTableQuestion(t *testing.T) {
	for layout, want := range map[Layout][2]int{Classic4: {2, 0}, Classic2: {2, 0}, Async11: {3, 0}, Async11InMemory: {4, 2}, Async2: {0, 0}} {
		_, db := start(t, layouts(layout))
		require.Equal(t, want, tableKind(t, db), "%d", layout)
	}
}

func TestCreateSessionTable(t *testing.T) {
	reset := textsOf11("ASPStateTempSessions", false)["ResetItemTimeout"]
	for columns, kind := range map[string]int{
		"SessionItemLong image NULL, Flags int) CREATE NONCLUSTERED INDEX i ON ASPStateTempSessions (Expires)": 3,
		"SessionItemLong varbinary(max) NULL)":                                                        4,
		"SessionItemLong varbinary(max) NULL) WITH (MEMORY_OPTIMIZED = ON, DURABILITY = SCHEMA_ONLY)": 4,
	} {
		_, db := start(t, layouts([]Layout{}...))
		require.Zero(t, tableKind(t, db)[0])
		_, err := db.ExecContext(in10s(t), reset, sql.Named("SessionId", "x"))
		sqlError(t, err, 208)
		create := "IF NOT EXISTS (SELECT * FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'ASPStateTempSessions')\nBEGIN CREATE TABLE ASPStateTempSessions (SessionId nvarchar(88) NOT NULL, " + columns + " END"
		for range 2 {
			affected(t, db, create)
			require.EqualValues(t, 0, affected(t, db, reset, sql.Named("SessionId", "x")))
			require.Equal(t, kind, tableKind(t, db)[0])
		}
	}
}

func TestLayoutsThatClash(t *testing.T) {
	_, err := Start(layouts(Classic4, Async11))
	require.ErrorContains(t, err, "ASPStateTempSessions")
	_, err = Start(Options{Databases: []Database{{}, {Name: "aspstate"}}})
	require.Error(t, err)
	_, err = Start(layouts(99))
	require.Error(t, err)
	_, err = Start(Options{Address: "not an address"})
	require.Error(t, err)
	srv := Run(t, layouts(Classic4, Async2, Async2InMemory, Async2InMemoryDurable))
	require.Len(t, srv.dbs["aspstate"].tables, 4)
}
