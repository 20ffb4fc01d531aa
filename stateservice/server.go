package stateservice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ErrServerClosed is what Serve returns after Shutdown or Close.
var ErrServerClosed = errors.New("stateservice: server closed")

// A Server keeps items and serves them over any number of listeners. Make it
// with New.
type Server struct {
	engine engine
	opt    Options

	mu        sync.Mutex // guards all below
	listeners map[net.Listener]bool
	conns     map[*conn]bool
	closing   bool
	empty     chan struct{} // closed when the last connection ends while closing

	stop    chan struct{}
	sweeper chan struct{} // closed when the sweeper has ended
	once    sync.Once

	refused   atomic.Int64 // connections over MaxConns
	malformed atomic.Int64 // messages
	finished  sync.Once
	finishErr error
}

// New makes an empty server without a journal, and starts it; end it with
// Shutdown or Close, also if it never served. With Options.Journal it panics.
func New(opt Options) *Server {
	if opt.Journal != nil {
		panic("stateservice: New with Options.Journal; use Open")
	}
	s, _ := Open(opt) // only a journal fails
	return s
}

// Open makes a server of what its journal has, and starts it; end it with
// Shutdown or Close, also if it never served. The journal is closed by its
// owner, after that.
//
// Locks do not survive: the lock cookies of what was loaded go on 65,536 above
// the last ones known, so that no holder from before ever matches.
func Open(opt Options) (*Server, error) {
	opt = opt.withDefaults()
	s := &Server{opt: opt, listeners: make(map[net.Listener]bool), conns: make(map[*conn]bool),
		empty: make(chan struct{}), stop: make(chan struct{}), sweeper: make(chan struct{})}
	s.engine.init(opt)
	if opt.Journal != nil {
		if err := s.engine.load(); err != nil {
			return nil, err
		}
	}
	if opt.OnEnd != nil {
		ends, err := newEnds(opt)
		if err != nil {
			return nil, fmt.Errorf("stateservice: loading the journal's ends: %w", err)
		}
		s.engine.ends = ends
		ends.start(opt.EndWorkers)
	}
	go s.sweep()
	return s, nil
}

func (s *Server) sweep() {
	defer close(s.sweeper)
	if s.opt.SweepInterval < 0 {
		return
	}
	t := time.NewTicker(s.opt.SweepInterval)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			s.engine.sweep(s.politely)
		}
	}
}

// Stats is what a Server holds.
type Stats struct {
	Items int64 // expired ones too, until they are swept
	Bytes int64 // of their contents
	Conns int
}

// Stats counts what there is.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Items: s.engine.items.Load(), Bytes: s.engine.bytes.Load(), Conns: len(s.conns)}
}

// Serve accepts connections until the listener fails or the server is shut
// down, and closes the listener. Its error is never nil.
func (s *Server) Serve(ln net.Listener) error {
	if !s.track(ln) {
		ln.Close()
		return ErrServerClosed
	}
	defer s.untrack(ln)
	wait := time.Millisecond
	for {
		c, err := ln.Accept()
		if err != nil {
			s.mu.Lock()
			closing := s.closing
			s.mu.Unlock()
			if closing {
				return ErrServerClosed
			}
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() { // out of file descriptors, say
				s.opt.Logger.Error("stateservice: accept failed, trying again", "listener", ln.Addr().String(), "error", err)
				select {
				case <-time.After(wait):
				case <-s.stop:
				}
				wait = min(2*wait, time.Second)
				continue
			}
			return err
		}
		wait = time.Millisecond
		s.start(c)
	}
}

func (s *Server) track(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.listeners[ln] = true
	return true
}

func (s *Server) untrack(ln net.Listener) {
	ln.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, ln)
}

// start serves a connection, or closes it where it is one too many.
func (s *Server) start(nc net.Conn) {
	c := &conn{s: s, nc: nc}
	s.mu.Lock()
	full := len(s.conns) >= s.opt.MaxConns
	if !full && !s.closing {
		s.conns[c] = true
		s.mu.Unlock()
		go c.serve()
		return
	}
	s.mu.Unlock()
	if full && s.refused.Add(1)%1000 == 1 {
		s.opt.Logger.Warn("stateservice: connection refused", "limit", "MaxConns", "max", s.opt.MaxConns, "from", nc.RemoteAddr().String())
	}
	nc.Close()
}

// ended is called when a connection's goroutine is done.
func (s *Server) ended(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.closing && len(s.conns) == 0 {
		s.markEmpty()
	}
}

// markEmpty needs mu held.
func (s *Server) markEmpty() {
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// Shutdown stops listening, lets requests under way end, and closes connections
// as they become idle; parked ones are answered at once. If ctx ends first, the
// rest is cut off and ctx's error returned. Ends that are queued for OnEnd are
// told until then. A journal has everything then, or the error says why not. Items stay until the Server is garbage.
func (s *Server) Shutdown(ctx context.Context) error {
	s.close(false)
	var err error
	select {
	case <-s.empty:
	case <-ctx.Done():
		err = context.Cause(ctx)
		s.close(true)
		<-s.empty
	}
	return errors.Join(err, s.finish(ctx))
}

// finish ends what serves no connection.
func (s *Server) finish(ctx context.Context) error {
	<-s.sweeper
	s.finished.Do(func() {
		if s.engine.ends != nil {
			s.engine.ends.stop(ctx)
		}
		s.finishErr = s.engine.closeJournal()
	})
	return s.finishErr
}

// Close cuts everything off. Its error is the journal's.
func (s *Server) Close() error {
	s.close(true)
	<-s.empty
	if s.engine.ends != nil {
		s.engine.ends.cancel() // also where a Shutdown waits for them
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	return s.finish(now)
}

func (s *Server) close(hard bool) {
	s.once.Do(func() { close(s.stop) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for ln := range s.listeners {
		ln.Close()
	}
	for c := range s.conns {
		if hard || c.idle.Load() {
			c.nc.Close()
		} else if c.waits.Load() {
			_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // it looks whether we are closing
		}
	}
	if len(s.conns) == 0 {
		s.markEmpty()
	}
}

func (s *Server) isClosing() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
