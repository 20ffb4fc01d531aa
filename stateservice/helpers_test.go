package stateservice_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// patience ends a test that hangs; no test that passes waits for it.
const patience = 20 * time.Second

// A clock that tests move. Its zone is not UTC, because LockDate is a wall clock.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

var start = time.Date(2024, 1, 15, 10, 30, 0, 0, time.FixedZone("here", 2*3600))

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A journal is what a server logs.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// run starts a server on loopback; the test's end closes it. It logs nothing
// unless opt says where to.
func run(t testing.TB, opt stateservice.Options) (*stateservice.Server, string) {
	t.Helper()
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.ParkTimeout == 0 {
		opt.ParkTimeout = -1 // what parks has tests of its own
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := stateservice.New(opt)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	})
	return s, ln.Addr().String()
}

// A wire is one raw connection of a client.
type wire struct {
	t  testing.TB
	nc net.Conn
	br *bufio.Reader
}

func dial(t testing.TB, addr string) *wire {
	t.Helper()
	nc, err := net.DialTimeout("tcp", addr, patience)
	require.NoError(t, err)
	return wrap(t, nc)
}

func wrap(t testing.TB, nc net.Conn) *wire {
	t.Cleanup(func() { nc.Close() })
	require.NoError(t, nc.SetDeadline(time.Now().Add(patience)))
	return &wire{t: t, nc: nc, br: bufio.NewReader(nc)}
}

func (w *wire) send(raw string) {
	w.t.Helper()
	_, err := io.WriteString(w.nc, raw)
	require.NoError(w.t, err)
}

// ask sends a request and returns the reply, every byte of it.
func (w *wire) ask(raw string) string {
	w.t.Helper()
	w.send(raw)
	return w.reply()
}

func (w *wire) reply() string {
	w.t.Helper()
	rep, err := readReply(w.br)
	require.NoError(w.t, err, "after %q", rep)
	return rep
}

// closed requires that the server closes with nothing more to say.
func (w *wire) closed() {
	w.t.Helper()
	rest, err := io.ReadAll(w.br)
	require.Empty(w.t, string(rest))
	require.NotErrorIs(w.t, err, os.ErrDeadlineExceeded, "the server keeps the connection")
}

// readReply knows nothing but framing: lines, an empty one, Content-Length bytes.
func readReply(br *bufio.Reader) (string, error) {
	var head strings.Builder
	length := 0
	for {
		line, err := br.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			return head.String(), err
		}
		if line == "\r\n" {
			break
		}
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSuffix(value, "\r\n")); err != nil {
				return head.String(), err
			}
		}
	}
	body := make([]byte, length)
	n, err := io.ReadFull(br, body)
	head.Write(body[:n])
	return head.String(), err
}

// newID is a session id as ASP.NET makes them.
func newID() string {
	id := make([]byte, 24)
	for i := range id {
		id[i] = "abcdefghijklmnopqrstuvwxyz012345"[rand.N(32)]
	}
	return string(id)
}

// The heads of requests for a short key, for tests that do not care how keys are
// encoded. headers are whole lines without their ends.
func request(verb, key string, headers ...string) string {
	raw := verb + " " + key + " HTTP/1.1\r\n"
	for _, h := range headers {
		raw += h + "\r\n"
	}
	return raw + "\r\n"
}

func save(key, body string, headers ...string) string {
	return request("PUT", key, append(headers, "Content-Length: "+strconv.Itoa(len(body)))...) + body
}

// fill is content of n bytes.
func fill(n int) string { return strings.Repeat("x", n) }

// settle waits until no more goroutines run than before. (require.Eventually
// starts one itself.)
func settle(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			all := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d now:\n%s", before, runtime.NumGoroutine(), all[:runtime.Stack(all, true)])
		}
	}
}

// status is a reply's first line without the version, shortened to the number
// and what a lock is told by.
func status(rep string) string {
	line, _, _ := strings.Cut(strings.TrimPrefix(rep, "HTTP/1.1 "), " ")
	if line == "423" {
		return line + " " + field(rep, "LockCookie")
	}
	return line
}

// field is a header's value, "" where it is missing.
func field(rep, name string) string {
	head, _, _ := strings.Cut(rep, "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return value
		}
	}
	return ""
}

// content is a reply's body.
func content(rep string) string {
	_, body, _ := strings.Cut(rep, "\r\n\r\n")
	return body
}
