package sqlserver

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// Role is the database role of a Schema: EXECUTE on the procedures that clients
// need, and nothing else.
const Role = "aspstate_client"

// schemaMark is in every procedure of ours.
const schemaMark = "aspsession: ASPState schema 1"

// A Schema is the ASPState database as this package makes it: the same names,
// parameters and effects as aspnet_regsql's, so that ASP.NET 2.0 to 4.8, the async
// provider's FrameworkCompat and Go share it. Inside, long sessions are
// varbinary(max); procedures name their tables without the database, so that it
// may be renamed and restored; purging goes by small batches. Left out are the
// procedures of ASP.NET 1.x, the alias types and the job.
//
// It keeps to what SQL Server 2012 to 2025 and Azure SQL understand. Babelfish
// refuses one procedure, GetMajorVersion, which only ASP.NET calls.
type Schema struct {
	// Database is its name. Default ASPState. With another name ASP.NET needs
	// allowCustomSqlDatabase="true" and Initial Catalog.
	Database string
	// TempTables keeps the tables in tempdb: a restart loses all sessions. It makes
	// a start-up procedure in master and switches on ownership chaining, which
	// needs sysadmin. Default false, which is better in nearly every case.
	TempTables bool
	// User becomes a member of Role; it is made for the login of the same name if
	// there is no such user. Default none.
	User string
}

//go:embed schema.sql
var schemaText string

var schemaTemplate = template.Must(template.New("").Funcs(template.FuncMap{
	"name": quoted,
	"text": func(s string) string { return "N'" + strings.ReplaceAll(s, "'", "''") + "'" },
}).Parse(schemaText))

// procedure is one of those that differ by a column.
type procedure struct{ Name, Item, Type, Column, Null, Flags string }

const (
	shortType = "varbinary(7000)"
	longType  = "varbinary(max)"
	shortCol  = "SessionItemShort"
	longCol   = "SessionItemLong"
)

var (
	inserts = []procedure{
		{Name: "TempInsertUninitializedItem", Item: "itemShort", Type: shortType, Column: shortCol, Flags: "1"},
		{Name: "TempInsertStateItemShort", Item: "itemShort", Type: shortType, Column: shortCol, Flags: "0"},
		{Name: "TempInsertStateItemLong", Item: "itemLong", Type: longType, Column: longCol, Flags: "0"},
	}
	updates = []procedure{
		{Name: "TempUpdateStateItemShort", Item: "itemShort", Type: shortType, Column: shortCol},
		{Name: "TempUpdateStateItemShortNullLong", Item: "itemShort", Type: shortType, Column: shortCol, Null: longCol},
		{Name: "TempUpdateStateItemLong", Item: "itemLong", Type: longType, Column: longCol},
		{Name: "TempUpdateStateItemLongNullShort", Item: "itemLong", Type: longType, Column: longCol, Null: shortCol},
	}
	// procedures are all that clients call, in the order of the script, and what
	// they hand over by name and in order.
	procedures = func() []string {
		list := []string{"TempGetVersion", "GetMajorVersion", "GetHashCode", "TempGetAppID", "TempGetStateItem3", "TempGetStateItemExclusive3", "TempReleaseStateItemExclusive"}
		for _, p := range append(inserts, updates...) {
			list = append(list, p.Name)
		}
		return append(list, "TempRemoveStateItem", "TempResetTimeout", "DeleteExpiredSessions")
	}()
)

// Script is the whole installation as text, batches between lines of GO. It makes
// the database too.
func (s Schema) Script() (string, error) { return s.script(false) }

// Batches are the batches of the installation, to be run in this order on one
// connection that is in the database.
func (s Schema) Batches() ([]string, error) {
	text, err := s.script(true)
	return batches(text), err
}

func (s Schema) script(inside bool) (string, error) {
	if s.Database == "" {
		s.Database = DefaultDatabase
	}
	for _, name := range []string{s.Database, s.User} {
		if len(name) > 128 || strings.ContainsAny(name, "\x00\r\n") {
			return "", fmt.Errorf("sqlserver: %q is no name of a database or a user", name)
		}
	}
	if s.TempTables && inside && strings.EqualFold(s.Database, "tempdb") {
		return "", errors.New("sqlserver: the procedures cannot be in tempdb, which a restart empties")
	}
	data := struct {
		Schema
		Inside           bool
		Tables, Catalog  string
		Role             string
		Inserts, Updates []procedure
		Granted          []string
	}{s, inside, "dbo.", "", Role, inserts, updates, procedures}
	if s.TempTables {
		data.Tables, data.Catalog = "tempdb.dbo.", "tempdb."
	}
	var b strings.Builder
	err := schemaTemplate.Execute(&b, data)
	return b.String(), err
}

// batches splits a script at its lines of GO, which are the client's and not
// T-SQL.
func batches(script string) (list []string) {
	var b strings.Builder
	end := func() {
		if text := strings.TrimSpace(b.String()); text != "" {
			list = append(list, text)
		}
		b.Reset()
	}
	for lines := bufio.NewScanner(strings.NewReader(script)); lines.Scan(); {
		if strings.EqualFold(strings.TrimSpace(lines.Text()), "GO") {
			end()
			continue
		}
		b.WriteString(lines.Text() + "\n")
	}
	end()
	return list
}
