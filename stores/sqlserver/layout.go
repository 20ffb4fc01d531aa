package sqlserver

import (
	"database/sql"
)

// A Layout is how sessions lie in the database and who else uses them.
type Layout uint8

const (
	// Classic is what aspnet_regsql installs, for sessionState mode="SQLServer".
	Classic Layout = iota
	// AsyncCompat is the async provider's FrameworkCompat, its default, and its
	// version 1.1: table ASPStateTempSessions, either the classic one with its
	// procedures, or the provider's own, reached by SQL text. Which of the two is
	// looked up at the first use.
	AsyncCompat
	// Async is its repositoryType SqlServer: table ASPNetSessionState.
	Async
	// AsyncInMemory is its InMemory: table ASPNetSessionState_InMem. A restart of
	// the server loses every session.
	AsyncInMemory
	// AsyncInMemoryDurable is its InMemoryDurable.
	AsyncInMemoryDurable
)

// A statement is one call: a procedure's name or text, and its arguments.
type statement struct {
	object string // for messages
	text   string
	args   []any
}

// A row is what reading a session brings. All is NULL where there is none.
type row struct {
	locked              sql.NullBool
	age, cookie, action sql.NullInt32
	short, long         []byte
}

// blob is the payload. The result set goes first: FrameworkCompat leaves stale
// bytes in the short column beside a valid long one.
func (r *row) blob() []byte {
	if r.long != nil {
		return r.long
	}
	return r.short
}

// A dialect makes the calls of a layout. Every one of them but insert renews the
// sliding timeout; those that take a lock cookie do nothing unless it is the
// row's.
type dialect interface {
	read(r *row, key string, exclusive bool) statement
	insert(key string, blob []byte, minutes int32, uninitialized bool) statement
	update(key string, blob []byte, minutes, cookie int32) statement
	release(key string, cookie int32) statement
	remove(key string, cookie int32) statement
	touch(key string) statement
	// tables are the names under which the table may be found by text, the
	// likeliest first; memory says that locking hints are refused there.
	tables() (names []string, memory bool)
	// purge is the procedure that deletes what has expired, "" for none.
	purge() string
}

func in(name string, v any) sql.NamedArg  { return sql.Named(name, v) }
func out(name string, p any) sql.NamedArg { return sql.Named(name, sql.Out{Dest: p}) }
