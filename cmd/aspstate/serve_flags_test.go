package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice/onend"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// serving runs the verb until stop is called, which returns its exit code.
func servingTool(t *testing.T, args ...string) (addr string, log func() string, stop func() int) {
	t.Helper()
	line, log, stop := servingLine(t, args...)
	return strings.TrimSuffix(strings.Fields(line)[3], ";"), log, stop
}

// servingLine is servingTool with the whole line of standard output.
func servingLine(t *testing.T, args ...string) (line string, log func() string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, errs := &printed{first: make(chan string, 1)}, &printed{first: make(chan string, 1)}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), nil, out, errs)
	}()
	log = func() string { errs.mu.Lock(); defer errs.mu.Unlock(); return errs.b.String() }
	select {
	case line = <-out.first:
	case got := <-code:
		cancel()
		t.Fatalf("exit code %d: %s", got, log())
	}
	var once sync.Once
	result := -1
	stop = func() int { once.Do(func() { cancel(); result = <-code }); return result }
	t.Cleanup(func() { stop() })
	return line, log, stop
}

func openStore(t *testing.T, opt stateserver.Options) *stateserver.Store {
	t.Helper()
	opt.AppID = "/LM/W3SVC/1/ROOT"
	s, err := stateserver.New(opt)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

const visitorID = "abcdefghijklmnopqrstuvwx"

func saveOne(t *testing.T, s *stateserver.Store) {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("n", 1))
	require.NoError(t, s.Save(t.Context(), visitorID, session.Lock{}, p))
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestServeKeepsSessionsInADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	addr, _, stop := servingTool(t, "--data", dir)
	saveOne(t, openStore(t, stateserver.Options{Addr: addr}))
	require.Equal(t, exitOK, stop())
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	addr, _, stop = servingTool(t, "--data", dir)
	rec, err := openStore(t, stateserver.Options{Addr: addr}).Get(t.Context(), visitorID)
	require.NoError(t, err, "it is there after a restart")
	require.Equal(t, []string{"n"}, rec.Payload.Items().Keys())
	// A second one on the directory says so.
	r := runTool(nil, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, dir)
	require.Equal(t, exitOK, stop())
}

func TestServeAdmin(t *testing.T) {
	token := write(t, "token", "0123456789abcdef\n")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	addr, _, stop := servingTool(t, "--admin", address, "--admin-token", token, "--admin-values")
	saveOne(t, openStore(t, stateserver.Options{Addr: addr}))
	get := func(path, token string) (int, string) {
		r, err := http.NewRequest("GET", "http://"+address+path, nil)
		require.NoError(t, err)
		r.SetBasicAuth("", token)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	code, body := get("/metrics", "0123456789abcdef")
	require.Equal(t, 200, code)
	require.Contains(t, body, "aspstate_sessions 1")
	code, _ = get("/sessions", "")
	require.Equal(t, 401, code)
	code, body = get("/browse", "0123456789abcdef")
	require.Equal(t, 200, code)
	code, body = get(regexp.MustCompile(`/session/[0-9a-f]+`).FindString(body), "0123456789abcdef")
	require.Equal(t, 200, code)
	require.Contains(t, body, "System.Int32")
	require.Contains(t, body, ">1</bdi>", "--admin-values")
	code, _ = get("/healthz", "")
	require.Equal(t, 200, code)
	http.DefaultClient.CloseIdleConnections()
	require.Equal(t, exitOK, stop())

	for _, row := range []struct{ want, args string }{
		{"token", "--admin 127.0.0.1:0"},
		{"loopback", "--admin 0.0.0.0:0 --admin-token " + token},
		{"16", "--admin 127.0.0.1:0 --admin-token " + write(t, "short", "abc")},
		{"missing", "--admin 127.0.0.1:0 --admin-token missing"},
	} {
		r := runTool(nil, append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(row.args)...)...)
		require.Equal(t, exitData, r.code, row.args)
		require.Contains(t, r.stderr, row.want, row.args)
	}
}

func TestServeTellsOfEnds(t *testing.T) {
	const key = "a signing key of some length"
	ended := make(chan onend.Event, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = onend.Verify([]byte(key), body, r.Header, time.Now(), time.Minute)
		}
		var e onend.Event
		if err == nil {
			err = json.Unmarshal(body, &e)
		}
		if err == nil {
			ended <- e
			return
		}
		http.Error(w, err.Error(), http.StatusBadRequest)
	}))
	defer receiver.Close()
	addr, _, stop := servingTool(t, "--on-end", receiver.URL, "--on-end-key", write(t, "key", key+"\n"))
	s := openStore(t, stateserver.Options{Addr: addr})
	saveOne(t, s)
	require.NoError(t, s.Remove(t.Context(), visitorID, session.Lock{}))
	select {
	case e := <-ended:
		require.Equal(t, "removed", e.Reason)
		p, err := payload.Open(e.Payload, payload.Limits{})
		require.NoError(t, err)
		require.Equal(t, []string{"n"}, p.Items().Keys())
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
	require.Equal(t, exitOK, stop())
	r := runTool(nil, "serve", "--listen", "127.0.0.1:0", "--on-end", receiver.URL)
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "--on-end-key")
}

func TestServeBeyondThisMachineNeedsAList(t *testing.T) {
	r := runTool(nil, "serve", "--listen", "0.0.0.0:0")
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "--allow")
	r = runTool(nil, "serve", "--allow", "here")
	require.Equal(t, exitData, r.code)
	require.Contains(t, r.stderr, "here")
	addr, log, stop := servingTool(t, "--listen", "0.0.0.0:0", "--allow", "10.0.0.0/8")
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	saveOne(t, openStore(t, stateserver.Options{Addr: "127.0.0.1:" + port}))
	require.Contains(t, log(), "private network")
	require.Equal(t, exitOK, stop())
}

// certificates writes an authority's certificate and one signed by it, for both
// ends.
func certificates(t *testing.T) (ca, cert, key string, pair tls.Certificate) {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, template, template, &caKey.PublicKey, caKey)
	require.NoError(t, err)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "state"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, leaf, template, &leafKey.PublicKey, caKey)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(leafKey)
	require.NoError(t, err)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	ca, cert, key = write(t, "ca.pem", encode("CERTIFICATE", caDER)), write(t, "cert.pem", encode("CERTIFICATE", der)), write(t, "key.pem", encode("PRIVATE KEY", pkcs8))
	pair, err = tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	return ca, cert, key, pair
}

func TestServeTLS(t *testing.T) {
	ca, cert, key, pair := certificates(t)
	_, log, stop := servingTool(t, "--tls-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", ca)
	var secure string
	for line := range strings.Lines(log()) {
		if _, rest, ok := strings.Cut(line, "msg=TLS address="); ok {
			secure = strings.Fields(rest)[0]
		}
	}
	require.NotEmpty(t, secure, log())
	pool := x509.NewCertPool()
	b, err := os.ReadFile(ca)
	require.NoError(t, err)
	require.True(t, pool.AppendCertsFromPEM(b))
	dial := func(config *tls.Config) func(context.Context, string, string) (net.Conn, error) {
		return (&tls.Dialer{Config: config}).DialContext
	}
	s := openStore(t, stateserver.Options{Addr: secure, Dial: dial(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}})})
	saveOne(t, s)
	_, err = s.Get(t.Context(), visitorID)
	require.NoError(t, err)
	_, err = openStore(t, stateserver.Options{Addr: secure, Dial: dial(&tls.Config{RootCAs: pool})}).Get(t.Context(), visitorID)
	require.ErrorIs(t, err, session.ErrUnavailable, "no certificate, no session")

	c, err := net.Dial("tcp", secure)
	require.NoError(t, err)
	_, err = fmt.Fprintf(c, "GET /x HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	line, _ := bufio.NewReader(c).ReadString('\n')
	require.NotContains(t, line, "404", "nothing is answered in the clear")
	require.NoError(t, c.Close())
	require.Equal(t, exitOK, stop())

	for _, args := range [][]string{{"--tls-cert", cert}, {"--tls-listen", "127.0.0.1:0"}, {"--tls-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", key}} {
		r := runTool(nil, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
		require.Equal(t, exitData, r.code)
		require.Contains(t, r.stderr, "--tls")
	}
}
