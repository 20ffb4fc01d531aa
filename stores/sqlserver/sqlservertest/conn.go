package sqlservertest

import (
	"bufio"
	"context"
	"net"
	"sync"
)

// A conn is one client. One goroutine reads, because an attention arrives while a
// call is running; another runs the calls.
type conn struct {
	srv   *Server
	nc    net.Conn
	id    int
	work  chan message
	ended chan struct{} // nothing of it is left

	ctx   context.Context // until the connection closes
	close func()          // may be called by anyone, any number of times

	// Of the goroutine that runs the calls:
	greeted  bool // PRELOGIN was there
	home, db *database
	tran     *transaction
	env      encoder // changes to tell with the next reply

	mu         sync.Mutex // guards writing and all below
	packetSize int
	busy       bool // a request is not answered
	attention  bool // and the client wants it to end
	cancel     context.CancelFunc
	running    context.Context // of the request
}

func newConn(s *Server, nc net.Conn, id int) *conn {
	ctx, cancel := context.WithCancel(context.Background())
	c := &conn{srv: s, nc: nc, id: id, work: make(chan message), ended: make(chan struct{}), ctx: ctx, packetSize: firstSize}
	c.close = func() { cancel(); nc.Close() }
	return c
}

// serve runs the calls until the connection ends.
func (c *conn) serve() {
	defer c.srv.wg.Done()
	defer close(c.ended)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		defer c.close()
		c.read()
	}()
	for {
		select {
		case m := <-c.work:
			if c.answer(m) {
				continue
			}
		case <-c.ctx.Done():
		}
		break
	}
	c.close()
	<-reading
	c.abandon()
	c.srv.mu.Lock()
	delete(c.srv.conns, c)
	c.srv.mu.Unlock()
}

// read hands requests over. It returns when the connection ends or the client
// does not keep to the protocol.
func (c *conn) read() {
	r := bufio.NewReader(c.nc)
	for {
		m, err := readMessage(r)
		if err != nil {
			return
		}
		if m.kind == kindAttention {
			c.attend()
			continue
		}
		if !c.start() {
			return // a request before the last was answered
		}
		select {
		case c.work <- m:
		case <-c.ctx.Done():
			return
		}
	}
}

// start marks the connection busy. The reader does it, so that an attention right
// behind a request finds it.
func (c *conn) start() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy {
		return false
	}
	c.busy = true
	c.running, c.cancel = context.WithCancel(c.ctx)
	return true
}

// attend ends the running call, which is then answered with the acknowledgement
// alone; or acknowledges at once if the answer has gone.
func (c *conn) attend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy {
		c.attention = true
		c.cancel()
		return
	}
	c.write(attentionDone())
}

func attentionDone() []byte {
	var e encoder
	e.done(tokDone, doneAttention, 0, 0)
	return e.b
}

// An outcome is what to do about a request.
type outcome struct {
	reply []byte
	half  bool // send half of it
	end   bool // and close
	size  int  // of packets from the next reply on; 0: as before
}

// finish answers the request. It is false if the connection is to end.
func (c *conn) finish(o outcome) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel()
	c.busy = false
	switch {
	case o.half:
		all := packets(o.reply, c.packetSize)
		c.nc.Write(all[:len(all)/2])
		return false
	case c.attention:
		c.attention = false
		c.write(attentionDone())
	case o.reply != nil:
		c.write(o.reply)
	}
	if o.size != 0 {
		c.packetSize = o.size
	}
	return !o.end
}

// write ignores errors: the reader meets them, too.
func (c *conn) write(reply []byte) { c.nc.Write(packets(reply, c.packetSize)) }

// answer runs one message. It is false if the connection is to end.
func (c *conn) answer(m message) bool {
	c.mu.Lock()
	ctx := c.running
	c.mu.Unlock()
	switch {
	case m.kind == kindPrelogin && !c.greeted:
		c.greeted = true
		return c.finish(outcome{reply: preloginReply()})
	case m.kind == kindLogin && c.db == nil:
		return c.finish(c.login(ctx, m.data))
	case c.db == nil || m.kind == kindPrelogin || m.kind == kindLogin:
		return c.finish(outcome{end: true})
	}
	return c.finish(c.request(ctx, m))
}

// login answers LOGIN7.
func (c *conn) login(ctx context.Context, data []byte) outcome {
	l, err := parseLogin(data)
	if err != nil {
		return outcome{end: true}
	}
	s := c.srv
	s.mu.Lock()
	call := &Call{Conn: c.id, Database: l.database, Name: Login}
	s.calls = append(s.calls, call)
	p := s.plan(Login)
	s.mu.Unlock()
	if p.drops(BeforeEffect) || !p.wait(ctx) {
		return outcome{end: true}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	db, refused := s.check(l)
	if p.err != nil {
		refused = []*Error{p.err}
	}
	var e encoder
	call.Finished = true
	if len(refused) > 0 {
		for _, r := range refused {
			r = asError(r, "")
			call.Error = r.Number
			e.message(tokError, r)
		}
		e.done(tokDone, doneError, 0, 0)
		return outcome{reply: e.b, end: true, half: p.drops(MidReply)}
	}
	c.home, c.db = db, db
	e.envText(envDatabase, db.name, "master")
	e.envText(envPacketSize, itoa(l.packetSize), itoa(firstSize))
	e.loginAck()
	e.done(tokDone, 0, 0, 0)
	if p.drops(AfterEffect) {
		return outcome{end: true}
	}
	return outcome{reply: e.b, half: p.drops(MidReply), size: l.packetSize}
}

func (c *conn) useDatabase(db *database) {
	c.env.envText(envDatabase, db.name, c.db.name)
	c.db = db
}

// reset is the request of a pool that hands the connection to its next user.
func (c *conn) reset(keepTran bool) {
	if !keepTran {
		c.abandon()
	}
	if c.db != c.home {
		c.useDatabase(c.home)
	}
	c.env.token(tokEnv, func(e *encoder) { e.bytes(envReset, 0, 0) })
}
