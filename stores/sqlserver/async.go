package sqlserver

import "strings"

// async calls the async provider's procedures, or sends SQL text with the same
// parameters where it has none.
type async struct {
	table  string // quoted
	memory bool
	// calls are the texts or the procedures' names by operation.
	calls map[operation]string
	// sweep is the procedure that purges; "" where there are no procedures.
	sweep string
}

type operation string

// The operations are named as the provider's procedures.
const (
	opGet                 operation = "GetStateItem"
	opGetExclusive        operation = "GetStateItemExclusive"
	opInsert              operation = "InsertStateItem"
	opInsertUninitialized operation = "InsertUninitializedItem"
	opUpdate              operation = "UpdateStateItem"
	opRelease             operation = "ReleaseItemExclusive"
	opRemove              operation = "RemoveStateItem"
	opTouch               operation = "ResetItemTimeout"
)

var operations = []operation{opGet, opGetExclusive, opInsert, opInsertUninitialized, opUpdate, opRelease, opRemove, opTouch}

// asyncProcedures is the layout of the repositories of 2.x. A table of the site's
// own choice goes before the procedures' names.
func asyncProcedures(l Layout, table string) *async {
	a := &async{memory: l != Async, calls: map[operation]string{}}
	standard, mark := "ASPNetSessionState", ""
	switch l {
	case AsyncInMemory:
		standard, mark = "ASPNetSessionState_InMem", "M"
	case AsyncInMemoryDurable:
		standard, mark = "ASPNetSessionState_InMemDurable", "MD"
	}
	name := func(base string) string { return quoted(base + mark) }
	if table != "" {
		standard = table
		name = func(base string) string { return quoted(table + "_" + base) }
	}
	a.table = quoted(standard)
	for _, op := range operations {
		a.calls[op] = name(string(op))
	}
	a.sweep = name("DeleteExpiredSessionState")
	return a
}

// quoted is a name in brackets: names of procedures reach the server as RPC, which
// takes them so, and a table's name is the site's.
func quoted(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

func (a *async) call(op operation, args ...any) statement {
	object := a.calls[op]
	if a.sweep == "" {
		object = string(op) + " on table " + a.table
	}
	return statement{object, a.calls[op], args}
}

func (a *async) read(r *row, key string, exclusive bool) statement {
	op := opGet
	if exclusive {
		op = opGetExclusive
	}
	return a.call(op, in("SessionId", key), out("Locked", &r.locked), out("LockAge", &r.age),
		out("LockCookie", &r.cookie), out("ActionFlags", &r.action))
}

func (a *async) insert(key string, blob []byte, minutes int32, uninitialized bool) statement {
	op := opInsert
	if uninitialized {
		op = opInsertUninitialized
	}
	return a.call(op, in("SessionId", key), in("Timeout", minutes), in("SessionItemLong", blob))
}

func (a *async) update(key string, blob []byte, minutes, cookie int32) statement {
	return a.call(opUpdate, in("SessionId", key), in("LockCookie", cookie), in("Timeout", minutes), in("SessionItemLong", blob))
}

func (a *async) release(key string, cookie int32) statement {
	return a.call(opRelease, in("SessionId", key), in("LockCookie", cookie))
}

func (a *async) remove(key string, cookie int32) statement {
	return a.call(opRemove, in("SessionId", key), in("LockCookie", cookie))
}

func (a *async) touch(key string) statement { return a.call(opTouch, in("SessionId", key)) }

func (a *async) tables() ([]string, bool) { return []string{a.table}, a.memory }
func (a *async) purge() string            { return a.sweep }
