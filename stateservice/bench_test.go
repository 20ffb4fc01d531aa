package stateservice_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// A caller asks and allocates nothing for it: what is counted is the server's.
type caller struct {
	nc  net.Conn
	buf [4096]byte
}

// ask sends a request and takes the n bytes of its reply.
func (c *caller) ask(raw []byte, n int) error {
	if _, err := c.nc.Write(raw); err != nil {
		return err
	}
	_, err := io.ReadFull(c.nc, c.buf[:n])
	return err
}

// A page is the requests of one key and the lengths of their replies.
type page struct {
	caller            caller
	get, acquire, put []byte
	got, done         int
	scratch           [2 * kilobyte]byte
}

var (
	cookieName  = []byte("LockCookie: ")
	timeoutLine = []byte("Timeout: 20\r\n")
)

const kilobyte = 1024

func newPage(t testing.TB, addr string) *page {
	w := dial(t, addr)
	p := &page{caller: caller{nc: w.nc}}
	id := newID()
	p.get = []byte(fillIn(get+end, id))
	p.acquire = []byte(fillIn(acquire+end, id))
	// No LockCookie, and so no lock: its digits would change the reply's length.
	p.put = []byte(fillIn(strings.Replace(put, "55", "1024", 1)+string(timeoutLine)+end, id) + fill(kilobyte))
	p.done = len(w.ask(string(p.put)))
	p.got = len(w.ask(string(p.get)))
	return p
}

func BenchmarkEngine(b *testing.B) {
	for _, conns := range []int{1, 16} {
		b.Run(fmt.Sprintf("get/conns=%d", conns), func(b *testing.B) {
			bench(b, conns, func(p *page) error { return p.caller.ask(p.get, p.got) })
		})
		b.Run(fmt.Sprintf("acquire+put/conns=%d", conns), func(b *testing.B) {
			bench(b, conns, (*page).change)
		})
	}
}

// change is what a page does that changes its session: acquire, and Set with the
// cookie that came.
func (p *page) change() error {
	if _, err := p.caller.nc.Write(p.acquire); err != nil {
		return err
	}
	// Its length has the cookie's digits in it: find the body's length in front.
	n, err := io.ReadAtLeast(p.caller.nc, p.caller.buf[:], p.got+len("LockCookie: 2\r\n"))
	if err != nil {
		return err
	}
	at := bytes.Index(p.caller.buf[:n], cookieName) + len(cookieName)
	cookie := at
	for p.caller.buf[at] != '\r' {
		at++
	}
	for want := p.got + len(cookieName) + at - cookie + 2; n < want; {
		more, err := p.caller.nc.Read(p.caller.buf[n:want])
		if err != nil {
			return err
		}
		n += more
	}
	return p.caller.ask(p.withCookie(p.caller.buf[cookie:at]), p.done)
}

// withCookie puts a LockCookie into the PUT.
func (p *page) withCookie(digits []byte) []byte {
	i := bytes.Index(p.put, timeoutLine)
	raw := append(p.scratch[:0], p.put[:i]...)
	raw = append(append(append(raw, cookieName...), digits...), end...)
	return append(raw, p.put[i:]...)
}

func bench(b *testing.B, conns int, one func(*page) error) {
	_, addr := run(b, stateservice.Options{})
	pages := make([]*page, conns)
	for i := range pages {
		pages[i] = newPage(b, addr)
		require.NoError(b, one(pages[i]))
	}
	b.SetBytes(kilobyte)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, p := range pages {
		n := b.N / conns
		if i < b.N%conns {
			n++
		}
		wg.Go(func() {
			for range n {
				if err := one(p); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// The connection's loop allocates nothing, but the contents of new sessions and
// of those that grow.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	_, addr := run(t, stateservice.Options{})
	p := newPage(t, addr)
	id := newID()
	w := dial(t, addr)
	w.ask(fillIn(unlocked[0], id))
	w.ask(fillIn(acquire+end, id))
	refused := len(w.ask(fillIn(acquire+end, id)))
	missing := len(w.ask(fillIn(get+end, newID())))

	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	for _, tt := range []struct {
		name  string
		raw   []byte
		reply int
		want  float64
	}{
		{"Get", p.get, p.got, 0},
		{"HEAD", []byte(strings.Replace(string(p.get), "GET", "HEAD", 1)), p.done, 0},
		{"Get of nothing", []byte(fillIn(get+end, newID())), missing, 0},
		{"release of nothing held", []byte(strings.Replace(string(p.get), host, "Exclusive: release\r\nLockCookie: 2\r\n", 1)), p.done, 0},
		{"acquire that is 423", []byte(fillIn(acquire+end, id)), refused, 0},
		{"Set", p.put, p.done, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			got := testing.AllocsPerRun(500, func() {
				if e := p.caller.ask(tt.raw, tt.reply); e != nil {
					err = e
				}
			})
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}
