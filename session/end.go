package session

import (
	"errors"
	"fmt"
	"time"
)

// seal is called when the headers are about to leave: a new session is stored
// and locked now, or never.
func (l *live) seal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = true
	if l.loaded && l.end == nil && l.fresh && !l.stored {
		return l.checkpoint()
	}
	return nil
}

// finish ends the session: what ASP.NET does at the end of a request (.NET
// Framework 4.8 SessionStateModule.OnReleaseState). early is the handler's own
// Release, which is told of a session that has ended before.
func (l *live) finish(early bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		if early {
			return l.end
		}
		return nil
	}
	if early && l.borrowed {
		return errBorrowed
	}
	defer func() {
		if l.end == nil { // the store panicked: neither lock nor turn may stay
			l.end = ErrReleased
			defer l.unlocked()
			_ = l.giveBack()
		}
	}()
	err := l.conclude()
	l.end = ErrReleased
	l.unlocked()
	if l.m.opt.ClearOnRelease {
		l.p = nil
	}
	l.failed(err)
	return err
}

func (l *live) conclude() error {
	switch {
	case !l.loaded:
		return l.renew()
	case l.abandoned:
		if !l.stored {
			return nil
		}
		start := l.now()
		defer func() { l.measures.Save += l.m.since(start) }()
		return l.m.remove(l.ctx, l.id, l.lock)
	case l.access == ReadOnly:
		return nil
	case l.dirty() && !(l.fresh && !l.stored && l.sent):
		return l.store()
	}
	start := l.now()
	defer func() { l.measures.Save += l.m.since(start) }()
	return l.m.release(l.ctx, l.id, l.lock)
}

// renew touches a Lazy session that nobody used, now and then.
func (l *live) renew() error {
	if l.id == "" || !l.m.touches.due(l.id, time.Now()) {
		return nil
	}
	if err := l.m.touch(l.ctx, l.id); err != nil {
		l.m.touches.forget(l.id)
		return fmt.Errorf("%w: %w", ErrNotRenewed, err)
	}
	return nil
}

// discard ends the session without saving, for a handler that failed.
func (l *live) discard() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		return nil
	}
	l.end = ErrReleased
	defer l.unlocked() // also where the store panics
	return l.giveBack()
}

// errBorrowed is what OnStart gets that wants to end the session.
var errBorrowed = errors.New("session: a SessionStart hook can neither save, release, extend, regenerate nor abandon its session")

// regenerate moves the session to a new id; see Session.Regenerate.
func (l *live) regenerate() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.borrowed {
		return errBorrowed
	}
	if err := l.changeable(); err != nil {
		return err
	}
	if l.sent {
		return ErrHeadersSent
	}
	if l.abandoned {
		return ErrNotFound
	}
	id, err := l.m.newID()
	if err != nil {
		return err
	}
	if l.onID != nil {
		if err := l.onID(id); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				_ = l.onID(l.id) // it was good before
			}
		}()
	}
	if !l.stored {
		l.id, l.fresh = id, true
		return nil
	}
	defer func() { l.failed(err) }()
	// The new one first: whatever happens, the session is under one id at least.
	start := l.now()
	lock, changed, err := l.m.saveAndHold(l.ctx, id, Lock{}, holding{lease: l.m.opt.ExecutionTimeout}, l.p)
	if err == nil && changed != nil {
		err = ErrExists // nobody can know the id
	}
	if err != nil {
		if !lock.IsZero() {
			err = errors.Join(err, l.m.release(l.ctx, id, lock))
		}
		return fmt.Errorf("session: regenerating the id: %w", err)
	}
	if err := l.m.remove(l.ctx, l.id, l.lock); err != nil {
		// The old one is another's or out of reach; only one may live on.
		l.end = fmt.Errorf("session: regenerating the id: %w", errors.Join(err, l.m.remove(l.ctx, id, lock)))
		l.lost()
		return l.end
	}
	l.measures.Save += l.m.since(start)
	l.id, l.fresh = id, true
	l.took(lock)
	l.saved()
	return nil
}

// extend makes the lock last; see Session.Extend.
func (l *live) extend(d time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.borrowed {
		return errBorrowed
	}
	if err := l.changeable(); err != nil {
		return err
	}
	store, local := l.m.at(l.id)
	renewer, can := store.(Renewer)
	if !can || d <= 0 {
		return fmt.Errorf("%w: a lock that lasts %v longer", ErrUnsupported, d)
	}
	if l.lock.IsZero() {
		return nil // new: nobody else knows it
	}
	call, cancel := l.m.detached(l.ctx, local)
	defer cancel()
	if err := renewer.Renew(call, l.id, l.lock, d); err != nil {
		return err
	}
	l.lease.Store(time.Now().Add(d).UnixNano())
	return nil
}
