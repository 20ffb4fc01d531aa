package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/admin"
)

const token = "0123456789abcdef"

// service is a state service on a socket, with a way to speak to it.
func service(t *testing.T) (*stateservice.Server, func(request string) string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := stateservice.New(stateservice.Options{MaxItems: 2})
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	})
	return s, func(request string) string {
		c, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		_, err = io.WriteString(c, request)
		require.NoError(t, err)
		line, err := bufio.NewReader(c).ReadString('\n')
		require.NoError(t, err)
		return line
	}
}

func put(key, body string) string {
	return fmt.Sprintf("PUT %s HTTP/1.1\r\nTimeout:20\r\nContent-Length:%d\r\n\r\n%s", key, len(body), body)
}

func TestWhatItServes(t *testing.T) {
	s, say := service(t)
	require.Contains(t, say(put("/a", "12345")), "200")
	require.Contains(t, say(put("/b", "1")), "200")
	require.Contains(t, say(put("/c", "1")), "400", "over the limit")
	require.Contains(t, say("GET /a HTTP/1.1\r\nExclusive: acquire\r\n\r\n"), "200")
	require.Contains(t, say("DELETE /b HTTP/1.1\r\n\r\n"), "200")
	require.Contains(t, say("nonsense\r\n\r\n"), "400")

	h, err := admin.New(s, admin.Options{})
	require.NoError(t, err)
	get := func(path string) (int, string) {
		r := httptest.NewRequest("GET", "http://127.0.0.1"+path, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	code, body := get("/healthz")
	require.Equal(t, 200, code)
	require.Equal(t, "ok\n", body)

	code, body = get("/metrics")
	require.Equal(t, 200, code)
	for _, line := range []string{
		"aspstate_sessions 1", "aspstate_bytes 5", `aspstate_operations_total{operation="set",status="200"} 2`,
		`aspstate_operations_total{operation="set",status="400"} 1`, `aspstate_operations_total{operation="acquire",status="200"} 1`,
		`aspstate_ended_total{reason="removed"} 1`, `aspstate_refused_total{limit="MaxItems"} 1`, "aspstate_malformed_total 1",
		"aspstate_lock_hold_seconds_bucket", "aspstate_parked 0", "aspstate_parked_total 0",
	} {
		require.Contains(t, body, line+"")
	}
	require.NotContains(t, body, "/a", "metrics hold no key")

	code, body = get("/sessions")
	require.Equal(t, 200, code)
	require.Equal(t, 1, strings.Count(body, "\n"))
	var l admin.Listed
	require.NoError(t, json.Unmarshal([]byte(body), &l))
	require.Equal(t, "/a", string(l.Key))
	require.Equal(t, 5, l.Size)
	require.NotZero(t, l.LockCookie)
	require.NotNil(t, l.Expires)

	code, _ = get("/debug/pprof/heap")
	require.Equal(t, 404, code, "profiles are served where they are asked for")
	h, err = admin.New(s, admin.Options{Profiles: true})
	require.NoError(t, err)
	code, _ = get("/debug/pprof/heap")
	require.Equal(t, 200, code)
}

func TestWhoMayLook(t *testing.T) {
	s, _ := service(t)
	h, err := admin.New(s, admin.Options{Token: token})
	require.NoError(t, err)
	for _, row := range []struct {
		name, url string
		auth      func(*http.Request)
		code      int
	}{
		{"health needs no token", "http://localhost:9/healthz", nil, 200},
		{"without a token", "http://127.0.0.1:9/metrics", nil, 401},
		{"with it", "http://127.0.0.1:9/metrics", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, 200},
		{"as a password", "http://[::1]:9/sessions", func(r *http.Request) { r.SetBasicAuth("anyone", token) }, 200},
		{"a wrong one", "http://127.0.0.1/metrics", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"0") }, 401},
		{"an empty password", "http://127.0.0.1/metrics", func(r *http.Request) { r.SetBasicAuth("anyone", "") }, 401},
		{"a name that a web page made", "http://rebind.example/sessions", func(r *http.Request) { r.SetBasicAuth("", token) }, 421},
		{"even for health", "http://127.0.0.1.rebind.example/healthz", nil, 421},
		{"another method", "http://127.0.0.1/sessions", func(r *http.Request) { r.Method = "POST"; r.SetBasicAuth("", token) }, 405},
	} {
		r := httptest.NewRequest("GET", row.url, nil)
		r.Header.Set("Origin", "https://elsewhere.example")
		if row.auth != nil {
			row.auth(r)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, row.code, w.Code, row.name)
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), row.name)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"), row.name)
	}
	_, err = admin.New(s, admin.Options{Token: "short"})
	require.ErrorContains(t, err, "16")
}

func TestListenOnASocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of sockets are not Windows's")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "admin.sock")
	ln, err := admin.Listen("unix:" + path)
	require.NoError(t, err)
	require.NoError(t, admin.Check(ln, ""))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = admin.Listen("unix:" + path)
	require.ErrorContains(t, err, "already answers")

	s, _ := service(t)
	h, err := admin.New(s, admin.Options{})
	require.NoError(t, err)
	server := http.Server{Handler: h}
	go func() { _ = server.Serve(ln) }()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	resp, err := client.Get("http://aspstate/metrics")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode, "any name does on a socket of one's own")
	client.CloseIdleConnections()
	require.NoError(t, server.Close())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "nothing is left")

	// What a dead process left is replaced, what is no socket never.
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	dead.SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	ln, err = admin.Listen("unix:" + path)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err = admin.Listen("unix:" + path)
	require.ErrorContains(t, err, "no socket")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "precious", string(b))
}

func TestListenOnAnAddress(t *testing.T) {
	ln, err := admin.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	require.ErrorContains(t, admin.Check(ln, ""), "token")
	require.NoError(t, admin.Check(ln, token))
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "nowhere", ""} {
		_, err := admin.Listen(address)
		require.Error(t, err, address)
	}
}
