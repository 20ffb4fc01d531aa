package sqlserver_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// recorded is what the catalogue of a database answers, one table of rows for each
// question, in the form that the stand-in replays.
type recorded map[string]*answers

type answers struct {
	columns []sqlservertest.Type
	rows    [][]any
	err     *sqlservertest.Error
}

const (
	text   = sqlservertest.NVarChar
	number = sqlservertest.Int
	long   = sqlservertest.BigInt
)

var alterProcedure = regexp.MustCompile(`(?s)^(?:--[^\n]*\n)*ALTER PROCEDURE dbo\.(\w+)(.*?)\nAS\n`)

// healthy is a database as `aspstate sql install` leaves it, seen by its owner,
// with a job that purges.
func healthy(t *testing.T, schema sqlserver.Schema) recorded {
	t.Helper()
	r := recorded{
		"server": {columns: []sqlservertest.Type{text, text, text, text, text, text, number, number, number, text}, rows: [][]any{
			{"ASPState", "16.0.4135.4", "SQL_Latin1_General_CP1_CI_AS", "SIMPLE", "READ_WRITE", "dbo", 3, 0, 0, "sa"}}},
		"procedures": {columns: []sqlservertest.Type{text, text, number}},
		"parameters": {columns: []sqlservertest.Type{text, text, number}},
		"columns":    {columns: []sqlservertest.Type{text, text, text, number, number, number}},
		"indexes": {columns: []sqlservertest.Type{text, text, text, number}, rows: [][]any{
			{"ASPStateTempSessions", "PK_ASPStateTempSessions", "SessionId", 1}, {"ASPStateTempSessions", "Index_Expires", "Expires", 0},
			{"ASPStateTempApplications", "PK_ASPStateTempApplications", "AppId", 1}, {"ASPStateTempApplications", "Index_AppName", "AppName", 0}}},
		"jobs":    {columns: []sqlservertest.Type{text, number}, rows: [][]any{{"ASPState_Job_DeleteExpiredSessions", 1}}},
		"grants":  {columns: []sqlservertest.Type{text, text, text}, rows: [][]any{{"dbo", "", "CONNECT"}, {"web", "", "CONNECT"}}},
		"rows":    {columns: []sqlservertest.Type{long, number, number, number, number}, rows: [][]any{{1200, 3, 0, 0, 0}}},
		"startup": {columns: []sqlservertest.Type{number}},
	}
	batches, err := schema.Batches()
	require.NoError(t, err)
	for _, batch := range batches {
		m := alterProcedure.FindStringSubmatch(batch)
		if m == nil {
			continue
		}
		r["procedures"].add(m[1], batch, 1)
		r["grants"].add(sqlserver.Role, m[1], "EXECUTE")
		for line := range strings.Lines(strings.TrimSpace(m[2])) {
			out := 0
			if strings.Contains(line, " OUTPUT") {
				out = 1
			}
			if name, _, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				r["parameters"].add(m[1], name, out)
			}
		}
	}
	require.GreaterOrEqual(t, len(r["procedures"].rows), 17)
	for _, c := range [][]any{
		{"SessionId", "nvarchar", 176, 0}, {"Created", "datetime", 8, 0}, {"Expires", "datetime", 8, 0}, {"LockDate", "datetime", 8, 0}, {"LockDateLocal", "datetime", 8, 0},
		{"LockCookie", "int", 4, 0}, {"Timeout", "int", 4, 0}, {"Locked", "bit", 1, 0}, {"SessionItemShort", "varbinary", 7000, 1}, {"SessionItemLong", "varbinary", -1, 1}, {"Flags", "int", 4, 0},
	} {
		r["columns"].rows = append(r["columns"].rows, append(append([]any{"ASPStateTempSessions"}, c...), 0))
	}
	r["columns"].add("ASPStateTempApplications", "AppId", "int", 4, 0, 0)
	r["columns"].add("ASPStateTempApplications", "AppName", "char", 280, 0, 0)
	return r
}

// aspnet is what aspnet_regsql leaves, reduced to what a check looks at: tables
// named with their database, image, no role.
func aspnet(t *testing.T, database string, era2 bool) recorded {
	r := healthy(t, sqlserver.Schema{})
	r["grants"].rows = [][]any{{"dbo", "", "CONNECT"}}
	for _, row := range r["procedures"].rows {
		body := strings.ReplaceAll(row[1].(string), "-- aspsession: ASPState schema 1", "")
		body = strings.ReplaceAll(body, "dbo.ASPState", "["+database+"].dbo.ASPState")
		if era2 {
			body = strings.ReplaceAll(body, "DATEADD(minute, @timeout, GETUTCDATE())", "DATEADD(n, Timeout, GETUTCDATE())")
		}
		row[1] = body
	}
	r["columns"].where(1, "SessionItemLong")[2] = "image"
	r["columns"].where(1, "SessionItemLong")[3] = 16
	return r
}

func (a *answers) add(row ...any) { a.rows = append(a.rows, row) }

// where is the first row with a value in a column.
func (a *answers) where(column int, value any) []any {
	for _, row := range a.rows {
		if row[column] == value {
			return row
		}
	}
	return nil
}

func (a *answers) drop(column int, values ...any) {
	a.rows = slices.DeleteFunc(a.rows, func(row []any) bool { return slices.Contains(values, row[column]) })
}

// replay is a stand-in that answers with these rows.
func (r recorded) replay(t *testing.T) *sqlservertest.Server {
	t.Helper()
	srv := runWith(t, sqlservertest.Database{Layouts: []sqlservertest.Layout{}})
	for name, a := range r {
		result := sqlservertest.Result{Rows: a.rows, Err: a.err}
		for _, typ := range a.columns {
			result.Columns = append(result.Columns, sqlservertest.Column{Type: typ})
		}
		if a.err != nil {
			result = sqlservertest.Result{Err: a.err}
		}
		srv.Script(`/\* aspstate: `+name+` \*/`, result)
	}
	return srv
}
