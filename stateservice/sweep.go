package stateservice

import (
	"runtime"
	"time"
)

// swept is how many items the sweep looks at before it lets requests have the
// shard, some 10 µs.
const swept = 32

// paced is how many it looks at before it waits for the journal: else what many
// expire at once fills the journal's queue, and Sets are refused.
const paced = 512

// sweep takes out what has expired, graves too, and returns how many items there
// were. rest is called between the batches, with nothing locked; false ends it,
// and the next sweep goes on.
func (e *engine) sweep(rest func() bool) (n int) {
	e.sweeping.Lock()
	defer e.sweeping.Unlock()
	looked := 0
	for i := range e.shards {
		sh := &e.shards[i]
		now := e.now()
		for turned, done := false, false; !done; {
			sh.mu.Lock()
			seen := 0
			for seen < swept && !done {
				switch {
				case sh.wheel.due != nil:
					n += e.look(sh, sh.wheel.due, now)
					seen++
				case turned:
					done = true
				default:
					turned = sh.wheel.turn(now >> tickShift)
				}
			}
			sh.mu.Unlock()
			if looked += seen; looked >= paced && e.opt.Journal != nil {
				looked = 0
				_ = e.opt.Journal.Sync() // what it could not take is found again
			}
			if seen == swept && !rest() {
				return n
			}
		}
	}
	return n
}

// look decides on an item whose slot is due.
func (e *engine) look(sh *shard, it *item, now int64) (ended int) {
	if !it.expired(now) {
		sh.wheel.remove(it)
		sh.wheel.add(it)
		return 0
	}
	if it.grave {
		e.forget(sh, it)
		return 0
	}
	e.expire(sh, it, now)
	return 1
}

// politely is the sweeper's rest: what many expire at once takes a quarter of
// a processor at most.
func (s *Server) politely() bool {
	time.Sleep(50 * time.Microsecond)
	return !s.isClosing()
}

// Sweep takes out the items that have expired and returns how many there were.
// It holds up no request for longer than some microseconds.
func (s *Server) Sweep() int {
	return s.engine.sweep(func() bool { runtime.Gosched(); return true })
}
