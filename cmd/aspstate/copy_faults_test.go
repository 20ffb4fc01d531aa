package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// A copy with --overwrite never says that all is well while a session that an
// earlier copy noted has changed in the source since.
func TestCopyOverwriteAfterIncomplete(t *testing.T) {
	for name, first := range map[string][]string{"after one without": nil, "after one with": {"--overwrite"}} {
		t.Run(name, func(t *testing.T) {
			from, to := startService(t), startService(t)
			src, dst := from.store(t, testApp), to.store(t, testApp)
			ctx := t.Context()
			for i := range 2 {
				require.NoError(t, src.Save(ctx, testID(i), session.Lock{}, testPayload(t, i)))
			}
			held, err := src.Acquire(ctx, testID(1), time.Minute)
			require.NoError(t, err)
			state := filepath.Join(t.TempDir(), "state")
			args := []string{"copy", "--state", state, "--wait", "0s", "--from", from.url, "--from-admin", from.admin, "--to", to.url}
			r := runTool(nil, append(args, first...)...)
			require.Equal(t, exitData, r.code, "one is locked")
			require.NoError(t, src.Release(ctx, testID(1), held.Lock))
			rec, err := src.Acquire(ctx, testID(0), time.Minute)
			require.NoError(t, err)
			require.NoError(t, rec.Payload.Items().Set("visits", 77))
			require.NoError(t, src.Save(ctx, testID(0), rec.Lock, rec.Payload))

			args = append(args, "--overwrite")
			r = runTool(nil, args...)
			if r.code != exitOK {
				require.Contains(t, r.stderr, "--overwrite; remove it")
				require.NoError(t, os.Remove(state))
				r = runTool(nil, args...)
			}
			require.Equal(t, exitOK, r.code, r.stderr)
			got, err := dst.Get(ctx, testID(0))
			require.NoError(t, err)
			v, _, err := got.Payload.Items().Get("visits")
			require.NoError(t, err)
			require.EqualValues(t, 77, v, "%s", r.stdout)
		})
	}
}

// Where the session that is to replace one is refused, that one stays.
func TestCopyOverwriteRefused(t *testing.T) {
	from := startService(t)
	ctx := t.Context()
	big := payload.New(20, payload.Limits{})
	require.NoError(t, big.Items().Set("x", strings.Repeat("x", 100_000)))
	require.NoError(t, from.store(t, testApp).Save(ctx, testID(0), session.Lock{}, big))

	s, err := stateservice.Open(stateservice.Options{MaxBytes: 50_000})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	dst, err := stateserver.New(stateserver.Options{Addr: ln.Addr().String(), AppID: testApp})
	require.NoError(t, err)
	defer dst.Close()
	require.NoError(t, dst.Save(ctx, testID(0), session.Lock{}, testPayload(t, 5)))
	r := runTool(nil, "copy", "--overwrite", "--state", filepath.Join(t.TempDir(), "state"),
		"--from", from.url, "--from-admin", from.admin, "--to", "stateserver://"+ln.Addr().String()+"?app="+testApp)
	require.Equal(t, exitData, r.code)
	rec, err := dst.Get(ctx, testID(0))
	require.NoError(t, err)
	require.Equal(t, frameOf(t, testPayload(t, 5)), frameOf(t, rec.Payload))
}

// Redis keys hold no application id: with another one the store is the same.
func TestCopyOntoItself(t *testing.T) {
	addr := redistest.Server(t)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "web.config")
	require.NoError(t, os.WriteFile(name, []byte(`<configuration><system.web><sessionState mode="Custom" customProvider="R"><providers><add name="R" type="Microsoft.Web.Redis.RedisSessionStateProvider" host="`+host+`" port="`+port+`" ssl="false" applicationName="/"/></providers></sessionState></system.web></configuration>`), 0o600))
	r := runTool(nil, "copy", "--state", filepath.Join(t.TempDir(), "state"), "--overwrite", "--from", name, "--from-app-id", "/a", "--to", name, "--to-app-id", "/b")
	require.Equal(t, exitData, r.code, "%s", r.stdout)
	require.Contains(t, r.stderr, "the same store and application")
}
