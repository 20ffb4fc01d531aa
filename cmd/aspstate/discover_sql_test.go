package main

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// Who has sessions in a database, who shares, and whose number was set by hand.
func TestDiscoverSQL(t *testing.T) {
	server := sqlservertest.Run(t, sqlservertest.Options{})
	one, other := sqlserver.AppID("/lm/w3svc/1/root"), int32(0x1234abcd)
	server.Script("FROM ASPStateTempApplications", sqlservertest.Result{
		Columns: []sqlservertest.Column{{Type: sqlservertest.Int}, {Type: sqlservertest.VarChar, Size: 280}},
		Rows:    [][]any{{one, "/lm/w3svc/1/root"}, {other, "/lm/w3svc/2/root"}, {other, "/lm/w3svc/3/root"}},
	})
	server.Script("GROUP BY", sqlservertest.Result{
		Columns: []sqlservertest.Column{{Type: sqlservertest.NVarChar, Size: 8}, {Type: sqlservertest.Int}, {Type: sqlservertest.BigInt}, {Type: sqlservertest.Int}},
		Rows:    [][]any{{hex8(one), int32(5), int64(700), int32(1)}, {"1234abcd", int32(2), int64(90), int32(0)}, {"0badcafe", int32(1), int64(7), int32(0)}},
	})
	u, err := url.Parse(server.DSN())
	require.NoError(t, err)
	q := u.Query()
	q.Set("app", "/LM/W3SVC/1/ROOT")
	u.RawQuery = q.Encode()
	file := connectionFile(t, u.String())
	r := runTool(nil, "discover", "--store", "@"+file)
	require.Equal(t, exitOK, r.code, r.stderr)
	out := string(r.stdout)
	require.Regexp(t, `/lm/w3svc/1/root \(yours\) +classic, key end `+hex8(one)+` +5 +1 +700\n`, out)
	require.Contains(t, out, "shared by /lm/w3svc/2/root, /lm/w3svc/3/root")
	require.Contains(t, out, "the number is not the one that TempGetAppID makes")
	require.Regexp(t, `\? +key end 0badcafe +1 `, out)
	require.NotContains(t, out+r.stderr, sqlservertest.Password)

	server.Close()
	r = runTool(nil, "discover", "--store", "@"+file)
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "store unavailable")
	require.NotContains(t, r.stderr, sqlservertest.Password)
	require.NotContains(t, r.stderr, filepath.Base(u.String()))
}

func hex8(id int32) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 8)
	for i := range b {
		b[i] = digits[uint32(id)>>(28-4*i)&15]
	}
	return string(b)
}
