package sqlservertest

import (
	"slices"
	"strings"
)

// texts are those that package sqlserver sends beside procedures: the gets of the
// async provider's table 1.1 without text pointers, purging, listing, and the
// question which columns a table has. The other texts of 1.1 are as the
// provider's.
func texts() []statement {
	const get = "set expires = dateadd(n, timeout, @now),"
	const list = "datalength(sessionitemlong), datediff(second, getutcdate(), expires), flags, locked, lockcookie, datediff(second, lockdate, getutcdate()) " +
		"from {table} where sessionid > @after and right(sessionid, 8) = @suffix and expires > getutcdate() order by sessionid"
	return []statement{
		{"GetStateItemExclusive", compile("declare ... update {table} " + get + " lockdate = case locked ... if @item is not null select @item"), onTable(asyncGetExclusive)},
		{"GetStateItem", compile("declare ... update {table} " + get + " @lockage = ... if @item is not null select @item"), onTable(asyncGet)},
		{"Purge", compile("set nocount off set deadlock_priority low delete top (@batch) from {table} with (rowlock, readpast) where expires < getutcdate()"), onTable(purge)},
		{"Purge", compile("set nocount off set deadlock_priority low delete top (@batch) from {table} where expires < getutcdate()"), onTable(purge)},
		{"List", compile("select top (@page) sessionid, datalength(sessionitemshort), " + list), onTable(listClassic)},
		{"List", compile("select top (@page) sessionid, " + list), onTable(listAsync)},
		{"Columns", compile("select column_name, data_type from information_schema.columns where table_name = @table"), columnsOf},
	}
}

// purge deletes no more than a batch.
func purge(r *Request, t *Table) error {
	if t.temp && !r.namesTempdb() && t.shape == shapeClassic {
		return &Error{Number: 208, Class: 16, Message: "Invalid object name 'dbo." + t.name + "'."}
	}
	most, _ := r.Arg("@batch").(int64)
	n := int64(0)
	for _, row := range t.Rows() {
		if n < most && row.Expires.Before(r.Now()) {
			t.Delete(row.SessionID)
			n++
		}
	}
	r.Affected(n)
	return nil
}

// namesTempdb: the text names a table there.
func (r *Request) namesTempdb() bool {
	return slices.Contains(tokens(r.Text), "tempdb")
}

func listClassic(r *Request, t *Table) error { return listPage(r, t, true) }
func listAsync(r *Request, t *Table) error   { return listPage(r, t, false) }

// listPage is a page of an application's live sessions in the order of their keys.
func listPage(r *Request, t *Table, short bool) error {
	if t.temp && !r.namesTempdb() && t.shape == shapeClassic {
		return &Error{Number: 208, Class: 16, Message: "Invalid object name 'dbo." + t.name + "'."}
	}
	after, _ := r.Arg("@after").(string)
	suffix, _ := r.Arg("@suffix").(string)
	page, _ := r.Arg("@page").(int64)
	columns := []Column{{Type: NVarChar, Size: 88}, {Type: BigInt}, {Type: Int}, {Type: Int}, {Type: Bit}, {Type: Int}, {Type: Int}}
	if short {
		columns = slices.Insert(columns, 1, Column{Type: Int})
	}
	var rows [][]any
	for _, row := range t.Rows() {
		key := t.key(row.SessionID)
		if int64(len(rows)) == page || key <= t.key(after) || !strings.HasSuffix(key, t.key(suffix)) || !row.Expires.After(r.Now()) {
			continue
		}
		values := []any{row.SessionID, length(row.SessionItemLong), row.Expires.Unix() - r.Now().Unix(), int64(row.Flags), row.Locked, int64(row.LockCookie), r.Now().Unix() - row.LockDate.Unix()}
		if short {
			values = slices.Insert(values, 1, length(row.SessionItemShort))
		}
		rows = append(rows, values)
	}
	r.Rows(columns, rows...)
	return nil
}

// length is DATALENGTH.
func length(b []byte) any {
	if b == nil {
		return nil
	}
	return int64(len(b))
}

// columnsOf answers for a session table in the database; those in tempdb are not
// seen from here.
func columnsOf(r *Request) error {
	name, _ := r.Arg("@table").(string)
	var rows [][]any
	if t, err := r.Table(name); err == nil && !(t.temp && t.shape == shapeClassic) {
		long := map[shape]string{shapeClassic: "image", shapeImage: "image"}[t.shape]
		if long == "" {
			long = "varbinary"
		}
		rows = [][]any{{"SessionId", "nvarchar"}, {"LockDateLocal", "datetime"}, {"SessionItemLong", long}}
		if t.shape == shapeClassic {
			rows = append(rows, []any{"SessionItemShort", "varbinary"})
		}
	}
	r.Rows([]Column{{Name: "COLUMN_NAME", Type: NVarChar, Size: 128}, {Name: "DATA_TYPE", Type: NVarChar, Size: 128}}, rows...)
	return nil
}
