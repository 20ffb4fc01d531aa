package sqlserver_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sqlc-dev/teesql/parser"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stores/sqlserver"
)

var update = flag.Bool("update", false, "write the golden files anew")

var schemas = map[string]sqlserver.Schema{
	"persisted": {},
	"tempdb":    {TempTables: true},
	"custom":    {Database: "Shop]'s state", User: `CORP\web`},
}

func TestScriptGolden(t *testing.T) {
	for name, schema := range schemas {
		file := filepath.Join("testdata", "schema-"+name+".sql")
		got, err := schema.Script()
		require.NoError(t, err)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "go test -update writes %s anew", file)
		require.NotContains(t, strings.ToLower(got), "{{")
	}
}

// Every batch is T-SQL to a parser that is not ours, those inside EXECUTE too.
func TestScriptParses(t *testing.T) {
	for name, schema := range schemas {
		script, err := schema.Script()
		require.NoError(t, err)
		inside, err := schema.Batches()
		require.NoError(t, err)
		for _, batch := range append(sqlserver.SplitBatches(script), inside...) {
			requireTSQL(t, name, batch)
		}
	}
}

func requireTSQL(t *testing.T, name, batch string) {
	t.Helper()
	// The parser does not know that a doubled bracket stands for one.
	script, err := parser.Parse(t.Context(), strings.NewReader(strings.ReplaceAll(batch, "]]", "")))
	require.NoError(t, err, "%s:\n%s", name, batch)
	require.Len(t, script.Batches, 1, "%s:\n%s", name, batch)
	require.NotEmpty(t, script.Batches[0].Statements, "%s:\n%s", name, batch)
}

// The parser refuses what is none, so that the test above shows something.
func TestParserRefuses(t *testing.T) {
	for _, bad := range []string{
		"UPDATE t SET a = WHERE b = 1",
		"SELECT CASE 1 WHEN 1 THEN 2",
		"DELETE TOP (5 FROM t",
		"IF 1 = 1",
	} {
		script, err := parser.Parse(t.Context(), strings.NewReader(bad))
		if err == nil {
			t.Errorf("parsed: %s: %+v", bad, script.Batches)
		}
	}
}

// The texts that are no scripts: as they were reviewed, and T-SQL.
func TestTextsGolden(t *testing.T) {
	var b strings.Builder
	texts := sqlserver.Texts()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		// Nor that an UPDATE may set a variable to any expression, as it may a column.
		column := strings.NewReplacer("\t@LockAge = ", "\tLockAge = ", "\t@ActionFlags = ", "\tActionFlags = ")
		requireTSQL(t, name, column.Replace(texts[name]))
		fmt.Fprintf(&b, "-- %s\n%s\nGO\n", name, texts[name])
	}
	file := filepath.Join("testdata", "texts.sql")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "go test -update writes %s anew", file)
}
