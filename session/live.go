package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/payload"
)

// The range of a sliding timeout (.NET Framework 4.8 SessionStateModule).
const maxMinutes = 525_600

// live is the state behind a Session. mu guards all but what is set once, before
// a handler sees it: m to borrowed.
type live struct {
	m        *Manager
	ctx      context.Context
	access   Access
	known    bool                 // see Opening.Known
	onStart  func(*Session) error // see Opening.OnStart
	onLoad   func(*Session) error // see Opening.OnLoad
	onID     func(string) error   // see Opening.OnID
	borrowed bool                 // lent to one of these: it ends with that

	lease atomic.Int64 // when others may break the lock, in Unix nanoseconds; 0 while it is not held

	mu        sync.Mutex
	id        string // "" until somebody needs a new one
	p         *payload.Payload
	lock      Lock
	taken     time.Time // when lock was
	turn      string    // the id whose turn this request has
	loaded    bool      // p is there, and lock if the access needs one
	isNew     bool
	fresh     bool  // the visitor does not know the id
	stored    bool  // the store has a session of this id
	must      bool  // onStart has begun it, and it was not stored since: store it, changed or not
	sent      bool  // headers have left
	abandoned bool  // remove it in the end
	end       error // why it cannot be used: ErrReleased, ErrDisabled ...
	measures  Measures
}

// Unusable returns a session whose every method fails with err: what a handler
// holds that has none.
func Unusable(err error) *Session {
	s := new(Session)
	s.end = err
	return s
}

// ready has the session loaded: now, where it is Lazy. It needs mu held, as the
// methods below it do. What fails here fails for the rest of the request.
func (l *live) ready() (err error) {
	if l.end != nil || l.loaded {
		return l.end
	}
	defer func() {
		if l.loaded {
			return
		}
		// Also where the store or a hook panics: no lock may stay, and no session
		// that was not started to its end.
		defer l.lost()
		if rerr := l.giveBack(); rerr != nil {
			err = errors.Join(err, rerr)
		}
		l.end = err
		l.failed(err)
	}()
	err = l.load()
	switch {
	case err != nil:
	case l.isNew && l.onStart != nil:
		err = l.start()
	case !l.isNew && l.onLoad != nil:
		err = l.lend(l.onLoad, ReadOnly)
	}
	if err != nil {
		return err
	}
	l.loaded = true
	l.measures.Used, l.measures.New = true, l.isNew
	return nil
}

// load gets the session, or begins a new one.
func (l *live) load() error {
	start := l.now()
	if l.id != "" {
		strict := l.m.opt.StrictIDs
		boot := l.m.opt.Bootstrap != nil && l.access != ReadOnly
		err := l.fetch(loading{access: l.access, known: l.known || strict || boot, measures: &l.measures})
		switch {
		case err == nil:
		case !errors.Is(err, ErrNotFound) || l.known:
			return err
		case strict:
			l.pass()
			l.id = ""
		default:
			if err := l.bootstrap(); err != nil {
				return err
			}
		}
	}
	if l.id == "" {
		l.fresh, l.isNew = true, true
	}
	if l.p == nil {
		l.p = payload.New(l.m.minutes, payload.Limits{})
	}
	l.m.prepare(l.p)
	if l.m.opt.Metrics != nil {
		l.measures.Load = time.Since(start) - l.measures.Wait
	}
	return nil
}

// fetch takes the request's turn, where it needs one, and reads the session.
func (l *live) fetch(how loading) error {
	if how.access != ReadOnly && l.turn == "" {
		start := l.now()
		how.since = time.Now()
		mine, err := l.m.turns.wait(l.ctx, l.id)
		if mine {
			l.turn = l.id
		}
		if store, local := l.m.at(l.id); err == nil && mine && !local && !store.Capabilities().QueuesWaiters {
			err = l.m.turns.air(l.ctx, l.id)
		}
		l.measures.Wait += l.m.since(start)
		if err != nil {
			return err
		}
	}
	rec, found, err := l.m.load(l.ctx, l.id, how)
	if err != nil {
		return err
	}
	l.took(rec.Lock)
	// Where it was created just now, whoever came first is told that it is new.
	l.p, l.stored, l.isNew = rec.Payload, found || !rec.Lock.IsZero(), !found && rec.Lock.IsZero() || rec.Uninitialized
	if l.m.opt.Metrics != nil && found && l.p != nil {
		l.measures.Loaded = l.p.Size()
	}
	return nil
}

// took notes a lock that is the session's from now on.
func (l *live) took(lock Lock) {
	l.lock = lock
	if !lock.IsZero() {
		now := time.Now()
		if l.taken.IsZero() {
			l.taken = now
		}
		l.lease.Store(now.Add(l.m.opt.ExecutionTimeout).UnixNano())
	}
}

// ident makes the id of a new session once somebody needs it.
func (l *live) ident() error {
	if l.id != "" {
		return nil
	}
	id, err := l.m.newID()
	if err == nil {
		l.id = id
	}
	return err
}

// start runs onStart. A ReadOnly session is locked for it, and stored at once.
func (l *live) start() error {
	if l.fresh && l.sent {
		return ErrHeadersSent
	}
	if err := l.ident(); err != nil {
		return err
	}
	if l.access == ReadOnly && !l.fresh {
		told := l.stored // it is there, uninitialized, and nobody else is told so
		boot := l.m.opt.Bootstrap != nil && !told
		err := l.fetch(loading{access: ReadWrite, known: boot, measures: &l.measures})
		if boot && errors.Is(err, ErrNotFound) {
			err = l.bootstrap()
		}
		if err != nil {
			return err
		}
		l.m.prepare(l.p)
		l.isNew = l.isNew || told
		if !l.isNew { // another request was quicker
			err := l.m.release(l.ctx, l.id, l.lock)
			l.unlocked()
			if err == nil && l.onLoad != nil {
				err = l.lend(l.onLoad, ReadOnly)
			}
			return err
		}
	}
	// It will be stored whatever the handler does: what ASP.NET starts it with
	// can be there already.
	if err := l.begun(); err != nil {
		return err
	}
	l.must = true
	if err := l.lend(l.onStart, ReadWrite); err != nil {
		return fmt.Errorf("session: SessionStart: %w", err)
	}
	if l.access == ReadOnly {
		return l.store()
	}
	return nil
}

// lend gives the session to a hook, by another name: mu is held.
func (l *live) lend(hook func(*Session) error, access Access) error {
	lent := new(Session)
	lent.m, lent.ctx, lent.access, lent.borrowed = l.m, l.ctx, access, true
	lent.id, lent.p, lent.loaded, lent.isNew = l.id, l.p, true, l.isNew
	defer func() {
		lent.mu.Lock()
		lent.end = ErrReleased
		lent.mu.Unlock()
	}()
	return hook(lent)
}

// now is the time where somebody measures.
func (l *live) now() time.Time {
	if l.m.opt.Metrics == nil {
		return time.Time{}
	}
	return time.Now()
}

// changeable is ready for a method that changes the session.
func (l *live) changeable() error {
	if l.end == nil && l.access == ReadOnly {
		return ErrReadOnly
	}
	if err := l.ready(); err != nil {
		return err
	}
	if l.fresh && !l.stored && l.sent {
		return ErrHeadersSent
	}
	return nil
}

// dirty reports that there is something to store.
func (l *live) dirty() bool { return l.must || l.p.Dirty() }

// begun has ASP.NET start a new session before it is stored for the first time,
// if that is wanted, and puts what the handler did on top.
func (l *live) begun() error {
	if err := l.ident(); err != nil {
		return err
	}
	if l.stored || !l.fresh || l.m.opt.Bootstrap == nil {
		return nil
	}
	mine := l.p
	if err := l.bootstrap(); err != nil {
		return err
	}
	l.m.prepare(l.p)
	if mine.TimeoutChanged() {
		l.p.SetTimeout(mine.Timeout())
	}
	return l.p.Items().Merge(mine.Items())
}

// bootstrap has ASP.NET start the session, and takes it as it then is. It runs to
// its end even when the request is cancelled meanwhile.
func (l *live) bootstrap() error {
	ctx := l.ctx
	defer func() { l.ctx = ctx }()
	l.ctx = context.WithoutCancel(ctx)
	call, cancel := context.WithTimeout(l.ctx, l.m.opt.ExecutionTimeout)
	defer cancel()
	id, err := l.m.opt.Bootstrap(call, l.id)
	if err != nil {
		return fmt.Errorf("session: Bootstrap could not have ASP.NET start the session: %w", err)
	}
	if id != l.id {
		canonical, ok := l.m.Canonical(id)
		switch {
		case !ok:
			return errors.New("session: Bootstrap returned what is no id")
		case l.sent:
			return ErrHeadersSent
		}
		l.pass()
		l.id, l.fresh = canonical, true
	}
	if err := l.fetch(loading{access: ReadWrite, measures: &l.measures}); err != nil {
		return err
	}
	l.isNew = true
	return nil
}

// store saves the session and gives its lock back.
func (l *live) store() error {
	if err := l.begun(); err != nil {
		return errors.Join(err, l.giveBack())
	}
	start := l.now()
	err := l.m.save(l.ctx, l.id, l.lock, l.must, l.p)
	l.measures.Save += l.m.since(start)
	l.unlocked()
	if err != nil {
		return err
	}
	l.saved()
	return nil
}

// saved notes that the store has what the session is.
func (l *live) saved() {
	if l.m.opt.Metrics != nil {
		l.measures.Saved = l.p.Size()
	}
	if minutes := l.p.Timeout(); minutes < l.m.minutes {
		l.m.touches.note(l.id, time.Duration(max(minutes, 0))*time.Minute, time.Now())
	}
	l.stored, l.must = true, false
	l.p.Commit()
}

// checkpoint saves the session and keeps its lock.
func (l *live) checkpoint() error {
	if l.abandoned || !l.dirty() {
		return nil
	}
	if err := l.begun(); err != nil {
		l.failed(err)
		return err
	}
	start := l.now()
	// What Extend got must not be cut short.
	lease := max(l.m.opt.ExecutionTimeout, time.Until(time.Unix(0, l.lease.Load())))
	lock, again, err := l.m.saveAndHold(l.ctx, l.id, l.lock, holding{l.must, lease}, l.p)
	l.measures.Save += l.m.since(start)
	if err != nil {
		l.failed(err)
		if again == lostHere { // saved or not, the lock is not ours any more
			l.end = fmt.Errorf("%w, since saving failed: %w", ErrReleased, err)
			l.lost()
		}
		return err
	}
	if lock != l.lock {
		l.took(lock)
	}
	if again != nil {
		l.stored, l.must, l.p = true, false, again
		return ErrChanged
	}
	l.saved()
	return nil
}

// giveBack ends the lock without saving. A session that was begun and never
// stored goes with it, so that the next request begins it anew.
func (l *live) giveBack() error {
	if l.must && !l.lock.IsZero() {
		l.stored = false
		if err := l.m.remove(l.ctx, l.id, l.lock); !errors.Is(err, ErrLockLost) {
			return err
		}
		return nil // another's already
	}
	return l.m.release(l.ctx, l.id, l.lock)
}

// unlocked notes that the lock is given back, and lets the next request have its
// turn.
func (l *live) unlocked() {
	if !l.taken.IsZero() {
		l.measures.Hold += l.m.since(l.taken)
		l.taken = time.Time{}
	}
	l.lock = Lock{}
	l.lease.Store(0)
	l.pass()
}

func (l *live) pass() {
	if l.turn != "" {
		l.m.turns.pass(l.turn)
		l.turn = ""
	}
}

// failed keeps the first error for Metrics.
func (l *live) failed(err error) {
	if l.measures.Err == nil {
		l.measures.Err = err
	}
}

// lost ends a session that has no lock any more.
func (l *live) lost() {
	if l.end == nil {
		l.end = ErrReleased
	}
	l.unlocked()
}
