package stateservice

import (
	"context"
	"sync"
	"time"
)

// ends is the queue between the engine, which never waits, and the hook, which
// may. With a journal what does not fit stays there and is read again.
type ends struct {
	hook    EndHook
	journal Journal // nil: none
	most    int
	pause   time.Duration // after an error, with a journal

	mu       sync.Mutex // guards all below
	wake     *sync.Cond
	queue    []End // first in, first out
	busy     int   // workers with one in hand
	missed   bool  // the journal has more than the queue
	closed   bool
	last     uint64 // the last number given out
	taken    int64
	dropped  int64
	notUntil time.Time       // read the journal again then
	reading  bool            // a worker reads it now
	found    map[uint64]bool // what it read last: the push of these may come after

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newEnds(opt Options) (*ends, error) {
	q := &ends{hook: opt.OnEnd, journal: opt.Journal, most: opt.EndQueue, pause: time.Second}
	q.wake = sync.NewCond(&q.mu)
	q.ctx, q.cancel = context.WithCancel(context.Background())
	if q.journal != nil {
		// Above all that was given out before, also where none of it is kept.
		q.last = uint64(max(time.Now().UnixMicro(), 0))
		err := q.journal.Ends(func(e End) bool {
			q.last = max(q.last, e.ID)
			q.missed = true
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

// start runs the workers until stop.
func (q *ends) start(workers int) {
	for range workers {
		q.wg.Go(q.work)
	}
}

// stop lets the hook take what is queued until ctx ends; with a journal only
// what is in hand, because the rest is told after the next start.
func (q *ends) stop(ctx context.Context) {
	q.mu.Lock()
	q.closed = true
	if q.journal != nil {
		q.queue = nil
	}
	q.wake.Broadcast()
	q.mu.Unlock()
	done := make(chan struct{})
	go func() { q.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	q.cancel()
	<-done
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped += int64(len(q.queue))
	q.queue = nil
}

// next gives an end its number.
func (q *ends) next(key string, reason EndReason, payload []byte, at time.Time) End {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	return End{ID: q.last, Key: key, Reason: reason, Payload: payload, At: at}
}

// push queues an end, or leaves it to the journal.
func (q *ends) push(e End) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.found[e.ID]: // appended, read, and only now pushed
	case !q.closed && len(q.queue) < q.most && !(q.missed || q.reading):
		q.queue = append(q.queue, e)
		q.wake.Signal()
	case q.journal != nil:
		q.missed = true
	default:
		q.dropped++
	}
}

func (q *ends) work() {
	for {
		e, ok := q.take()
		if !ok {
			return
		}
		err := q.hook.Ended(q.ctx, e)
		if err == nil && q.journal != nil {
			q.journal.EndTaken(e.ID)
		}
		q.mu.Lock()
		q.busy--
		if err == nil {
			q.taken++
		} else {
			q.dropped++
			if q.journal != nil {
				q.missed = true
				q.notUntil = time.Now().Add(q.pause)
			}
		}
		if q.missed && q.busy == 0 {
			q.wake.Signal()
		}
		q.mu.Unlock()
	}
}

// take waits for an end. When nothing is queued or in hand, and the journal has
// more, it reads on there: so that none is told twice.
func (q *ends) take() (e End, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case q.ctx.Err() != nil, q.closed && len(q.queue) == 0:
			return e, false
		case len(q.queue) > 0:
			e, q.queue[0] = q.queue[0], End{}
			if q.queue = q.queue[1:]; len(q.queue) == 0 {
				q.queue = nil
			}
			q.busy++
			return e, true
		case q.missed && q.busy == 0 && !q.reading:
			q.reading = true
			q.mu.Unlock()
			q.refill()
			q.mu.Lock()
			q.reading = false
			q.wake.Broadcast()
		default:
			q.wake.Wait()
		}
	}
}

// refill reads the journal's ends, after a pause where the last did not go well.
func (q *ends) refill() {
	q.mu.Lock()
	pause := time.Until(q.notUntil)
	q.missed = false
	q.mu.Unlock()
	if pause > 0 {
		select {
		case <-time.After(pause):
		case <-q.ctx.Done():
			return
		}
	}
	var found []End
	more := false
	err := q.journal.Ends(func(e End) bool {
		if more = len(found) == q.most; more {
			return false
		}
		found = append(found, e)
		return true
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.found = make(map[uint64]bool, len(found))
		for _, e := range found {
			q.found[e.ID] = true
		}
		q.queue = append(found, q.queue...)
	}
	if err != nil || more {
		q.missed = true
		if err != nil {
			q.notUntil = time.Now().Add(q.pause)
		}
	}
}

func (q *ends) counts() (queued, taken, dropped int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int64(len(q.queue)), q.taken, q.dropped
}
