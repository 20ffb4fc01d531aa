package sqlserver

import (
	"sync"
	"time"

	"github.com/aspsession/aspsession/session"
)

// held remembers since when the locks of this store are held, and until when they
// are safe to save under without a look.
type held struct {
	mu    sync.Mutex // guards all below
	locks map[heldKey]hold
	sweep time.Time // when old ones were last dropped
}

type heldKey struct {
	id   string
	lock session.Lock
}

type hold struct{ since, until time.Time }

// forgotten is after what time a lock that was never given back is dropped here;
// a save that comes later still does not look.
const forgotten = time.Hour

// early is by how much a lock's age in the database, which counts boundaries of
// seconds and began before the reply, may be ahead of ours.
const early = 2 * time.Second

func (h *held) add(id string, lock session.Lock, lease time.Duration) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locks[heldKey{id, lock}] = hold{now, now.Add(lease)}
	if now.Sub(h.sweep) > forgotten {
		h.sweep = now
		for k, l := range h.locks {
			if now.Sub(l.until) > forgotten {
				delete(h.locks, k)
			}
		}
	}
}

// drop forgets a lock that is given back, but not one that is overdue, or soon
// will be by the server's seconds: it may be another request of this process that
// breaks it, and its holder shall look.
func (h *held) drop(id string, lock session.Lock) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := heldKey{id, lock}
	if l, ok := h.locks[k]; ok && !time.Now().Add(early).After(l.until) {
		delete(h.locks, k)
	}
}

// take forgets a lock, but not one that is overdue: where the look fails, the next
// try shall look again. overdue reports that others may have broken it by its age,
// which is then at least age.
func (h *held) take(id string, lock session.Lock) (age time.Duration, overdue bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := heldKey{id, lock}
	l, ok := h.locks[k]
	now := time.Now()
	if overdue = ok && now.After(l.until); !overdue {
		delete(h.locks, k)
	}
	return now.Sub(l.since), overdue
}
