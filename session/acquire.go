package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	firstPoll = 2 * time.Millisecond
	lastPoll  = 500 * time.Millisecond // ASP.NET's own interval
)

// loading says how load goes about it, and takes its measures.
type loading struct {
	access   Access
	known    bool      // one that is not there is ErrNotFound
	since    time.Time // when the request began to wait for its turn; zero: it did not
	measures *Measures
}

// load gets a session, waiting for its lock as long as it may. found is false
// where the store had none: ReadOnly then goes without, ReadWrite has created it.
func (m *Manager) load(ctx context.Context, id string, l loading) (rec Record, found bool, err error) {
	found = true
	var deadline time.Time // set at the first wait: most requests never wait
	var waiting time.Time  // since when the lock is another's
	var broken Lock        // the last one that was broken for its age
	looked := false        // once more, after the deadline
	poll := firstPoll
	for {
		if err := context.Cause(ctx); err != nil {
			return Record{}, false, err
		}
		if l.access == ReadOnly {
			rec, err = m.get(ctx, id)
		} else {
			rec, err = m.acquire(ctx, id)
		}
		if err == nil {
			if l.measures != nil && !waiting.IsZero() {
				l.measures.Wait += m.since(waiting)
			}
			return rec, found, nil
		}
		locked, ok := errors.AsType[*LockedError](err)
		switch {
		case errors.Is(err, ErrNotFound) && l.known:
			return Record{}, false, err
		case errors.Is(err, ErrNotFound) && l.access == ReadOnly:
			return Record{}, false, nil
		case errors.Is(err, ErrNotFound):
			found = false
			if err := m.create(ctx, id); err != nil {
				return Record{}, false, err
			}
			// A store that loses what it creates must not be asked for ever.
			if deadline.IsZero() {
				deadline = time.Now().Add(m.opt.WaitTimeout)
			} else if time.Now().After(deadline) {
				return Record{}, false, fmt.Errorf("session: created, but not there: %w", ErrNotFound)
			}
			continue
		case !ok:
			return Record{}, false, err
		}
		now := time.Now()
		if waiting.IsZero() {
			waiting = now
		}
		if deadline.IsZero() && !l.since.IsZero() {
			deadline = l.since.Add(m.opt.WaitTimeout)
		}
		if deadline.IsZero() {
			deadline = now.Add(m.opt.WaitTimeout)
		}
		if locked.Age >= m.opt.ExecutionTimeout && locked.Holder != broken {
			// Its request is dead or should be; what it still saves is refused.
			if err := m.release(ctx, id, locked.Holder); err != nil {
				return Record{}, false, err
			}
			broken = locked.Holder
			if l.measures != nil {
				l.measures.Broken++
			}
			continue
		}
		if !now.Before(deadline) {
			// The answer may have been on its way while the lock became too old.
			if !looked {
				looked = true
				continue
			}
			return Record{}, false, fmt.Errorf("session: gave up after waiting %v: %w", m.opt.WaitTimeout, err)
		}
		if locked.Waited {
			continue // in the store, which keeps his place for a while only
		}
		if err := m.wait(ctx, id, locked.Holder, min(poll, deadline.Sub(now))); err != nil {
			return Record{}, false, err
		}
		poll = min(poll*3/2, lastPoll)
	}
}

// wait returns when the lock may have gone: the store says when, or it is a
// guess that starts small, grows to ASP.NET's interval and is never in step
// with others.
func (m *Manager) wait(ctx context.Context, id string, holder Lock, guess time.Duration) error {
	store, _ := m.at(id)
	if w, ok := store.(Waiter); ok {
		if err := w.Wait(ctx, id, holder, lastPoll); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		return nil
	}
	t := time.NewTimer(guess/2 + rand.N(guess))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (m *Manager) get(ctx context.Context, id string) (Record, error) {
	store, local := m.at(id)
	if local {
		return store.Get(ctx, id)
	}
	call, cancel := context.WithTimeout(ctx, m.opt.StoreTimeout)
	defer cancel()
	return store.Get(call, id)
}

// acquire runs to its end once it was sent, whether the request is cancelled or
// not, because a lock that was granted and never heard of would stay: if the
// request is gone by then, the lock is given back at once. It has the store's
// deadline. It does not run on a goroutine of its own: nobody needs an answer
// sooner, and two switches between threads are a third of what a call costs.
func (m *Manager) acquire(ctx context.Context, id string) (Record, error) {
	store, local := m.at(id)
	if local {
		return store.Acquire(ctx, id, m.opt.ExecutionTimeout)
	}
	call, cancel := m.detached(ctx, local)
	defer cancel()
	rec, err := store.Acquire(call, id, m.opt.ExecutionTimeout)
	if ctx.Err() == nil {
		return rec, err
	}
	switch { // nobody is left to tell of errors; the lease ends the lock
	case err != nil:
	case rec.Uninitialized: // nor that it is new: let the next request begin it
		_ = m.remove(ctx, id, rec.Lock)
	default:
		_ = m.release(ctx, id, rec.Lock)
	}
	return Record{}, context.Cause(ctx)
}
