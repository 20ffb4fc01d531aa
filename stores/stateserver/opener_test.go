package stateserver_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// The store that the opener makes is the one that Options make.
func TestOpener(t *testing.T) {
	require.True(t, stateserver.Opener.Serves("StateServer", ""))
	require.False(t, stateserver.Opener.Serves("SQLServer", ""))
	addr := serve(t, stateservice.Options{})
	direct, err := stateserver.New(stateserver.Options{Addr: addr, AppID: "/LM/W3SVC/1/ROOT", Compress: true})
	require.NoError(t, err)
	defer direct.Close()
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("n", 1))
	id := strings.Repeat("a", 24)
	require.NoError(t, direct.Save(t.Context(), id, session.Lock{}, p))
	for name, s := range map[string]session.Settings{
		"by application id": {AppID: "/LM/W3SVC/1/ROOT"},
		"by base":           {AppID: "/LM/W3SVC/9/ROOT", KeyBase: msasp.Base("/LM/W3SVC/1/ROOT")},
	} {
		s.Mode, s.Connection, s.Compress = "StateServer", "tcpip="+addr, true
		store, err := stateserver.Opener.Open(t.Context(), s)
		require.NoError(t, err, name)
		rec, err := store.Get(t.Context(), id)
		require.NoError(t, err, name)
		require.Equal(t, []string{"n"}, rec.Payload.Items().Keys())
		require.NoError(t, store.(*stateserver.Store).Close())
	}
	for _, bad := range []session.Settings{{AppID: "x", Connection: "127.0.0.1"}, {}, {AppID: "x", Validation: "ROT13", ValidationKey: []byte("k")}} {
		_, err := stateserver.Opener.Open(t.Context(), bad)
		require.Error(t, err)
	}
}
