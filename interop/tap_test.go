package interop_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// A call says who asked the state service for a session, and how.
type call struct {
	id        string
	byGo      bool // our own header is there
	exclusive bool
}

// A tap is the state service's listener and counts the GETs that come in, so
// that a test can wait until somebody waits for a lock.
type tap struct {
	net.Listener
	mu   sync.Mutex // guards seen
	seen map[call]int
}

func (t *tap) Accept() (net.Conn, error) {
	nc, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tapped{nc, t}, nil
}

type tapped struct {
	net.Conn
	tap *tap
}

// Read relies on a GET coming in one piece, as both clients send it.
func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if head := b[:n]; bytes.HasPrefix(head, []byte("GET ")) && !bytes.Contains(head, []byte("release")) {
		target, _, _ := bytes.Cut(head[4:], []byte(" "))
		_, id, _ := bytes.Cut(target, []byte(")%2f"))
		c.tap.mu.Lock()
		defer c.tap.mu.Unlock()
		c.tap.seen[call{string(id), bytes.Contains(head, []byte("Aspsession:")), bytes.Contains(head, []byte("acquire"))}]++
	}
	return n, err
}

func (t *tap) count(c call) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen[c]
}

// next returns a function that waits for one more of the calls.
func (t *tap) next(c call) (wait func(*testing.T)) {
	before := t.count(c)
	return func(tt *testing.T) {
		tt.Helper()
		eventually(tt, "a request for the lock", func() bool { return t.count(c) > before })
	}
}
