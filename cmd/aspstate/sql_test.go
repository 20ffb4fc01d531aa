package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// runSQLTool is runTool for the verb alone.
func runSQLTool(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := runSQL(&call{verb: &sqlVerb, ctx: t.Context(), args: args, stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr})
	require.NotContains(t, stdout.String()+stderr.String(), sqlservertest.Password)
	require.NotContains(t, stdout.String()+stderr.String(), "hunter2")
	return result{code, stdout.Bytes(), stderr.String()}
}

func connectionFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "connection")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestSQLUsage(t *testing.T) {
	t.Setenv(connectionVariable, "server=127.0.0.1,1;uid=u;pwd=hunter2")
	for _, test := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{nil, exitUsage, "", "a verb is missing"},
		{[]string{"explode"}, exitUsage, "", `unknown verb "explode"`},
		{[]string{"\x1b[2J"}, exitUsage, "", `unknown verb "\x1b[2J"`},
		{[]string{"-h"}, exitOK, "aspstate sql install|upgrade|check|script|purge", ""},
		{[]string{"install", "-h"}, exitOK, "--tempdb", ""},
		{[]string{"upgrade", "-h"}, exitOK, "--user NAME", ""},
		{[]string{"check", "-h"}, exitOK, connectionVariable, ""},
		{[]string{"script", "-h"}, exitOK, "--inside", ""},
		{[]string{"purge", "-h"}, exitOK, "--every D", ""},
		{[]string{"check", "db1"}, exitUsage, "", "unexpected argument"},
		{[]string{"check", "--password", "x"}, exitUsage, "", "Usage: aspstate sql check"},
		{[]string{"check", "--connection", "server=x;pwd=hunter2"}, exitData, "", "every user of this machine"},
		{[]string{"check", "--connection", "sqlserver://u:hunter2@x"}, exitData, "", "every user of this machine"},
		{[]string{"check", "--connection", "/nowhere/at/all"}, exitData, "", "no such file"},
		{[]string{"purge", "--layout", "modern"}, exitUsage, "", "--layout is one of"},
		{[]string{"purge", "--every", "-1s"}, exitUsage, "", "--every"},
		{[]string{"script", "--database", strings.Repeat("x", 200)}, exitData, "", "no name of a database"},
		{[]string{"install", "--yes", "--connection", connectionFile(t, "server=x;Integrated Security=SSPI")}, exitData, "", "Integrated Security needs"},
	} {
		r := runSQLTool(t, "", test.args...)
		require.Equal(t, test.code, r.code, "%q: %s", test.args, r.stderr)
		require.Contains(t, string(r.stdout), test.stdout, "%q", test.args)
		require.Contains(t, r.stderr, test.stderr, "%q", test.args)
		if test.stderr == "" {
			require.Empty(t, r.stderr)
		}
		requireTame(t, r.stderr)
	}
	require.NoError(t, os.Unsetenv(connectionVariable))
	r := runSQLTool(t, "", "check")
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "there is no connection string")
}

func TestSQLScript(t *testing.T) {
	r := runSQLTool(t, "", "script", "--database", "Shop", "--user", "web")
	require.Equal(t, exitOK, r.code)
	want, err := sqlserver.Schema{Database: "Shop", User: "web"}.Script()
	require.NoError(t, err)
	require.Equal(t, want, string(r.stdout))
	r = runSQLTool(t, "", "script", "--tempdb", "--inside")
	require.Equal(t, exitOK, r.code)
	require.NotContains(t, string(r.stdout), "CREATE DATABASE")
	require.Contains(t, string(r.stdout), "ASPState_Startup")
	require.Equal(t, byte('\n'), r.stdout[len(r.stdout)-1])
}

// The batches are those of the script, in its order.
func TestSQLScriptJSON(t *testing.T) {
	batches := func(args ...string) []string {
		r := runSQLTool(t, "", append([]string{"script", "--json"}, args...)...)
		require.Equal(t, exitOK, r.code, r.stderr)
		var doc scriptJSON
		decode(t, r.stdout, &doc)
		return doc.Batches
	}
	for _, schema := range []sqlserver.Schema{{}, {TempTables: true}, {Database: "Shop & <Co>", User: "we]b"}} {
		args := []string{"--database", schema.Database, "--user", schema.User}
		if schema.TempTables {
			args = append(args, "--tempdb")
		}
		want, err := schema.Batches()
		require.NoError(t, err)
		require.Equal(t, want, batches(append(args, "--inside")...))

		all := batches(args...)
		require.Contains(t, all[0], "CREATE DATABASE")
		require.Contains(t, all[1], "USE ")
		require.Equal(t, want[1:], all[len(all)-len(want)+1:], "the rest is the same")
		for _, batch := range all {
			require.NotRegexp(t, `(?im)^\s*GO\s*$`, batch)
		}
	}
	r := runSQLTool(t, "", "script", "--json", "--database", strings.Repeat("x", 200))
	require.Equal(t, exitData, r.code)
	require.Empty(t, r.stdout)
}

// prepared is a stand-in that takes every batch, in which no procedure is there.
func prepared(t *testing.T) *sqlservertest.Server {
	t.Helper()
	srv := sqlservertest.Run(t, sqlservertest.Options{Databases: []sqlservertest.Database{{Name: "ASPState"}, {Name: "Shop"}}})
	texts := func(types ...sqlservertest.Type) (c []sqlservertest.Column) {
		for _, typ := range types {
			c = append(c, sqlservertest.Column{Type: typ})
		}
		return c
	}
	const text, number = sqlservertest.NVarChar, sqlservertest.Int
	srv.Script(`^(--|IF |USE |SET ANSI|ALTER |EXECUTE |GRANT |DECLARE |CREATE )`)
	srv.Script("aspstate: procedures", sqlservertest.Result{Columns: texts(text, text, number)})
	srv.Script("aspstate: server", sqlservertest.Result{Columns: texts(text, text, text, text, text, text, number, number, number, text),
		Rows: [][]any{{"ASPState", "16.0.1", "Latin1_General_CI_AS", "SIMPLE", "READ_WRITE", "d\x1bbo", 3, 0, 0, "sa"}}})
	return srv
}

func TestSQLInstall(t *testing.T) {
	srv := prepared(t)
	t.Setenv(connectionVariable, srv.URL(sqlservertest.User, sqlservertest.Password, ""))
	made := func() bool {
		for _, b := range srv.Batches() {
			if strings.Contains(b, "ALTER PROCEDURE") {
				return true
			}
		}
		return false
	}
	for _, answer := range []string{"", "no\n", "y\n"} {
		r := runSQLTool(t, answer, "install")
		require.Equal(t, exitData, r.code)
		require.Contains(t, r.stderr, `Install session state in database "ASPState" on `)
		require.Contains(t, r.stderr, "nothing was changed")
		require.False(t, made())
	}
	r := runSQLTool(t, "yes\n", "install")
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Contains(t, string(r.stdout), "is ready")
	require.True(t, made())
	r = runSQLTool(t, "yes\n", "install", "--json")
	require.Equal(t, exitOK, r.code, r.stderr)
	var done installedJSON
	decode(t, r.stdout, &done)
	require.Equal(t, installedJSON{Database: "ASPState", Server: srv.Addr(), Done: true}, done)
	r = runSQLTool(t, "no\n", "install", "--json")
	require.Equal(t, exitData, r.code)
	require.Empty(t, r.stdout)

	// By a file, by standard input, with another database.
	for _, connection := range []string{"-", connectionFile(t, "\ufeff"+srv.DSN()+"\r\n")} {
		srv.ResetTrace()
		r = runSQLTool(t, srv.DSN(), "install", "--connection", connection, "--database", "Shop", "--yes")
		require.Equal(t, exitOK, r.code, r.stderr)
		require.True(t, made())
		for _, call := range srv.Calls() {
			if call.Text != "" {
				require.Equal(t, "Shop", call.Database)
			}
		}
	}
	r = runSQLTool(t, srv.DSN(), "install", "--connection", "-")
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "give --yes")

	for _, args := range [][]string{{"upgrade", "--yes"}, {"upgrade", "--yes", "--json"}} {
		r = runSQLTool(t, "", args...)
		require.Equal(t, exitData, r.code)
		require.Empty(t, r.stdout)
		require.Contains(t, r.stderr, "nothing to upgrade")
	}
}

func TestSQLCheck(t *testing.T) {
	srv := prepared(t)
	t.Setenv(connectionVariable, srv.DSN())
	r := runSQLTool(t, "", "check")
	require.Equal(t, exitData, r.code, "it has nothing")
	require.Empty(t, r.stderr)
	require.Regexp(t, `(?s)^Database "ASPState" on "127\.0\.0\.1:\d+", SQL Server 16\.0\.1, .*\n\nproblem: database \[ASPState\]\n  it has no procedure .*\n  What to do: .*sql install`, string(r.stdout))
	requireTame(t, string(r.stdout))

	r = runSQLTool(t, "", "check", "--json")
	require.Equal(t, exitData, r.code)
	require.Empty(t, r.stderr)
	requireTame(t, string(r.stdout))
	var doc checkedJSON
	decode(t, r.stdout, &doc)
	require.Equal(t, checkedJSON{Database: "ASPState", Server: srv.Addr(), Version: "16.0.1", Findings: doc.Findings}, doc)
	require.NotEmpty(t, doc.Findings)
	require.Equal(t, "problem", doc.Findings[0].Level)
	require.Equal(t, "database [ASPState]", doc.Findings[0].Object)
	require.Contains(t, doc.Findings[0].Text, "it has no procedure")
	require.Contains(t, doc.Findings[0].Remedy, "sql install")

	require.Equal(t, `{"database":"a","server":"b","version":"1","ours":true,"healthy":true,"findings":[]}`+"\n",
		string(jsonText(newCheckedJSON(&sqlserver.Report{Database: "a", Server: "b", Version: "1", Ours: true}), "")))
	require.Equal(t, "Database \"a\" on \"b\", SQL Server 1, procedures of this project.\nNothing is missing and nothing is dangerous.\n",
		reportText(&sqlserver.Report{Database: "a", Server: "b", Version: "1", Ours: true}))

	t.Setenv(connectionVariable, srv.URL(sqlservertest.User, "hunter2", ""))
	r = runSQLTool(t, "", "check")
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, srv.Addr())
}

func TestSQLPurge(t *testing.T) {
	srv := sqlservertest.Run(t, sqlservertest.Options{})
	t.Setenv(connectionVariable, srv.DSN())
	add := func(id string) {
		srv.Put(sqlservertest.Row{SessionID: id, Expires: srv.Now().Add(-time.Minute), LockCookie: 1, Timeout: 20})
	}
	add("a")
	add("b")
	r := runSQLTool(t, "", "purge")
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Equal(t, "aspstate: sql purge: 2 expired sessions deleted\n", string(r.stdout))
	require.Empty(t, srv.Rows())

	add("a")
	r = runSQLTool(t, "", "purge", "--json")
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Equal(t, "{\"rows\":1}\n", string(r.stdout))
	r = runSQLTool(t, "", "purge", "--json")
	require.Equal(t, "{\"rows\":0}\n", string(r.stdout))

	srv.FailNext(9002, 1, "Purge")
	r = runSQLTool(t, "", "purge", "--json")
	require.Equal(t, exitData, r.code)
	require.Empty(t, r.stdout)
	require.Contains(t, r.stderr, "9002")
	r = runSQLTool(t, "", "purge", "--layout", "async")
	require.Equal(t, exitData, r.code, "there is no such table")

	// For ever, through failures, until it is stopped.
	srv.FailNext(9002, 1, "Purge")
	add("c")
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int)
	out := &printed{first: make(chan string, 1)}
	go func() {
		code <- runSQL(&call{verb: &sqlVerb, ctx: ctx, args: []string{"purge", "--every", "2ms", "--json"}, stdin: strings.NewReader(""), stdout: out, stderr: io.Discard})
	}()
	select {
	case line := <-out.first:
		require.Equal(t, `{"rows":1}`, line)
	case <-time.After(time.Minute):
		t.Fatal("nothing is purged")
	}
	require.Empty(t, srv.Rows())
	stop()
	require.Equal(t, exitOK, <-code)
}
