package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/admin"
	"github.com/aspsession/aspsession/stores/stateserver"
)

const testApp = "/LM/W3SVC/1/ROOT"

// A service is a state service of ours with its admin address.
type service struct {
	addr, admin string
	url         string // of testApp
}

// cleaner is what testing.T and a testscript's Env have.
type cleaner interface {
	Helper()
	Cleanup(func())
	require.TestingT
}

func startService(t cleaner) service {
	t.Helper()
	s, err := stateservice.Open(stateservice.Options{})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 2)
	go func() { served <- s.Serve(ln) }()
	// t.TempDir may be too long for a socket's name.
	dir, err := os.MkdirTemp("", "ops")
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	h, err := admin.New(s, admin.Options{})
	require.NoError(t, err)
	adminLn, err := admin.Listen("unix:" + socket)
	require.NoError(t, err)
	web := &http.Server{Handler: h}
	go func() { served <- web.Serve(adminLn) }()
	t.Cleanup(func() {
		_ = web.Close()
		_ = s.Close()
		<-served
		<-served
		_ = os.RemoveAll(dir)
	})
	addr := ln.Addr().String()
	return service{addr, "unix:" + socket, "stateserver://" + addr + "?app=" + testApp}
}

// store is a Go client of it, for one application.
func (s service) store(t cleaner, app string) *stateserver.Store {
	t.Helper()
	store, err := stateserver.New(stateserver.Options{Addr: s.addr, AppID: app, Strict: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// testID is the nth id of a series, of ASP.NET's form.
func testID(n int) string {
	id := []byte(strings.Repeat("a", session.IDLength))
	for i := len(id) - 1; n > 0; i-- {
		id[i] = byte('a' + n%26)
		n /= 26
	}
	return string(id)
}

// testPayload is the nth of a series, each with bytes of its own.
func testPayload(t require.TestingT, n int) *payload.Payload {
	p := payload.New(int32(20+n%40), payload.Limits{})
	require.NoError(t, p.Items().Set("user", fmt.Sprintf("visitor %d", n)))
	require.NoError(t, p.Items().Set("visits", n))
	require.NoError(t, p.Items().Set("basket", strings.Repeat("x", n%200)))
	return p
}

func frameOf(t testing.TB, p *payload.Payload) []byte {
	t.Helper()
	b, err := p.Append(nil)
	require.NoError(t, err)
	return b
}
