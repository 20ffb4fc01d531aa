package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aspsession/aspsession/payload"
)

// The range of a sliding timeout (.NET Framework 4.8 SessionStateModule).
const maxMinutes = 525_600

// live is the state behind a Session. mu guards all but what is set once, before
// a handler sees it: m, ctx, id, access and isNew.
type live struct {
	m      *Manager
	ctx    context.Context
	id     string
	access Access
	isNew  bool

	mu        sync.Mutex
	p         *payload.Payload
	lock      Lock
	fresh     bool   // the visitor does not know the id yet
	stored    bool   // the store has a session of this id
	sealed    bool   // headers left without the cookie
	abandoned bool   // remove it in the end
	end       error  // why it cannot be used: ErrReleased, ErrDisabled ...
	after     func() // see Manager.AfterRelease
}

// Unusable returns a session whose every method fails with err: what a handler
// holds that has none.
func Unusable(err error) *Session {
	s := new(Session)
	s.end = err
	return s
}

// usable needs mu held.
func (l *live) usable() error { return l.end }

func (l *live) get(key string) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return nil, err
	}
	v, _, err := l.p.Items().Get(key)
	return v, err
}

func (l *live) has(key string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return false, err
	}
	return l.p.Items().Has(key), nil
}

func (l *live) keys() ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return nil, err
	}
	return l.p.Items().Keys(), nil
}

func (l *live) count() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return 0, err
	}
	return l.p.Items().Len(), nil
}

// change runs one change under the checks that all of them share.
func (l *live) change(f func(*payload.Items) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.changeable(); err != nil {
		return err
	}
	return f(l.p.Items())
}

func (l *live) changeable() error {
	switch {
	case l.end != nil:
		return l.end
	case l.access == ReadOnly:
		return ErrReadOnly
	case l.sealed:
		return ErrHeadersSent
	}
	return nil
}

func (l *live) timeout() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return 0, err
	}
	return time.Duration(min(max(l.p.Timeout(), 0), maxMinutes)) * time.Minute, nil
}

func (l *live) setTimeout(d time.Duration) error {
	minutes, err := minutesOf(d)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.changeable(); err != nil {
		return err
	}
	l.p.SetTimeout(minutes)
	return nil
}

// minutesOf rounds up to whole minutes.
func minutesOf(d time.Duration) (int32, error) {
	if d <= 0 || d > maxMinutes*time.Minute {
		return 0, fmt.Errorf("%w: %v", ErrTimeout, d)
	}
	return int32((d + time.Minute - 1) / time.Minute), nil
}

func (l *live) abandon() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		return l.end
	}
	l.abandoned = true
	return nil
}

// save stores the changes and keeps the lock.
func (l *live) save() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.changeable(); err != nil {
		return err
	}
	return l.checkpoint()
}

// checkpoint needs mu held.
func (l *live) checkpoint() error {
	if l.abandoned || !l.p.Dirty() {
		return nil
	}
	lock, again, err := l.m.checkpoint(l.ctx, l.id, l.lock, l.p)
	if err != nil {
		if again == lostHere { // saved or not, the lock is not ours any more
			l.end, l.lock = fmt.Errorf("%w, since saving failed: %w", ErrReleased, err), Lock{}
			l.released()
		}
		return err
	}
	l.lock, l.stored = lock, true
	if again != nil {
		l.p = again
		return ErrChanged
	}
	l.p.Commit()
	return nil
}

// lostHere marks a checkpoint that ended without the lock.
var lostHere = new(payload.Payload)

// seal is called when the headers are about to leave: a new session is stored
// and locked now, or never. It reports whether they must carry the id.
func (l *live) seal() (announce bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fresh && !l.stored && l.end == nil {
		if l.abandoned || !l.p.Dirty() {
			l.sealed = true
			return false, nil
		}
		if err := l.checkpoint(); err != nil {
			return false, err
		}
	}
	return l.fresh && l.stored, nil
}

// finish ends the session: what ASP.NET does at the end of a request (.NET
// Framework 4.8 SessionStateModule.OnReleaseState).
func (l *live) finish() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		return l.end
	}
	l.end = ErrReleased
	defer l.released()
	defer func() { l.lock = Lock{} }()
	switch {
	case l.abandoned:
		if !l.stored {
			return nil
		}
		return l.m.remove(l.ctx, l.id, l.lock)
	case l.access == ReadOnly:
		return nil
	case l.p.Dirty() && !l.sealed:
		if err := l.m.save(l.ctx, l.id, l.lock, l.p); err != nil {
			return err
		}
		l.stored = true
		l.p.Commit()
		return nil
	}
	return l.m.release(l.ctx, l.id, l.lock)
}

// released needs mu held.
func (l *live) released() {
	if f := l.after; f != nil {
		l.after = nil
		f()
	}
}

// discard ends the session without saving, for a handler that failed.
func (l *live) discard() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		return nil
	}
	l.end = ErrReleased
	defer l.released()
	lock := l.lock
	l.lock = Lock{}
	return l.m.release(l.ctx, l.id, lock)
}
