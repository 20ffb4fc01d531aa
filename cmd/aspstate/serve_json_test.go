package main

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stores/stateserver"
)

// requireJSONLines wants an object with a level and a message in every line.
func requireJSONLines(t *testing.T, log string) {
	t.Helper()
	require.NotEmpty(t, log)
	requireTame(t, log)
	for line := range strings.Lines(log) {
		var record struct{ Level, Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &record), line)
		require.NotEmpty(t, record.Level)
		require.NotEmpty(t, record.Msg)
	}
}

func TestServeJSON(t *testing.T) {
	_, cert, key, _ := certificates(t)
	dir, err := os.MkdirTemp("", "aspstate") // t.TempDir may be too long for a socket's name
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	admin := "unix:" + filepath.Join(dir, "s")
	line, log, stop := servingLine(t, "--json", "--admin", admin, "--tls-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
	var ready servingJSON
	decode(t, []byte(line), &ready)
	require.Equal(t, admin, ready.Admin)
	require.Len(t, ready.Listening, 1, "without TLS")
	require.Equal(t, "tcpip="+ready.Listening[0], ready.ConnectionString)

	addr, err := stateserver.ParseConnectionString(ready.ConnectionString)
	require.NoError(t, err)
	saveOne(t, openStore(t, stateserver.Options{Addr: addr}))
	// The address is what the other verbs take.
	r := runTool(nil, "discover", "--json", "--admin", ready.Admin)
	require.Equal(t, exitOK, r.code, r.stderr)
	require.Contains(t, string(r.stdout), `"sessions":1`)
	dial := func(network, address string) error {
		c, err := net.Dial(network, address)
		if err == nil {
			secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			err = secure.HandshakeContext(t.Context())
			_ = secure.Close()
		}
		return err
	}
	require.NoError(t, dial("tcp", ready.TLS))

	require.Equal(t, exitOK, stop())
	requireJSONLines(t, log())
	require.Contains(t, log(), `"msg":"admin"`)
}

func TestServeJSONSaysNothingOfWhatIsNot(t *testing.T) {
	line, log, stop := servingLine(t, "--json")
	var fields map[string]any
	decode(t, []byte(line), &fields)
	require.Len(t, fields, 2, line)
	require.Contains(t, fields, "listening")
	require.Contains(t, fields, "connectionString")
	require.Equal(t, exitOK, stop())
	require.NotContains(t, log(), "aspstate:")
}

// A failure is a line of the log too; a wrong command line is for people.
func TestServeJSONFails(t *testing.T) {
	r := runTool(nil, "serve", "--json", "--listen", "127.0.0.1:0", "--data", "\u009b2J\x7f\x00")
	require.Equal(t, exitData, r.code)
	require.Empty(t, r.stdout)
	requireJSONLines(t, r.stderr)
	require.Contains(t, r.stderr, `"level":"ERROR","msg":"serve","error":"`)
	r = runTool(nil, "serve", "--json", "extra")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "Usage: aspstate serve")
}
