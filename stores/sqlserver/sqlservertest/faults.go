package sqlservertest

import (
	"context"
	"strings"
	"time"
)

// Login is the name by which the faults and the trace know a login.
const Login = "LOGIN"

// A DropPoint says when a connection is dropped.
type DropPoint uint8

const (
	// BeforeEffect drops it as if the request had never arrived.
	BeforeEffect DropPoint = iota
	// AfterEffect has the effect and sends nothing.
	AfterEffect
	// MidReply has the effect and sends half of the reply.
	MidReply
)

// A fault waits for calls of one name; the empty name is that of any but a login.
type fault struct {
	name  string
	err   *Error
	times int // -1: for ever
	drop  bool
	point DropPoint
	delay time.Duration
	pause *pause
}

type pause struct{ arrived, resume chan struct{} }

func (f *fault) of(name string) bool {
	return strings.EqualFold(f.name, name) || f.name == "" && name != Login
}

// FailNext makes the next calls of a procedure or statement fail with an error of
// this number, without effect; the empty name is any call, Login a login. A deadlock
// (1205) also rolls back; class 20 and above (823, 40197) also ends the connection.
func (s *Server) FailNext(number int32, times int, name string) {
	s.FailNextWith(*byNumber(number), times, name)
}

// FailNextWith is FailNext with an error of the caller's.
func (s *Server) FailNextWith(e Error, times int, name string) {
	if times > 0 {
		s.addFault(&fault{name: name, err: &e, times: times})
	}
}

// DropNext drops the connection of the next call of this name.
func (s *Server) DropNext(name string, at DropPoint) {
	s.addFault(&fault{name: name, drop: true, point: at, times: 1})
}

// Delay makes calls of this name wait before they have an effect, until they are
// cancelled at the latest; 0 ends it. It waits in real time.
func (s *Server) Delay(d time.Duration, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.faults[:0]
	for _, f := range s.faults {
		if f.delay == 0 || !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	s.faults = kept
	if d > 0 {
		s.faults = append(s.faults, &fault{name: name, delay: d, times: -1})
	}
}

// Pause stops the next call of this name before its effect, closes arrived when
// it is there, and lets it go on at resume, which may be called once or not at
// all: cancelling the call or closing its connection ends the pause, too.
func (s *Server) Pause(name string) (arrived <-chan struct{}, resume func()) {
	p := &pause{make(chan struct{}), make(chan struct{})}
	s.addFault(&fault{name: name, pause: p, times: 1})
	return p.arrived, func() { close(p.resume) }
}

func (s *Server) addFault(f *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// A plan is what the faults hold for one call.
type plan struct {
	err    *Error
	drop   *DropPoint
	delay  time.Duration
	pauses []*pause
}

// plan takes the faults of a call, at most one error and one drop. The caller
// has the mutex.
func (s *Server) plan(name string) plan {
	var p plan
	kept := s.faults[:0]
	for _, f := range s.faults {
		switch {
		case !f.of(name) || f.err != nil && p.err != nil || f.drop && p.drop != nil:
			kept = append(kept, f)
			continue
		case f.err != nil:
			p.err = f.err
		case f.drop:
			p.drop = &f.point
		case f.pause != nil:
			p.pauses = append(p.pauses, f.pause)
		default:
			p.delay += f.delay
		}
		if f.times--; f.times != 0 {
			kept = append(kept, f)
		}
	}
	clear(s.faults[len(kept):])
	s.faults = kept
	return p
}

// wait is false if the call was cancelled meanwhile.
func (p plan) wait(ctx context.Context) bool {
	for _, pause := range p.pauses {
		close(pause.arrived)
		select {
		case <-pause.resume:
		case <-ctx.Done():
			return false
		}
	}
	if p.delay > 0 {
		timer := time.NewTimer(p.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

func (p plan) drops(at DropPoint) bool { return p.drop != nil && *p.drop == at }

// MissingProc removes a procedure from every database: error 2812. Restore gives
// it back.
func (s *Server) MissingProc(name string) { s.mark(s.missing, name, true) }

// Deny takes EXECUTE on a procedure from everybody in every database: error 229,
// and metadata does not show it. Restore gives it back.
func (s *Server) Deny(name string) { s.mark(s.denied, name, true) }

// Restore undoes MissingProc and Deny.
func (s *Server) Restore(name string) {
	s.mark(s.missing, name, false)
	s.mark(s.denied, name, false)
}

func (s *Server) mark(set map[string]bool, name string, on bool) {
	_, object := splitName(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		set[object] = true
	} else {
		delete(set, object)
	}
}
