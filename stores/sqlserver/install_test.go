package sqlserver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// installing is a stand-in that takes every batch as done, and knows the
// procedures that db says.
func installing(t *testing.T, db recorded) *sqlservertest.Server {
	srv := db.replay(t)
	srv.Script(`^(--|IF |USE |SET |ALTER |EXECUTE |GRANT |DECLARE |CREATE )`)
	return srv
}

func admin(t *testing.T, dsn string) *sqlserver.Admin {
	t.Helper()
	a, err := sqlserver.NewAdmin(dsn, nil)
	require.NoError(t, err)
	return a
}

// installed are the batches that a server was sent, but for questions.
func installed(srv *sqlservertest.Server) []string {
	return slices.DeleteFunc(srv.Batches(), func(s string) bool { return strings.HasPrefix(s, "/* aspstate") || strings.HasPrefix(s, "select 1") })
}

func TestInstall(t *testing.T) {
	empty := healthy(t, sqlserver.Schema{})
	empty["procedures"].rows = nil
	for name, schema := range map[string]sqlserver.Schema{"persisted": {}, "tempdb": {TempTables: true}, "with a user": {User: "web"}} {
		srv := installing(t, empty)
		require.NoError(t, admin(t, srv.DSN()).Install(t.Context(), schema), name)
		want, err := schema.Batches()
		require.NoError(t, err)
		require.Equal(t, want, installed(srv), name)
	}
	// Again, and over what is ours: the same.
	srv := installing(t, healthy(t, sqlserver.Schema{}))
	for range 2 {
		require.NoError(t, admin(t, srv.DSN()).Install(t.Context(), sqlserver.Schema{}))
	}
	want, err := sqlserver.Schema{}.Batches()
	require.NoError(t, err)
	require.Equal(t, slices.Concat(want, want), installed(srv))
}

func TestInstallOverAnother(t *testing.T) {
	srv := installing(t, aspnet(t, "ASPState", true))
	a := admin(t, srv.DSN())
	err := a.Install(t.Context(), sqlserver.Schema{})
	require.ErrorIs(t, err, sqlserver.ErrForeignSchema)
	require.ErrorContains(t, err, "TempGetStateItem3")
	require.Empty(t, installed(srv), "nothing was done")
	require.NoError(t, a.Upgrade(t.Context(), sqlserver.Schema{}))
	require.NotEmpty(t, installed(srv))
}

func TestUpgradeOfNothing(t *testing.T) {
	empty := healthy(t, sqlserver.Schema{})
	empty["procedures"].rows = nil
	srv := installing(t, empty)
	require.ErrorIs(t, admin(t, srv.DSN()).Upgrade(t.Context(), sqlserver.Schema{}), sqlserver.ErrNoSchema)
	require.Empty(t, installed(srv))
}

// The database is made where it is missing, but not on Azure SQL.
func TestInstallMakesTheDatabase(t *testing.T) {
	for _, edition := range []int{3, 5} {
		srv := installing(t, recorded{})
		srv.Script(`SERVERPROPERTY\('EngineEdition'\)`, sqlservertest.Result{Columns: []sqlservertest.Column{{Type: sqlservertest.Int}}, Rows: [][]any{{edition}}})
		err := admin(t, srv.URL(sqlservertest.User, sqlservertest.Password, "Shop")).Install(t.Context(), sqlserver.Schema{})
		require.ErrorIs(t, err, session.ErrUnavailable) // which a stand-in cannot make
		made := installed(srv)
		if edition == 5 {
			require.ErrorContains(t, err, "make the database first")
			require.Empty(t, slices.DeleteFunc(made, func(s string) bool { return strings.Contains(s, "EngineEdition") }))
			continue
		}
		var e *sqlserver.Error
		require.ErrorAs(t, err, &e)
		require.EqualValues(t, 4060, e.Number)
		require.True(t, slices.ContainsFunc(made, func(s string) bool { return strings.Contains(s, "CREATE DATABASE [Shop]") }), made)
		_, err = sqlserver.NewAdmin("server=x;Integrated Security=SSPI", nil)
		require.ErrorIs(t, err, sqlserver.ErrIntegratedSecurity)
	}
}

// A batch that fails is named, and ends the installation.
func TestInstallFails(t *testing.T) {
	empty := healthy(t, sqlserver.Schema{})
	empty["procedures"].rows = nil
	srv := installing(t, empty)
	srv.Script(`ALTER PROCEDURE dbo.TempGetAppID`, sqlservertest.Result{Err: &sqlservertest.Error{Number: 262, Message: "CREATE PROCEDURE permission denied."}})
	err := admin(t, srv.DSN()).Install(t.Context(), sqlserver.Schema{})
	require.ErrorIs(t, err, session.ErrUnavailable)
	for _, part := range []string{srv.Addr(), "ALTER PROCEDURE dbo.TempGetAppID", "permission denied", "262"} {
		require.ErrorContains(t, err, part)
	}
	require.Contains(t, installed(srv)[len(installed(srv))-1], "TempGetAppID")
}

func TestScriptNames(t *testing.T) {
	for _, name := range []string{strings.Repeat("x", 129), "a\nGO\nDROP DATABASE b", "a\x00"} {
		_, err := sqlserver.Schema{Database: name}.Script()
		require.ErrorContains(t, err, "no name")
		_, err = sqlserver.Schema{User: name}.Batches()
		require.ErrorContains(t, err, "no name")
	}
	script, err := sqlserver.Schema{Database: "a]; DROP DATABASE b --'"}.Script()
	require.NoError(t, err)
	require.NotContains(t, strings.ReplaceAll(script, "[a]]; DROP DATABASE b --']", ""), "[a]")
	require.Contains(t, script, "DB_ID(N'a]; DROP DATABASE b --''')")
}
