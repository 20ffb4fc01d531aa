package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aspsession/aspsession/payload"
)

// detached is the context of a call that must run to its end: without the
// request's cancellation, with the store's deadline. A local store needs none.
func (m *Manager) detached(ctx context.Context, local bool) (context.Context, context.CancelFunc) {
	if local {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), m.opt.StoreTimeout)
}

func (m *Manager) create(ctx context.Context, id string) error {
	store, local := m.at(id)
	call, cancel := m.detached(ctx, local)
	defer cancel()
	return store.Create(call, id, m.opt.Timeout)
}

// touch ignores a session that is not there.
func (m *Manager) touch(ctx context.Context, id string) error {
	store, local := m.at(id)
	call, cancel := m.detached(ctx, local)
	defer cancel()
	if err := store.Touch(call, id); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// save takes a session that was only begun, and cannot be stored, away.
func (m *Manager) save(ctx context.Context, id string, lock Lock, begun bool, p *payload.Payload) error {
	store, local := m.at(id)
	call, cancel := m.detached(ctx, local)
	defer cancel()
	err := store.Save(call, id, lock, p)
	if err == nil || errors.Is(err, ErrLockLost) || lock.IsZero() {
		return err
	}
	// Whether it was stored or not, the lock must not stay.
	giveBack := m.release
	if begun {
		giveBack = m.remove
	}
	if rerr := giveBack(ctx, id, lock); rerr != nil && !errors.Is(rerr, ErrLockLost) {
		return errors.Join(err, rerr)
	}
	return err
}

// release gives a lock back; one that is lost already needs no giving.
func (m *Manager) release(ctx context.Context, id string, lock Lock) error {
	if lock.IsZero() {
		return nil
	}
	store, local := m.at(id)
	call, cancel := m.detached(ctx, local)
	defer cancel()
	if err := store.Release(call, id, lock); err != nil && !errors.Is(err, ErrLockLost) && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

func (m *Manager) remove(ctx context.Context, id string, lock Lock) error {
	store, local := m.at(id)
	call, cancel := m.detached(ctx, local)
	defer cancel()
	err := store.Remove(call, id, lock)
	switch {
	case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, ErrGone):
		return nil
	case errors.Is(err, ErrLockLost):
		return err
	}
	if rerr := m.release(ctx, id, lock); rerr != nil {
		return errors.Join(err, rerr)
	}
	return err
}

// holding is what saveAndHold must know of a session.
type holding struct {
	begun bool // see save
	lease time.Duration
}

// saveAndHold saves a session and keeps or retakes its lock. changed is the
// session as another writer left it in between, and lostHere where an error also
// cost the lock.
func (m *Manager) saveAndHold(ctx context.Context, id string, lock Lock, how holding, p *payload.Payload) (held Lock, changed *payload.Payload, err error) {
	store, local := m.at(id)
	if c, ok := store.(Checkpointer); ok {
		call, cancel := m.detached(ctx, local)
		defer cancel()
		if held, err = c.Checkpoint(call, id, lock, how.lease, p); errors.Is(err, ErrLockLost) {
			changed = lostHere
		}
		return held, changed, err
	}
	saved, err := p.Append(nil)
	if err != nil {
		return lock, nil, err
	}
	if err := m.save(ctx, id, lock, how.begun, p); err != nil {
		return Lock{}, lostHere, err
	}
	rec, found, err := m.load(context.WithoutCancel(ctx), id, loading{access: ReadWrite})
	if err != nil {
		return Lock{}, lostHere, fmt.Errorf("session: saved, but the lock could not be taken again: %w", err)
	}
	now, err := rec.Payload.Append(nil)
	if err == nil && found && bytes.Equal(saved, now) {
		return rec.Lock, nil, nil
	}
	m.prepare(rec.Payload)
	return rec.Lock, rec.Payload, nil
}

// lostHere marks a saveAndHold that ended without the lock.
var lostHere = new(payload.Payload)

// since is the time from start to now; only Metrics asks.
func (m *Manager) since(start time.Time) time.Duration {
	if m.opt.Metrics == nil {
		return 0
	}
	return time.Since(start)
}
