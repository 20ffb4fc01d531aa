package stateservice

import (
	"runtime"
	"time"
)

// swept is how many items the sweep looks at before it lets requests have the
// shard, some 10 µs.
const swept = 32

// sweep takes out what has expired, graves too, and returns how many items there
// were. rest is called between the batches, with nothing locked.
func (e *engine) sweep(rest func()) (n int) {
	e.sweeping.Lock()
	defer e.sweeping.Unlock()
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
			if seen == swept {
				rest()
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
func politely() { time.Sleep(50 * time.Microsecond) }

// Sweep takes out the items that have expired and returns how many there were.
// It holds up no request for longer than some microseconds.
func (s *Server) Sweep() int { return s.engine.sweep(runtime.Gosched) }
