package request

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
)

// A dialer connects a library to its store; nil is the library's own.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// traffic is what went over a library's connections. Its zero value counts.
type traffic struct{ bytes, trips atomic.Int64 }

// dial counts what the connection carries. Requests are not timed over it.
func (t *traffic) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: c, t: t}, nil
}

// A countedConn takes a read after a write for the end of a round trip, so that a
// request in two pieces is one.
type countedConn struct {
	net.Conn
	t    *traffic
	sent atomic.Bool
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.t.bytes.Add(int64(n))
	c.sent.Store(true)
	return n, err
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.t.bytes.Add(int64(n))
	if n > 0 && c.sent.CompareAndSwap(true, false) {
		c.t.trips.Add(1)
	}
	return n, err
}

// SyscallConn lets pools look whether the connection is alive, as they do without
// the count.
func (c *countedConn) SyscallConn() (syscall.RawConn, error) {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return sc.SyscallConn()
}
