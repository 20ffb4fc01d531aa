package stateserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/session"
)

// A conn is one connection and its buffers.
type conn struct {
	nc     net.Conn
	r      *msasp.Reader
	out    []byte
	parked time.Time // when it was last put back
	unfit  bool      // for another request, whatever this one brought
}

// pool keeps idle connections, the last used first.
type pool struct {
	mu     sync.Mutex // guards all below
	idle   []*conn
	closed bool
}

// get returns an idle connection that seems alive, or nil.
func (p *pool) get(maxAge time.Duration) *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(c.parked) < maxAge && alive(c.nc) {
			return c
		}
		c.nc.Close()
	}
}

// put keeps a connection. The oldest go first, when they are too many or too
// old.
func (p *pool) put(c *conn, most int, maxAge time.Duration) {
	c.parked = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	drop := 0
	for drop < len(p.idle) && (len(p.idle)-drop >= most || c.parked.Sub(p.idle[drop].parked) >= maxAge) {
		p.idle[drop].nc.Close()
		drop++
	}
	if drop > 0 {
		p.idle = append(p.idle[:0], p.idle[drop:]...)
	}
	if p.closed {
		c.nc.Close()
		return
	}
	p.idle = append(p.idle, c)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.nc.Close()
	}
	p.idle = nil
}

// repeatable reports a request that may be sent twice: what it does the second
// time it did the first.
func repeatable(req *msasp.Request) bool {
	switch req.Verb {
	case msasp.GET:
		return req.Exclusive != msasp.ExclusiveAcquire
	case msasp.PUT:
		return req.ExtraFlags.Value&1 != 0
	}
	return req.Verb == msasp.HEAD
}

// call sends one request and reads its reply. Its errors are
// session.ErrUnavailable with the address, or the context's.
func (s *Store) call(ctx context.Context, req *msasp.Request, id string, body []byte) (rep msasp.Reply, content []byte, err error) {
	req.Ours = !s.opt.Plain
	for {
		c := s.pool.get(s.opt.IdleTimeout)
		pooled := c != nil
		if !pooled {
			if c, err = s.dial(ctx); err != nil {
				return rep, nil, err
			}
		}
		rep, content, err = s.exchange(ctx, c, req, id, body)
		if err == nil {
			if c.unfit || c.r.Buffered() > 0 { // bytes that nobody asked for are no one's reply
				c.nc.Close()
			} else {
				s.pool.put(c, s.opt.MaxIdle, s.opt.IdleTimeout)
			}
			break
		}
		c.nc.Close()
		if cause := context.Cause(ctx); cause != nil {
			return rep, nil, cause
		}
		// Only a connection that was lost while idle, and only once: the next one
		// is new.
		if pooled && repeatable(req) && lost(err) {
			s.pool.drain()
			continue
		}
		return rep, nil, fmt.Errorf("%w: state server %s: %w", session.ErrUnavailable, s.opt.Addr, err)
	}
	if s.opt.Strict && !rep.Ours && rep.Status != msasp.StatusBadRequest {
		return rep, nil, fmt.Errorf("%w: %s", ErrNotOurs, s.opt.Addr)
	}
	return rep, content, nil
}

// lost reports a connection that ended without a reply.
func lost(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && !op.Timeout()
}

// drain closes all that is idle: where one is dead, the others are as old.
func (p *pool) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.nc.Close()
	}
	p.idle = p.idle[:0]
}

func (s *Store) dial(ctx context.Context) (*conn, error) {
	call, cancel := context.WithTimeout(ctx, s.opt.NetworkTimeout)
	defer cancel()
	nc, err := s.opt.Dial(call, "tcp", s.opt.Addr)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%w: state server %s: %w", session.ErrUnavailable, s.opt.Addr, err)
	}
	return &conn{nc: nc, r: msasp.NewReader(nc, msasp.Limits{Body: max(s.opt.Limits.Bytes, 32<<20)})}, nil
}

// exchange does one request on one connection.
func (s *Store) exchange(ctx context.Context, c *conn, req *msasp.Request, id string, body []byte) (rep msasp.Reply, content []byte, err error) {
	if err := c.nc.SetDeadline(time.Now().Add(s.opt.NetworkTimeout)); err != nil {
		return rep, nil, err
	}
	if ctx.Done() != nil {
		// A request that is cancelled or late does not wait for the network.
		stop := context.AfterFunc(ctx, func() { _ = c.nc.SetDeadline(time.Unix(1, 0)) })
		defer func() {
			if !stop() { // it runs, or ran: the deadline may come when another uses c
				c.unfit = true
			}
		}()
	}
	c.out = req.Append(c.out[:0], s.base+id, s.opt.Addr)
	if len(body) <= 16<<10 {
		c.out = append(c.out, body...)
		_, err = c.nc.Write(c.out)
	} else {
		bufs := net.Buffers{c.out, body}
		_, err = bufs.WriteTo(c.nc)
	}
	// A server that refuses early has answered before it took everything.
	if rerr := c.r.Reply(&rep); rerr != nil {
		if err == nil {
			err = rerr
		}
		return rep, nil, err
	}
	if err != nil && rep.Status != msasp.StatusOK {
		c.unfit, err = true, nil // that is its answer
	}
	if req.Verb == msasp.HEAD || rep.Length == 0 {
		return rep, nil, err
	}
	content, rerr := c.r.Content(rep.Length)
	if rerr != nil {
		return rep, nil, rerr
	}
	return rep, content, err
}
