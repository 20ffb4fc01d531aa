package session

import (
	"hash/maphash"
	"strings"
	"sync"
	"time"
)

// touches remembers which sessions were touched lately, so that a page that does
// not use its session costs the store a call now and then only. What it knows is
// forgotten after two intervals.
type touches struct {
	every time.Duration
	seed  maphash.Seed
	parts [16]touchPart
}

type touchPart struct {
	mu            sync.Mutex // guards the rest
	turned        time.Time  // when recent was begun
	recent, older map[string]touched
	_             [24]byte
}

// turn forgets what is two intervals old. It needs mu held.
func (p *touchPart) turn(every time.Duration, now time.Time) {
	if p.recent == nil || now.Sub(p.turned) >= every {
		p.older, p.recent, p.turned = p.recent, make(map[string]touched), now
	}
}

type touched struct {
	at    time.Time
	every time.Duration // this session's own interval; 0: the usual one
}

func (t *touches) init(timeout time.Duration) {
	t.every, t.seed = timeout/20, maphash.MakeSeed()
}

// due reports that the session must be touched, and counts it as touched.
func (t *touches) due(id string, now time.Time) bool {
	part := &t.parts[maphash.String(t.seed, id)%uint64(len(t.parts))]
	part.mu.Lock()
	defer part.mu.Unlock()
	part.turn(t.every, now)
	last, known := part.recent[id]
	if !known {
		last, known = part.older[id]
	}
	every := t.every
	if last.every > 0 {
		every = last.every
	}
	if known && now.Sub(last.at) < every {
		return false
	}
	last.at = now
	part.recent[strings.Clone(id)] = last // the id is a piece of the whole Cookie header
	return true
}

// forget makes the session due: touching it failed.
func (t *touches) forget(id string) {
	part := &t.parts[maphash.String(t.seed, id)%uint64(len(t.parts))]
	part.mu.Lock()
	defer part.mu.Unlock()
	delete(part.recent, id)
	delete(part.older, id)
}

// note keeps the interval of a session whose timeout is shorter than usual.
func (t *touches) note(id string, timeout time.Duration, now time.Time) {
	part := &t.parts[maphash.String(t.seed, id)%uint64(len(t.parts))]
	part.mu.Lock()
	defer part.mu.Unlock()
	part.turn(t.every, now)
	part.recent[strings.Clone(id)] = touched{now, timeout / 20}
}
