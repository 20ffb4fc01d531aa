package guard

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// pipes is a listener whose connections stay in this process: no kernel is timed.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve runs a state service with the session of the visitor in it.
func serve() (p *pipes, store *stateserver.Store, done func(), err error) {
	p = &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	s := stateservice.New(stateservice.Options{})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(p) }()
	store, err = stateserver.New(stateserver.Options{Base: appBase, Strict: true, Dial: p.dial, IdleTimeout: time.Hour})
	if err == nil {
		err = save(store)
	}
	done = func() {
		if store != nil {
			_ = store.Close()
		}
		_ = s.Close()
		<-ended
	}
	if err != nil {
		done()
	}
	return p, store, done, err
}

// save stores the visitor's session as a new one.
func save(store session.Store) error {
	p, err := fill()
	if err != nil {
		return err
	}
	return store.Save(context.Background(), visitor, session.Lock{}, p)
}

func servicePaths() []Path {
	return []Path{
		{"stateservice/get", handOver, func() (func() error, func(), error) { return rawPath((*rawConn).get) }},
		{"stateservice/acquire-put", handOver, func() (func() error, func(), error) { return rawPath((*rawConn).acquirePut) }},
		{"stateserver/get", handOver, func() (func() error, func(), error) {
			_, store, done, err := serve()
			return func() error { return get(store) }, done, err
		}},
		{"stateserver/acquire-save", handOver, func() (func() error, func(), error) {
			_, store, done, err := serve()
			return func() error { return acquireSave(store) }, done, err
		}},
	}
}

// rawConn speaks to the service without a client's work.
type rawConn struct {
	nc         net.Conn
	r          *msasp.Reader
	rep        msasp.Reply
	body, out  []byte
	plain, acq []byte // requests
}

func rawPath(run func(*rawConn) error) (func() error, func(), error) {
	p, _, done, err := serve()
	if err != nil {
		return nil, nil, err
	}
	nc, err := p.dial(context.Background(), "", "")
	if err != nil {
		done()
		return nil, nil, err
	}
	plain := msasp.Request{Verb: msasp.GET}
	acquire := msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire}
	c := &rawConn{nc: nc, r: msasp.NewReader(nc, msasp.Limits{}), body: make([]byte, 4096),
		plain: plain.Append(nil, appBase+visitor, localhost), acq: acquire.Append(nil, appBase+visitor, localhost)}
	return func() error { return run(c) }, func() { nc.Close(); done() }, nil
}

// ask sends a request and reads the reply with its content.
func (c *rawConn) ask(request []byte) (content []byte, err error) {
	if _, err := c.nc.Write(request); err != nil {
		return nil, err
	}
	if err := c.r.Reply(&c.rep); err != nil {
		return nil, err
	}
	if c.rep.Status != msasp.StatusOK || c.rep.Length > len(c.body) {
		return nil, fmt.Errorf("status %d with %d bytes: %w", c.rep.Status, c.rep.Length, errValue)
	}
	content = c.body[:c.rep.Length]
	return content, c.r.Body(content)
}

func (c *rawConn) get() error {
	content, err := c.ask(c.plain)
	if err == nil && len(content) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (c *rawConn) acquirePut() error {
	content, err := c.ask(c.acq)
	if err != nil {
		return err
	}
	put := msasp.Request{Verb: msasp.PUT, LockCookie: c.rep.LockCookie, Timeout: c.rep.Timeout, Length: len(content)}
	c.out = append(put.Append(c.out[:0], appBase+visitor, localhost), content...)
	_, err = c.ask(c.out)
	return err
}
