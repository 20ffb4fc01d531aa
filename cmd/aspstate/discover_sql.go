package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
)

// sqlTables are the tables of the async provider's repositories; others, and
// ASP.NET itself, have the classic one.
var sqlTables = map[string]string{
	"sqlserver": "ASPNetSessionState", "inmemory": "ASPNetSessionState_InMem", "inmemorydurable": "ASPNetSessionState_InMemDurable",
}

const classicTable = "ASPStateTempSessions"

// sqlKeysText counts the sessions by the end of their keys, which is the
// application's. Only the classic table has a short column.
const sqlKeysText = `SELECT RIGHT(SessionId, 8), COUNT(*), SUM(CONVERT(bigint, COALESCE({short}DATALENGTH(SessionItemLong), 0))), SUM(CASE WHEN Locked = 0 THEN 0 ELSE 1 END)
FROM {table} WHERE Expires > GETUTCDATE() GROUP BY RIGHT(SessionId, 8)`

const sqlNamesText = `SELECT AppId, RTRIM(AppName) FROM ASPStateTempApplications`

// discoverSQL reads who has sessions in a database. It needs SELECT on its tables.
func discoverSQL(ctx context.Context, s session.Settings) ([]*found, error) {
	where, err := sqlserver.ParseConnectionString(s.Connection)
	if err != nil {
		return nil, err
	}
	text := s.Connection
	if s.Mode == "SQLServer" {
		if text, err = sqlserver.WithDatabase(text, cmp.Or(where.Database(), sqlserver.DefaultDatabase)); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlserver", text)
	if err != nil {
		return nil, fmt.Errorf("%w: the connection string cannot be used for this", session.ErrUnavailable) // the error may repeat it
	}
	defer db.Close()
	fail := func(err error) ([]*found, error) {
		return nil, fmt.Errorf("%w: server %s: %w; it takes SELECT on the tables of session state", session.ErrUnavailable, where.Server(), err)
	}
	table := cmp.Or(s.Attributes["sessiontablename"], sqlTables[strings.ToLower(s.Attributes["repositorytype"])], classicTable)
	short := ""
	if table == classicTable {
		short = "DATALENGTH(SessionItemShort), "
	}
	names := map[string][]string{} // by the end of the keys, in lower case
	if table == classicTable {
		rows, err := db.QueryContext(ctx, sqlNamesText)
		if err != nil {
			return fail(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id int32
			var name string
			if err := rows.Scan(&id, &name); err != nil {
				return fail(err)
			}
			end := fmt.Sprintf("%08x", uint32(id))
			names[end] = append(names[end], name)
		}
		if err := rows.Err(); err != nil {
			return fail(err)
		}
	}
	rows, err := db.QueryContext(ctx, strings.NewReplacer("{short}", short, "{table}", "["+strings.ReplaceAll(table, "]", "]]")+"]").Replace(sqlKeysText))
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	c := census{}
	for rows.Next() {
		var end string
		var sessions, bytes, locked int64
		if err := rows.Scan(&end, &sessions, &bytes, &locked); err != nil {
			return fail(err)
		}
		f := c.sqlApplication(end, names[strings.ToLower(end)], s.AppID)
		f.Sessions, f.Bytes, f.Locked = f.Sessions+int(sessions), f.Bytes+bytes, f.Locked+int(locked)
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	for end, list := range names {
		c.sqlApplication(end, list, s.AppID) // those without sessions share too
	}
	return c.list(), nil
}

// sqlApplication tells whose the keys are that end so.
func (c census) sqlApplication(end string, names []string, own string) *found {
	application, generation := "?", "key end "+end
	hashes := []struct {
		hash sqlserver.Hash
		name string
	}{{sqlserver.Hash21, "async provider 2.1"}, {sqlserver.Hash64, "async provider before 2.1, 64 bits"}, {sqlserver.Hash32, "async provider before 2.1, 32 bits"}}
	yours := false
	for _, h := range hashes {
		if own != "" && len(names) == 0 && end == h.hash.Suffix(own) {
			application, generation, yours = own, h.name+", key end "+end, true
		}
	}
	if len(names) > 0 {
		application, generation = names[0], "classic, key end "+strings.ToLower(end)
	}
	key := strings.ToLower(end)
	if len(names) == 0 {
		key = end // of the async provider, where case may count
	}
	if c[key] != nil {
		return c[key]
	}
	f := c.at(key, application, generation)
	f.Yours = yours
	for _, name := range names {
		f.Yours = f.Yours || own != "" && strings.EqualFold(name, own) // the procedure lower-cases it
	}
	if len(names) > 1 {
		f.Notes = append(f.Notes, "shared by "+strings.Join(names, ", "))
	}
	if id, err := strconv.ParseUint(end, 16, 32); err == nil && len(names) > 0 && int32(uint32(id)) != sqlserver.AppID(names[0]) {
		f.Notes = append(f.Notes, "the number is not the one that TempGetAppID makes of the name: somebody set it, to share or by mistake")
	}
	return f
}
