package stateserver

import (
	"sync"
	"time"

	"github.com/aspsession/aspsession/session"
)

// held remembers until when the locks taken on servers that are not ours are
// safe to save under without a look.
type held struct {
	mu    sync.Mutex // guards all below
	locks map[heldKey]time.Time
	sweep time.Time // when old ones were last dropped
}

type heldKey struct {
	id   string
	lock session.Lock
}

// forgotten is after what time a lock that was never given back is dropped here;
// a save that late looks first, too.
const forgotten = time.Hour

func (h *held) add(id string, lock session.Lock, lease time.Duration) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locks[heldKey{id, lock}] = now.Add(lease)
	if now.Sub(h.sweep) > forgotten {
		h.sweep = now
		for k, until := range h.locks {
			if now.Sub(until) > forgotten {
				delete(h.locks, k)
			}
		}
	}
}

// drop forgets a lock that is given back, but not one that is overdue: it may be
// another request of this process that breaks it, and its holder shall look.
func (h *held) drop(id string, lock session.Lock) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := heldKey{id, lock}
	if until, ok := h.locks[k]; ok && !time.Now().After(until) {
		delete(h.locks, k)
	}
}

// take forgets a lock and reports whether it was held for longer than its lease.
func (h *held) take(id string, lock session.Lock) (overdue bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := heldKey{id, lock}
	until, ok := h.locks[k]
	delete(h.locks, k)
	return ok && time.Now().After(until)
}
