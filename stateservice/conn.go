package stateservice

import (
	"errors"
	"net"
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
	s    *Server
	nc   net.Conn
	idle atomic.Bool
	key  []byte // of the request, reused
	out  []byte // of the reply, reused
}

// serve answers requests, one at a time, until the peer is done.
func (c *conn) serve() {
	defer c.s.ended(c)
	defer c.nc.Close()
	r := msasp.NewReader(c.nc, lineLimits)
	var req msasp.Request
	for {
		if r.Buffered() == 0 {
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
	c.key = msasp.AppendKey(c.key[:0], req.Target)
	if req.Verb != msasp.PUT {
		rep, content := c.s.engine.do(req, c.key, nil)
		return c.reply(rep, content) && r.Discard(req.Length) == nil
	}
	if req.Length > c.s.opt.MaxBody {
		c.log("content refused", "larger than MaxBody")
		c.s.engine.giveUp(req, c.key)
		whole := req.Length <= mostWasted && r.Discard(req.Length) == nil
		sent := c.reply(msasp.Reply{Status: msasp.StatusBadRequest, Ours: req.Ours}, nil)
		if !whole {
			c.linger()
		}
		return sent && whole
	}
	if req.Length > 64<<10 {
		c.allow(req.Length)
	}
	body, err := r.Content(req.Length)
	if err != nil {
		return false
	}
	rep, _ := c.s.engine.do(req, c.key, body)
	if rep.Status == msasp.StatusBadRequest {
		c.log("content refused", "a limit, or a header that is no number")
	}
	return c.reply(rep, nil)
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
