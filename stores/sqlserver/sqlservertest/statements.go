package sqlservertest

import (
	"fmt"
	"strings"
)

// A statement is a known text.
type statement struct {
	name string
	p    pattern
	run  func(*Request) error
}

// onTable runs an effect on the table that the pattern found.
func onTable(run func(*Request, *Table) error) func(*Request) error {
	return func(r *Request) error {
		t, err := r.Table(r.Found("table"))
		if err != nil {
			return err
		}
		return run(r, t)
	}
}

// builtin are the texts known from the start: the first that matches counts.
// Those of the async provider 1.1 are recognised by their shape; they are the
// same on its in-memory table but for the two gets.
var builtin = func() []statement {
	const (
		touch   = "set expires = dateadd(n, timeout, @now),"
		mine    = "where sessionid = @sessionid and lockcookie = @lockcookie"
		columns = "(sessionid, sessionitemlong, timeout, expires, locked, lockdate, lockdatelocal, lockcookie"
		values  = "values (@sessionid, @sessionitemlong, @timeout, dateadd(n, @timeout, @now), 0, @now, @nowlocal, 1"
		release = "set expires = dateadd(n, timeout, getutcdate())"
		save    = "set expires = dateadd(n, @timeout, getutcdate()), sessionitemlong = @sessionitemlong, timeout = @timeout, locked = 0"
		missing = "if not exists (select * from information_schema.tables where table_name = {'name}) begin create table {table} ("
	)
	var all []statement
	add := func(name, text string, run func(*Request) error) {
		all = append(all, statement{name, compile(text), run})
	}

	add("GetStateItemExclusive", "begin tran ... update {table} with (rowlock, xlock) "+touch+" ... @lockcookie = lockcookie = case locked ... readtext ... commit tran", onTable(asyncGetExclusive))
	add("GetStateItem", "begin tran ... update {table} with (xlock, rowlock) "+touch+" @locked = locked, ... readtext ... commit tran", onTable(asyncGet))
	add("GetStateItemExclusive", "declare ... select @lockedcheck = locked, @flags = flags from {table} where ... @lockcookie = lockcookie = lockcookie + 1, ... select @textptr end", onTable(memoryGetExclusive))
	add("GetStateItem", "declare ... update {table} "+touch+" @locked = locked, ... select @textptr end", onTable(asyncGet))
	add("InsertStateItem", "declare ... insert {table} "+columns+") "+values+")", onTable(asyncInsert))
	add("InsertUninitializedItem", "declare ... insert {table} "+columns+", flags) "+values+", 1)", onTable(asyncInsertUninitialized))
	add("UpdateStateItem", "update {table} with (rowlock) "+save+" "+mine, onTable(asyncUpdate))
	add("UpdateStateItem", "update {table} "+save+" "+mine, onTable(asyncUpdate))
	add("ReleaseItemExclusive", "update {table} "+release+", locked = 0 "+mine, onTable(asyncRelease))
	add("RemoveStateItem", "delete {table} "+mine, onTable(asyncRemove))
	add("ResetItemTimeout", "update {table} "+release+" where sessionid = @sessionid", onTable(asyncReset))
	add("DeleteExpiredSessions", "set nocount on ... create table #tblexpiredsessions ... delete from {table} where sessionid = @sessionid and expires < @now ... drop table #tblexpiredsessions", onTable(asyncDeleteExpired))
	add("CreateSessionTable", missing+" ... memory_optimized = on ... end", createTable(shapeMemory))
	add("CreateSessionTable", missing+" ... sessionitemlong image ... end", createTable(shapeImage))
	add("CreateSessionTable", missing+" ... sessionitemlong varbinary(max) ... end", createTable(shapeBinary))
	add("QuerySessionTable", "begin declare @tabletype int ... where table_name = {'table} ... select @tabletype, @ismemoryopt end", tableType)

	add("select 1", "select 1", func(r *Request) error { r.Rows([]Column{{Type: Int}}, []any{1}); return nil })
	add("@@version", "select @@version", func(r *Request) error {
		r.Rows([]Column{{Type: NVarChar, Size: 300}}, []any{fmt.Sprintf("Microsoft SQL Server 2022 (sqlservertest, a stand-in) - %d.0.1000.6 (X64)", major)})
		return nil
	})
	add("db_name", "select db_name()", func(r *Request) error {
		r.Rows([]Column{{Type: NVarChar, Size: 128}}, []any{r.db.name})
		return nil
	})
	add("getutcdate", "select getutcdate()", func(r *Request) error { r.Rows([]Column{{Type: DateTime}}, []any{r.Now()}); return nil })
	add("sysobjects", "select name from sysobjects where type = 'P' and name = {'name}", func(r *Request) error {
		var rows [][]any
		if p := r.visible(r.Found("name")); p != nil {
			rows = append(rows, []any{p.name})
		}
		r.Rows([]Column{{Name: "name", Type: NVarChar, Size: 128}}, rows...)
		return nil
	})
	add("set", "set nocount on", nothing)
	add("set", "set nocount off", nothing)
	add("set", "set xact_abort on", nothing)
	add("use", "use {db}", use)
	for _, word := range []string{"tran", "transaction"} {
		add("BEGIN TRANSACTION", "begin "+word, begin)
		add("COMMIT TRANSACTION", "commit "+word, commit)
		add("ROLLBACK TRANSACTION", "rollback "+word, rollback)
	}
	add("ROLLBACK TRANSACTION", "if @@trancount > 0 rollback", func(r *Request) error {
		if r.conn.tran == nil {
			return nil
		}
		return rollback(r)
	})
	return append(all, texts()...)
}()

func nothing(*Request) error { return nil }

// memoryGetExclusive is asyncGetExclusive, which in the text for the in-memory
// table clears @ActionFlags before it knows whether there is a row.
func memoryGetExclusive(r *Request, t *Table) error {
	r.Out("@ActionFlags", 0)
	return asyncGetExclusive(r, t)
}

func createTable(sh shape) func(*Request) error {
	return func(r *Request) error {
		name := r.Found("name")
		if _, err := r.Table(name); err != nil {
			r.db.create(name, sh)
		}
		return nil
	}
}

// tableType answers the async provider's question which flavour of table it has:
// 0 none, 2 classic, 3 its own of version 1.1, 4 with varbinary(max); and 2 for a
// table in memory alone.
func tableType(r *Request) error {
	kind, memory := 0, 0
	if t, err := r.Table(r.Found("table")); err == nil {
		kind = map[shape]int{shapeClassic: 2, shapeImage: 3, shapeBinary: 4, shapeMemory: 4}[t.shape]
		switch {
		case t.shape == shapeMemory && t.temp:
			memory = 2
		case t.shape == shapeMemory:
			memory = 1
		}
	}
	r.Rows([]Column{{Type: Int}, {Type: Int}}, []any{kind, memory})
	return nil
}

// visible is a procedure that metadata shows: it exists and may be executed.
func (r *Request) visible(name string) *procedure {
	_, object := splitName(name)
	if s := r.conn.srv; s.denied[object] || s.missing[object] {
		return nil
	}
	return r.db.procs[object]
}

func use(r *Request) error {
	db := r.conn.srv.dbs[strings.ToLower(r.Found("db"))]
	if db == nil {
		return &Error{Number: 911, Class: 16, Message: "Database '" + r.Found("db") + "' does not exist. Make sure that the name is entered correctly."}
	}
	r.conn.useDatabase(db)
	return nil
}
