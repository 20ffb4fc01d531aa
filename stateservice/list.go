package stateservice

import (
	"sync"
	"time"
)

// Info is what List tells of one item.
type Info struct {
	Key           string    // a secret: hash it before it is shown
	Size          int       // of the content, bytes
	Expires       time.Time // zero: never
	Uninitialized bool
	Locked        bool
	LockCookie    int32
	LockAge       time.Duration
	Waiters       int // parked requests
}

// listed is how many items List looks at with a shard locked.
const listed = 64

// List calls yield for every item until it returns false. Items that come or go
// meanwhile may be told of or not; no other is missed or told of twice. It
// renews nothing, holds up no request for longer than some microseconds, and
// yield may take its time.
func (s *Server) List(yield func(Info) bool) {
	e := &s.engine
	batch := make([]Info, 0, listed)
	flush := func() bool {
		for i := range batch {
			if !yield(batch[i]) {
				return false
			}
		}
		batch = batch[:0]
		return true
	}
	for i := range e.shards {
		if !e.list(&e.shards[i], &batch, flush) || !flush() {
			return
		}
	}
}

// list walks one shard. Between two batches the shard is unlocked, which a map's
// iteration allows: it is then as if its body had changed the map.
func (e *engine) list(sh *shard, batch *[]Info, flush func() bool) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now, seen := e.now(), 0
	for _, it := range sh.items {
		if !it.grave && !it.expired(now) {
			*batch = append(*batch, e.info(sh, it, now))
		}
		if seen++; seen%listed == 0 {
			if !unlocked(&sh.mu, flush) {
				return false
			}
		}
	}
	return true
}

// unlocked runs f with mu unlocked; it is locked again also where f panics.
func unlocked(mu *sync.Mutex, f func() bool) bool {
	mu.Unlock()
	defer mu.Lock()
	return f()
}

func (e *engine) info(sh *shard, it *item, now int64) Info {
	info := Info{Key: it.key, Size: len(it.body), Uninitialized: it.fresh, Locked: it.locked, LockCookie: it.cookie}
	if it.expires != never {
		info.Expires = e.time(it.expires)
	}
	if it.locked {
		info.LockAge = max(time.Duration(now-it.lockedAt), 0)
	}
	if it.queued {
		info.Waiters = sh.queues[it].parked()
	}
	return info
}
