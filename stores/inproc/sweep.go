package inproc

import (
	"time"

	"github.com/aspsession/aspsession/session"
)

// sweeper runs until Close.
func (s *Store) sweeper() {
	defer close(s.done)
	t := time.NewTicker(s.opt.SweepInterval)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			s.Sweep()
		}
	}
}

// Sweep takes out every session that has expired and returns how many there
// were. It holds one shard at a time.
func (s *Store) Sweep() int {
	type end struct {
		id string
		it *item
	}
	total := 0
	var ends []end
	for i := range s.shards {
		sh := &s.shards[i]
		ends = ends[:0]
		sh.mu.Lock()
		now := s.opt.Now()
		for id, it := range sh.items {
			if !now.Before(it.expires) {
				sh.drop(id, it)
				ends = append(ends, end{id, it})
			}
		}
		sh.mu.Unlock()
		for _, e := range ends {
			s.ended(e.id, e.it, session.Expired)
		}
		total += len(ends)
	}
	return total
}
