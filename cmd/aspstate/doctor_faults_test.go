package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
)

// Doctor names every item that cannot leave InProc and every warning, not the
// first of each kind.
func TestDoctorTellsAll(t *testing.T) {
	dir := t.TempDir()
	config, page := filepath.Join(dir, "web.config"), filepath.Join(dir, "p.json")
	require.NoError(t, os.WriteFile(config, []byte(`<configuration><appSettings><add key="aspnet:AllowConcurrentRequestsPerSession" value="true"/></appSettings><system.web><pages enableSessionState="ReadOnly"/><sessionState cookieSameSite="None" mode="InProc"/></system.web></configuration>`), 0o600))
	require.NoError(t, os.WriteFile(page, []byte(`{"probe":"1","appId":"/LM/W3SVC/1/ROOT","sessionState":{"mode":"InProc"},"items":[{"name":"cart","type":"Shop.Cart","serializable":false},{"name":"user","type":"Shop.User","serializable":false},{"name":"gone"},{"name":"lost"}]}`), 0o600))
	r := runTool(nil, "doctor", "--config", config, "--probe", page)
	require.Equal(t, exitData, r.code)
	for _, want := range []string{`"cart"`, `"user"`, `"gone"`, `"lost"`} {
		require.Contains(t, string(r.stdout), want)
	}
}

// Two warnings of one web.config are two notices.
func TestDoctorTellsAllSettings(t *testing.T) {
	d := doctor{}
	d.find(notice, "settings", "setting", "cookieSameSite", "none")
	d.find(notice, "settings", "setting", "enableSessionState", "none")
	d.find(notice, "settings", "setting", "enableSessionState", "none")
	require.Len(t, d.Findings, 2)
}

// A database that the server does not have is not another service.
func TestDoctorRedisDatabase(t *testing.T) {
	host, port, err := net.SplitHostPort(redistest.Server(t))
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "web.config")
	require.NoError(t, os.WriteFile(name, []byte(`<configuration><system.web><sessionState mode="Custom" customProvider="R"><providers><add name="R" type="Microsoft.Web.Redis.RedisSessionStateProvider" host="`+host+`" port="`+port+`" ssl="false" databaseId="99" applicationName="/"/></providers></sessionState></system.web></configuration>`), 0o600))
	r := runTool(nil, "doctor", "--config", name)
	require.Equal(t, exitData, r.code)
	require.Contains(t, string(r.stdout), "Most likely: redis-database")
}

// A command line that names no store, or two, is wrong: the code is 2; and what is
// not expected there is not repeated: it may be an id or hold a password.
func TestCommandLineCodes(t *testing.T) {
	id := testID(7)
	for _, args := range [][]string{
		{"ls"}, {"discover"}, {"show", id}, {"rm", id},
		{"ls", "--config", "web.config", "--store", "stateserver://a"},
		{"ls", "sqlserver://sa:Sesame-open@host"},
		{"doctor", "--config", "web.config", id},
	} {
		r := runTool(nil, args...)
		require.Equal(t, exitUsage, r.code, "%v: %s", args, r.stderr)
		require.NotContains(t, r.stderr, id)
		require.NotContains(t, r.stderr, "Sesame-open")
	}
	r := runTool(nil, "show", "--config", "web.config")
	require.Contains(t, r.stderr, "one ID is needed")
}
