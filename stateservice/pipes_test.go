package stateservice_test

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

// Connections and listeners without a kernel in between, which would join what
// was sent apart.

// A queue is a listener of connections that a test hands it.
type queue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newQueue() *queue { return &queue{conns: make(chan net.Conn), done: make(chan struct{})} }

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

func (q *queue) Addr() net.Addr { return pipeAddr{} }

// pipe is a new connection to whoever accepts from q: a write of one end is read
// before it returns.
func (q *queue) pipe() net.Conn {
	client, server := net.Pipe()
	q.conns <- server
	return client
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// runPipes starts a server of pipes; the test's end closes it.
func runPipes(t testing.TB, opt stateservice.Options) *queue {
	opt.Logger = slog.New(slog.DiscardHandler)
	q, s := newQueue(), stateservice.New(opt)
	go s.Serve(q)
	t.Cleanup(func() { s.Close() })
	return q
}

// A script is a connection whose peer has decided what to send, in which pieces,
// and then is done. Unlike a pipe's, its peer's end is not the end of replies.
type script struct {
	pieces [][]byte
	out    []byte
	ended  chan struct{}
	once   sync.Once
}

func newScript(pieces ...[]byte) *script {
	return &script{pieces: pieces, ended: make(chan struct{})}
}

func (c *script) Read(b []byte) (int, error) {
	for len(c.pieces) > 0 && len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.pieces[0])
	c.pieces[0] = c.pieces[0][n:]
	return n, nil
}

func (c *script) Write(b []byte) (int, error) {
	c.out = append(c.out, b...)
	return len(b), nil
}

func (c *script) Close() error {
	c.once.Do(func() { close(c.ended) })
	return nil
}

func (c *script) CloseWrite() error                { return nil }
func (c *script) LocalAddr() net.Addr              { return pipeAddr{} }
func (c *script) RemoteAddr() net.Addr             { return pipeAddr{} }
func (c *script) SetDeadline(time.Time) error      { return nil }
func (c *script) SetReadDeadline(time.Time) error  { return nil }
func (c *script) SetWriteDeadline(time.Time) error { return nil }

// A watched listener tells how often its connections' server has begun to read:
// at the second time it has taken note of what the first one brought.
type watched struct {
	net.Listener
	reads chan struct{}
}

func (l watched) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{c.(*net.TCPConn), l.reads}, nil
}

type watchedConn struct {
	*net.TCPConn
	reads chan struct{}
}

func (c *watchedConn) Read(b []byte) (int, error) {
	select {
	case c.reads <- struct{}{}:
	default:
	}
	return c.TCPConn.Read(b)
}
