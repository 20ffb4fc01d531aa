package stateservice

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/msasp"
)

const (
	mostWasted = 8 << 20 // the largest refused body that is read to keep the connection
	joined     = 16 << 10
)

// conn is one connection. idle is true while it waits for a request.
type conn struct {
	s     *Server
	nc    net.Conn
	idle  atomic.Bool
	waits atomic.Bool // parked
	call  call        // the request, reused
	out   []byte      // of the reply, reused
	buf   []byte      // a content on its way in or out, reused
	w     waiter
	peek  [1]byte // what came while a request was parked
	has   bool    // peek has it
}

// Read is the peer's bytes.
func (c *conn) Read(b []byte) (int, error) {
	if c.has && len(b) > 0 {
		c.has, b[0] = false, c.peek[0]
		return 1, nil
	}
	return c.nc.Read(b)
}

// serve answers requests, one at a time, until the peer is done.
func (c *conn) serve() {
	defer c.s.ended(c)
	defer c.nc.Close()
	r := msasp.NewReader(c, lineLimits)
	c.w.nc, c.w.addr = c.nc, address(c.nc)
	var req msasp.Request
	for {
		if r.Buffered() == 0 && !c.has {
			c.idle.Store(true)
			// Set first, asked second: whoever shuts down does it the other way round.
			if c.s.isClosing() {
				return
			}
			c.deadline(c.s.opt.IdleTimeout)
			err := r.Fill()
			c.idle.Store(false)
			if err != nil {
				return // done, idle for too long, or cut off
			}
		}
		c.deadline(c.s.opt.RequestTimeout)
		if err := r.Request(&req); err != nil {
			if errors.Is(err, msasp.ErrMessage) {
				c.s.malformed.Add(1)
				c.log("request refused", err.Error())
				c.reply(msasp.Reply{Status: msasp.StatusBadRequest}, nil)
				c.linger()
			}
			return
		}
		if !c.answer(r, &req) || c.s.isClosing() {
			return
		}
	}
}

// answer runs one request; false ends the connection.
func (c *conn) answer(r *msasp.Reader, req *msasp.Request) bool {
	c.call = call{Request: req, w: &c.w, buf: &c.buf, key: msasp.AppendKey(c.call.key[:0], req.Target)}
	if req.Verb != msasp.PUT {
		// Who has sent more is not watched while he waits, and so does not wait.
		c.call.park = r.Buffered() == 0
		c.s.engine.do(&c.call)
		if c.call.parked && !c.wait() {
			return false
		}
		if c.call.why != "" {
			c.log("removal refused", c.call.why)
		}
		sent := c.reply(c.call.rep, c.call.content)
		c.call.content = nil // it may be large, and the store's no more when the next request comes
		if !sent {
			if req.Exclusive == msasp.ExclusiveAcquire && c.call.rep.Status == msasp.StatusOK {
				c.s.engine.giveUp(c.call.key, c.call.rep.LockCookie) // nobody knows of it
			}
			return false
		}
		return r.Discard(req.Length) == nil
	}
	if req.Length > c.s.opt.MaxBody {
		c.log("content refused", overBody)
		c.s.engine.refuseUnread(&c.call)
		whole := req.Length <= mostWasted && r.Discard(req.Length) == nil
		sent := c.reply(c.call.rep, nil)
		if !whole {
			c.linger()
		}
		return sent && whole
	}
	if req.Length > 64<<10 {
		c.allow(req.Length)
	}
	if !c.read(r, req.Length) {
		return false
	}
	c.s.engine.do(&c.call)
	c.call.body = nil
	if c.call.why != "" {
		c.log("content refused", c.call.why)
	}
	return c.reply(c.call.rep, nil)
}

// read takes a Set's content.
func (c *conn) read(r *msasp.Reader, n int) bool {
	var err error
	if c.s.engine.private(n) {
		c.buf = slices.Grow(c.buf[:0], n)
		c.call.body = c.buf[:n]
		err = r.Body(c.call.body)
	} else {
		c.call.body, err = r.Content(n)
	}
	return err == nil
}

// wait waits while the request is parked, and for the peer's going. false: he
// has gone.
//
// Whoever has news of the request sets the read deadline to the past. So wait
// sets its own first and then asks for news: see nudge.
func (c *conn) wait() bool {
	c.waits.Store(true)
	defer c.waits.Store(false)
	for {
		closing := c.s.isClosing()
		until, done := c.s.engine.check(&c.w, closing || c.has)
		if done {
			c.call.rep, c.call.content = c.w.rep, c.w.content
			c.w.content = nil
			c.deadline(c.s.opt.RequestTimeout)
			return true
		}
		_ = c.nc.SetReadDeadline(until)
		if c.w.nudged.Swap(false) || c.s.isClosing() {
			continue
		}
		n, err := c.nc.Read(c.peek[:])
		c.has = n > 0
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.s.engine.gone(&c.w, c.call.key)
			return false
		}
	}
}

// address is a peer's, without its port; invalid where there is none.
func address(nc net.Conn) netip.Addr {
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// reply writes head and content, in one packet where they are small.
func (c *conn) reply(rep msasp.Reply, content []byte) bool {
	c.out = rep.Append(c.out[:0], c.s.opt.BareStatusLine)
	if len(content) <= joined {
		c.out = append(c.out, content...)
		_, err := c.nc.Write(c.out)
		return err == nil
	}
	c.allow(len(content))
	bufs := net.Buffers{c.out, content}
	_, err := bufs.WriteTo(c.nc)
	return err == nil
}

// allow sets the deadline for n bytes of content.
func (c *conn) allow(n int) {
	c.deadline(c.s.opt.RequestTimeout + time.Duration(n>>16)*time.Second)
}

func (c *conn) deadline(d time.Duration) {
	_ = c.nc.SetDeadline(time.Now().Add(d)) // the next read or write says what is wrong
}

// linger lets the peer read a last reply: closing with unread bytes would reset
// the connection and take the reply with it.
func (c *conn) linger() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		c.deadline(time.Second)
		var waste [4096]byte
		for n := 0; n < mostWasted; {
			k, err := c.nc.Read(waste[:])
			if err != nil {
				return
			}
			n += k
		}
	}
}

// log tells of a refusal, without the key.
func (c *conn) log(what, why string) {
	c.s.opt.Logger.Warn("stateservice: "+what, "why", why, "from", c.nc.RemoteAddr().String())
}
