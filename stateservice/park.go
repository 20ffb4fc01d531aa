package stateservice

import (
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/msasp"
)

// Parking: a request that meets a lock waits for its release.
//
// Places in a queue are in order of arrival. A release hands the lock to the
// first place. Its owner may be away: he was refused after parking, and asks
// again, at once or, as ASP.NET does, with its next poll after 500 ms. Then the
// first owner who is there gets the lock instead, once; after that the lock is
// kept for the absent until he comes or his place lapses. So nobody is overtaken
// twice by the same absence, and a lock lies idle for at most keepPlace each
// time that somebody does not come back.
//
// Peers do not identify themselves. Who comes back is known by his key, his
// address, and whether he says the Aspsession header: one server's pages of one
// session may change places among each other, but not with a Go program beside
// them.
//
// Gets without exclusive wait for the present holder only, and are all answered
// when he is done, before the next one is.

const (
	keepPlace = 750 * time.Millisecond
	// waited is the bit of ActionFlags in a 423 to who says Aspsession: it was
	// parked, and has a place.
	waited = 2
)

// A queue is who waits for one item.
type queue struct {
	places  []place
	readers []*waiter
}

type place struct {
	who    who
	w      *waiter   // nil: away
	until  time.Time // away: when the place lapses
	passed bool      // another was served meanwhile
}

// who is all that is known of a peer.
type who struct {
	addr netip.Addr
	ours bool
}

// A waiter is a connection's one request that is or was parked. All but nc and
// nudged is guarded by the shard's mutex; the connection reads the reply when it
// has seen answered under it.
type waiter struct {
	nc     net.Conn
	nudged atomic.Bool // look again, rather than wait on

	addr      netip.Addr
	it        *item // while it waits
	sh        *shard
	op        op
	exclusive bool
	buf       *[]byte // for the content: the connection's, which is waiting
	since     time.Time
	deadline  time.Time
	parked    bool // the connection waits, or is about to
	answered  bool
	rep       msasp.Reply
	content   []byte
}

// nudge makes the connection look at what has become of its request: it is
// reading, to see whether the peer goes.
func (w *waiter) nudge() {
	w.nudged.Store(true)
	_ = w.nc.SetReadDeadline(time.Unix(1, 0))
}

// enqueue parks a request that meets a lock, or an acquire that meets others
// who wait. What may not be parked is refused.
func (e *engine) enqueue(sh *shard, it *item, c *call) {
	if e.opt.ParkTimeout <= 0 || c.w == nil {
		e.refuse(it, &c.rep, c.now)
		return
	}
	q := sh.queues[it]
	if q == nil {
		q = new(queue)
	}
	w := c.w
	if q.parked() >= e.opt.ParkPerSession || !e.room() {
		sh.stats.parkRefused++
		e.refuse(it, &c.rep, c.now)
		return
	}
	sh.queues[it], it.queued = q, true
	w.it, w.sh, w.op = it, sh, opOf(c.Request)
	w.exclusive = c.Exclusive == msasp.ExclusiveAcquire
	w.parked, w.answered = false, false
	w.rep, w.content, w.buf = c.rep, nil, c.buf
	w.nudged.Store(false)
	w.since = time.Now()
	w.deadline = w.since.Add(e.opt.ParkTimeout)
	if w.exclusive {
		q.enter(w, who{w.addr, c.Ours})
	} else {
		q.readers = append(q.readers, w)
	}
	if !it.locked {
		e.advance(sh, it, q, w, c.now)
	}
	switch {
	case w.answered:
		c.rep, c.content = w.rep, w.content
		sh.stats.wait.observe(0)
	case !c.park:
		e.leave(w, false, c.now)
		e.refuse(it, &c.rep, c.now)
	default:
		sh.stats.parked++
		w.parked, c.parked = true, true
	}
}

// room counts one more parked request, unless there are too many.
func (e *engine) room() bool {
	if e.parked.Add(1) <= int64(e.opt.ParkMax) {
		return true
	}
	e.parked.Add(-1)
	return false
}

func (q *queue) parked() (n int) {
	for i := range q.places {
		if q.places[i].w != nil {
			n++
		}
	}
	return n + len(q.readers)
}

// enter gives a waiter the oldest place that is his, or a new one.
func (q *queue) enter(w *waiter, who who) {
	q.lapse(w.since)
	for i := range q.places {
		if p := &q.places[i]; p.w == nil && p.who == who {
			p.w = w
			return
		}
	}
	q.places = append(q.places, place{who: who, w: w})
}

// lapse takes out the places of those who did not come back.
func (q *queue) lapse(wall time.Time) {
	q.places = slices.DeleteFunc(q.places, func(p place) bool { return p.w == nil && !wall.Before(p.until) })
}

// awaited reports that somebody waits for the item, or may still come back for it.
func (e *engine) awaited(sh *shard, it *item) bool {
	if it.queued {
		q := sh.queues[it]
		q.lapse(time.Now())
		q.drop(sh, it)
	}
	return it.queued
}

// unlocked serves the readers, and the first in the queue.
func (e *engine) unlocked(sh *shard, it *item, now int64) {
	q := sh.queues[it]
	for _, w := range q.readers {
		w.content = e.serve(it, &w.rep, w.buf, false, now)
		e.answer(w)
	}
	clear(q.readers)
	q.readers = q.readers[:0]
	e.advance(sh, it, q, nil, now)
}

// advance hands a free lock to whose turn it is. by is the waiter that looks
// already, if one does.
func (e *engine) advance(sh *shard, it *item, q *queue, by *waiter, now int64) {
	q.lapse(time.Now())
	first := slices.IndexFunc(q.places, func(p place) bool { return p.w != nil })
	if first >= 0 {
		w := q.places[first].w
		if slices.ContainsFunc(q.places[:first], func(p place) bool { return p.passed }) {
			if w != by {
				w.nudge() // to see for how long
			}
		} else {
			for i := range q.places[:first] {
				q.places[i].passed = true
			}
			q.places = slices.Delete(q.places, first, first+1)
			e.renew(sh, it, now)
			w.content = e.serve(it, &w.rep, w.buf, true, now)
			e.answer(w)
		}
	}
	q.drop(sh, it)
}

// drop takes out a queue of nobody.
func (q *queue) drop(sh *shard, it *item) {
	if len(q.places)+len(q.readers) == 0 {
		delete(sh.queues, it)
		it.queued = false
	}
}

// answer wakes a waiter whose reply is complete. It is in no queue.
func (e *engine) answer(w *waiter) {
	w.answered, w.it = true, nil
	e.parked.Add(-1)
	if w.parked {
		w.sh.stats.count(w.op, w.rep.Status)
		w.sh.stats.wait.observe(time.Since(w.since))
		w.nudge()
	}
}

// dissolve answers 404 to all who wait for an item that has ended.
func (e *engine) dissolve(sh *shard, it *item) {
	if !it.queued {
		return
	}
	q := sh.queues[it]
	delete(sh.queues, it)
	it.queued = false
	for _, p := range q.places {
		if p.w != nil {
			q.readers = append(q.readers, p.w)
		}
	}
	for _, w := range q.readers {
		w.rep.Status = msasp.StatusNotFound
		e.answer(w)
	}
}

// leave takes a waiter out of its queue; with keep, its place stays.
func (e *engine) leave(w *waiter, keep bool, now int64) {
	it, sh := w.it, w.sh
	q := sh.queues[it]
	w.it = nil
	e.parked.Add(-1)
	if !w.exclusive {
		q.readers = slices.DeleteFunc(q.readers, func(r *waiter) bool { return r == w })
	} else {
		i := slices.IndexFunc(q.places, func(p place) bool { return p.w == w })
		if keep {
			q.places[i].w, q.places[i].until, q.places[i].passed = nil, time.Now().Add(keepPlace), false
		} else {
			q.places = slices.Delete(q.places, i, i+1)
		}
	}
	if !it.locked && it.queued {
		e.advance(sh, it, q, w, now)
	}
	if it.queued {
		q.drop(sh, it)
	}
}

// check says what has become of a parked request: done and its reply, or until
// when to wait at most. enough says that it is not to wait any longer.
func (e *engine) check(w *waiter, enough bool) (until time.Time, done bool) {
	w.sh.mu.Lock()
	defer w.sh.mu.Unlock()
	if w.answered {
		return until, true
	}
	now, wall, it := e.now(), time.Now(), w.it
	if it.expired(now) {
		e.expire(w.sh, it, now)
		return until, true
	}
	if !it.locked {
		e.advance(w.sh, it, w.sh.queues[it], w, now)
		if w.answered {
			return until, true
		}
	}
	if late := !wall.Before(w.deadline); late || enough {
		e.leave(w, late, now)
		e.refuse(it, &w.rep, now)
		if late && w.rep.Ours {
			w.rep.ActionFlags = msasp.Int32(w.rep.ActionFlags.Value | waited)
		}
		w.answered = true
		w.sh.stats.count(w.op, w.rep.Status)
		w.sh.stats.wait.observe(wall.Sub(w.since))
		return until, true
	}
	until = w.deadline
	if !it.locked { // kept for who is away
		for _, p := range w.sh.queues[it].places {
			if p.w == nil && p.until.Before(until) {
				until = p.until
			}
		}
	}
	return until, false
}

// gone drops a waiter whose peer has gone, and takes back what it was given.
func (e *engine) gone(w *waiter, key []byte) {
	w.sh.mu.Lock()
	waiting := w.it != nil
	if waiting {
		e.leave(w, false, e.now())
		w.sh.stats.gone++
	}
	w.sh.mu.Unlock()
	if !waiting && w.exclusive && w.rep.Status == msasp.StatusOK {
		e.giveUp(key, w.rep.LockCookie)
	}
}
