package session

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

// turns lets the requests of this process that want one session exclusively take
// it one after the other, first come, first served. Only the first in a line
// asks the store, so that a busy session costs the store one waiter a process.
type turns struct {
	limit    int
	patience time.Duration // how long to wait before asking the store, who can break a lock
	seed     maphash.Seed
	parts    [32]struct {
		mu    sync.Mutex // guards lines
		lines map[string]line
		_     [48]byte
	}
}

// A line is there while somebody has the turn; waiting is who comes next.
type line struct {
	first, last *waiter
	waiting     int
	since       time.Time // when the turn began to go from hand to hand
}

const (
	// After so long from hand to hand, a store that cannot queue waiters is left
	// alone for longer than an ASP.NET page sleeps between two looks at the lock
	// (500 ms, .NET Framework 4.8 SessionStateModule).
	airAfter = 2 * time.Second
	airTime  = 600 * time.Millisecond
)

// ErrQueueFull: too many requests of this process wait for the session.
var ErrQueueFull = errors.New("session: too many requests wait for this session")

type waiter struct {
	turn chan struct{} // closed when it is this one's
	next *waiter
}

func (t *turns) init(limit int, patience time.Duration) {
	t.limit, t.patience, t.seed = limit, patience, maphash.MakeSeed()
	for i := range t.parts {
		t.parts[i].lines = make(map[string]line)
	}
}

// wait returns when it is the caller's turn (mine), who must pass it on; or with
// ErrQueueFull or the context's error. Who waited for as long as a request may
// hold a lock goes without a turn: the one in front may be stuck, and only the
// store can break its lock.
func (t *turns) wait(ctx context.Context, id string) (mine bool, err error) {
	part := &t.parts[maphash.String(t.seed, id)%uint64(len(t.parts))]
	part.mu.Lock()
	l, busy := part.lines[id]
	if !busy {
		part.lines[id] = line{}
		part.mu.Unlock()
		return true, nil
	}
	if t.limit > 0 && l.waiting >= t.limit {
		part.mu.Unlock()
		return false, ErrQueueFull
	}
	w := &waiter{turn: make(chan struct{})}
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.waiting++
	part.lines[id] = l
	part.mu.Unlock()

	patience := time.NewTimer(t.patience)
	defer patience.Stop()
	select {
	case <-w.turn:
		return true, nil
	case <-patience.C:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	part.mu.Lock()
	select {
	case <-w.turn: // it came at the same moment: pass it on
		part.mu.Unlock()
		if err == nil {
			return true, nil
		}
		t.pass(id)
		return false, err
	default:
	}
	l = part.lines[id]
	var before *waiter
	for at := l.first; at != w; at = at.next {
		before = at
	}
	if before == nil {
		l.first = w.next
	} else {
		before.next = w.next
	}
	if l.last == w {
		l.last = before
	}
	l.waiting--
	part.lines[id] = l
	part.mu.Unlock()
	return false, err
}

// pass ends the caller's turn.
func (t *turns) pass(id string) {
	part := &t.parts[maphash.String(t.seed, id)%uint64(len(t.parts))]
	part.mu.Lock()
	defer part.mu.Unlock()
	l := part.lines[id]
	w := l.first
	if w == nil {
		delete(part.lines, id)
		return
	}
	if l.first = w.next; l.first == nil {
		l.last = nil
	}
	l.waiting--
	if l.since.IsZero() {
		l.since = time.Now()
	}
	part.lines[id] = l
	close(w.turn)
}

// air lets pages of other processes have the lock, which only look for it now
// and then, once this process has kept it busy for a while. The caller has the
// turn.
func (t *turns) air(ctx context.Context, id string) error {
	part := &t.parts[maphash.String(t.seed, id)%uint64(len(t.parts))]
	part.mu.Lock()
	l := part.lines[id]
	busy := !l.since.IsZero() && time.Since(l.since) >= airAfter
	if busy {
		l.since = time.Time{}
		part.lines[id] = l
	}
	part.mu.Unlock()
	if !busy {
		return nil
	}
	pause := time.NewTimer(airTime)
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
