package admin_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/admin"
)

// A clock that tests move.
type clock struct{ moved atomic.Int64 }

var start = time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)

func newClock() *clock                    { return new(clock) }
func (c *clock) Now() time.Time           { return start.Add(time.Duration(c.moved.Load())) }
func (c *clock) Advance(by time.Duration) { c.moved.Add(int64(by)) }

// A talker is a connection to a service.
type talker struct {
	t  testing.TB
	s  *stateservice.Server
	nc net.Conn
	br *bufio.Reader

	cookie string // of the last reply that had one
}

// serve starts a service with a clock of its own and connects to it.
func serve(t testing.TB, opt stateservice.Options) (*stateservice.Server, *talker) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	opt.Logger = slog.New(slog.DiscardHandler)
	s := stateservice.New(opt)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() {
		nc.Close()
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	})
	return s, &talker{t: t, s: s, nc: nc, br: bufio.NewReader(nc)}
}

func target(key string) string { return string(msasp.AppendTarget(nil, key)) }

// ask sends a request and returns its reply's status line.
func (k *talker) ask(verb, key, headers, body string) string {
	k.t.Helper()
	_, err := fmt.Fprintf(k.nc, "%s %s HTTP/1.1\r\n%sContent-Length:%d\r\n\r\n%s", verb, target(key), headers, len(body), body)
	require.NoError(k.t, err)
	return k.reply()
}

func (k *talker) reply() (status string) {
	k.t.Helper()
	var length int64
	for line := "."; line != "\r\n"; {
		var err error
		line, err = k.br.ReadString('\n')
		require.NoError(k.t, err)
		if status == "" {
			status = line
		}
		switch name, value, _ := strings.Cut(line, ":"); strings.ToLower(name) {
		case "content-length":
			_, err := fmt.Sscan(value, &length)
			require.NoError(k.t, err)
		case "lockcookie":
			k.cookie = strings.TrimSpace(value)
		}
	}
	_, err := io.CopyN(io.Discard, k.br, length)
	require.NoError(k.t, err)
	return status
}

// put stores a session of so many minutes.
func (k *talker) put(key string, minutes int, body []byte) {
	k.t.Helper()
	require.Contains(k.t, k.ask("PUT", key, fmt.Sprintf("Timeout:%d\r\n", minutes), string(body)), "200")
}

func (k *talker) acquire(key string) {
	k.t.Helper()
	require.Contains(k.t, k.ask("GET", key, "Exclusive: acquire\r\n", ""), "200")
}

// lock takes a session's lock, makes the session where there is none, and
// returns the lock cookie.
func (k *talker) lock(key string) string {
	k.t.Helper()
	if status := k.ask("GET", key, "Exclusive: acquire\r\n", ""); strings.Contains(status, "404") {
		k.put(key, 20, []byte("new"))
		k.acquire(key)
	} else {
		require.Contains(k.t, status, "200")
	}
	return k.cookie
}

// park asks for a lock that is held, over a connection of its own, and returns
// when the request waits. The reply is what the function returns.
func (k *talker) park(key string) (reply func() string) {
	k.t.Helper()
	before := k.s.Metrics().Parked
	nc, err := net.Dial("tcp", k.nc.RemoteAddr().String())
	require.NoError(k.t, err)
	k.t.Cleanup(func() { nc.Close() })
	w := &talker{t: k.t, s: k.s, nc: nc, br: bufio.NewReader(nc)}
	_, err = fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nExclusive: acquire\r\n\r\n", target(key))
	require.NoError(k.t, err)
	require.Eventually(k.t, func() bool { return k.s.Metrics().Parked > before }, time.Minute, time.Millisecond)
	return w.reply
}

// many stores so many sessions of a few bytes.
func (k *talker) many(n int, key func(i int) string) {
	k.t.Helper()
	const batch = 200
	for i := 0; i < n; i += batch {
		var b strings.Builder
		for j := i; j < i+batch; j++ {
			fmt.Fprintf(&b, "PUT %s HTTP/1.1\r\nTimeout:%d\r\nContent-Length:3\r\n\r\nabc", target(key(j)), 1+j%1000)
		}
		_, err := io.WriteString(k.nc, b.String())
		require.NoError(k.t, err)
		for range batch {
			require.Contains(k.t, k.reply(), "200")
		}
	}
}

const (
	rootApp = "/LM/W3SVC/1/ROOT"
	shopApp = "/LM/W3SVC/1/ROOT/shop"
)

// keyOf is ASP.NET's key of a session.
func keyOf(app, id string) string { return msasp.Base(app) + id }

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	return b
}

// shop is a session with items of all sorts.
func shop(t testing.TB) []byte {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	it := p.Items()
	for _, item := range []struct {
		key   string
		value any
	}{
		{"user", "alice@example.com"},
		{"visits", int32(42)},
		{"since", time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)},
		{"total", 129.95},
		{"returnTo", nil},
		{"cart", payload.Object(read(t, "nrbf-cart-50.bin"))},
		{"profile", payload.Object(read(t, "nrbf-userprofile.bin"))},
		{"people", payload.Object(read(t, "nrbf-list-person-10.bin"))},
		{"settings", payload.Object(read(t, "nrbf-dict-string-object.bin"))},
	} {
		require.NoError(t, it.Set(item.key, item.value), item.key)
	}
	b, err := p.Append(nil)
	require.NoError(t, err)
	return b
}

// look loads a page and reads its HTML.
func look(t testing.TB, h http.Handler, url string) (*httptest.ResponseRecorder, *html.Node) {
	t.Helper()
	r := httptest.NewRequest("GET", "http://127.0.0.1"+url, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	doc, err := html.Parse(strings.NewReader(w.Body.String()))
	require.NoError(t, err)
	return w, doc
}

// find returns the elements of a name, in order, and with all of the attributes
// in "name=value" form.
func find(n *html.Node, name string, attrs ...string) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type != html.ElementNode || d.Data != name {
			continue
		}
		ok := true
		for _, want := range attrs {
			k, v, _ := strings.Cut(want, "=")
			ok = ok && attr(d, k) == v
		}
		if ok {
			found = append(found, d)
		}
	}
	return found
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// cells are the texts of a table's body, row by row.
func cells(table *html.Node) (rows [][]string) {
	for _, tr := range find(find(table, "tbody")[0], "tr") {
		var row []string
		for c := range tr.ChildNodes() {
			if c.Type == html.ElementNode {
				row = append(row, text(c))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// section is the one under a heading.
func section(t testing.TB, doc *html.Node, id string) *html.Node {
	t.Helper()
	found := find(doc, "section", "aria-labelledby="+id)
	require.Len(t, found, 1)
	return found[0]
}

func handler(t testing.TB, s *stateservice.Server, opt admin.Options) http.Handler {
	t.Helper()
	h, err := admin.New(s, opt)
	require.NoError(t, err)
	return h
}
