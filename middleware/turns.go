package middleware

import (
	"context"
	"hash/maphash"
	"sync"
)

// turns lets the requests of this process that want one session exclusively take
// it one after the other, first come, first served. Only the first in a line
// asks the store, so that a busy session costs the store one waiter a process.
type turns struct {
	limit int
	seed  maphash.Seed
	parts [32]struct {
		mu    sync.Mutex // guards lines
		lines map[string]line
		_     [48]byte
	}
}

// A line is there while somebody has the turn; waiting is who comes next.
type line struct {
	first, last *waiter
	waiting     int
}

type waiter struct {
	turn chan struct{} // closed when it is this one's
	next *waiter
}

func (t *turns) init(limit int) {
	t.limit, t.seed = limit, maphash.MakeSeed()
	for i := range t.parts {
		t.parts[i].lines = make(map[string]line)
	}
}

// wait returns when it is the caller's turn, who must pass it on; or with
// ErrQueueFull or the context's error.
func (t *turns) wait(ctx context.Context, id string) error {
	part := &t.parts[maphash.String(t.seed, id)%uint64(len(t.parts))]
	part.mu.Lock()
	l, busy := part.lines[id]
	if !busy {
		part.lines[id] = line{}
		part.mu.Unlock()
		return nil
	}
	if t.limit > 0 && l.waiting >= t.limit {
		part.mu.Unlock()
		return ErrQueueFull
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

	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	part.mu.Lock()
	select {
	case <-w.turn: // it came at the same moment: pass it on
		part.mu.Unlock()
		t.pass(id)
		return context.Cause(ctx)
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
	return context.Cause(ctx)
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
	part.lines[id] = l
	close(w.turn)
}
