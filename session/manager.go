package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// Options of a Manager. The zero value is ASP.NET's own behaviour.
type Options struct {
	// Timeout is the sliding timeout of new sessions. Default 20 minutes, as in
	// web.config; rounded up to minutes, 1 to 525,600.
	Timeout time.Duration
	// ExecutionTimeout is how long a request may hold a session's lock before
	// others break it. Default 110 s, ASP.NET's httpRuntime executionTimeout:
	// a shorter one here breaks the locks of pages that are still at work.
	ExecutionTimeout time.Duration
	// WaitTimeout is how long Open waits for a lock before it gives up with
	// ErrLocked. Default ExecutionTimeout.
	WaitTimeout time.Duration
	// StoreTimeout bounds every single call to the store. Default 10 s,
	// ASP.NET's stateNetworkTimeout. Locks that a lost reply left behind stay
	// for the execution timeout.
	StoreTimeout time.Duration
	// Location is the zone in which DateTime items are read and written: that of
	// the ASP.NET machine. Default UTC; wrong for sites that store DateTime.Now
	// on a machine set to another zone.
	Location *time.Location
	// Types says which Go structs stand for which .NET classes when they are Set.
	// Default none: reading needs none, and neither does changing an object that
	// ASP.NET stored.
	Types *nrbf.Types
	// IDs makes and checks ids. Default StandardIDs.
	IDs IDs
}

// A Manager opens the sessions of one store and ends them: the life cycle
// without HTTP. It is safe for concurrent use. Close waits for what is open.
type Manager struct {
	store   Store
	local   bool
	opt     Options
	minutes int32

	open    atomic.Int64 // sessions and background calls under way
	closing atomic.Bool
	idle    chan struct{}
}

// NewManager checks the options: a Timeout outside its range is ErrTimeout.
func NewManager(store Store, opt Options) (*Manager, error) {
	if opt.Timeout == 0 {
		opt.Timeout = 20 * time.Minute
	}
	minutes, err := minutesOf(opt.Timeout)
	if err != nil {
		return nil, err
	}
	if opt.ExecutionTimeout <= 0 {
		opt.ExecutionTimeout = 110 * time.Second
	}
	if opt.WaitTimeout <= 0 {
		opt.WaitTimeout = opt.ExecutionTimeout
	}
	if opt.StoreTimeout <= 0 {
		opt.StoreTimeout = 10 * time.Second
	}
	if opt.IDs == nil {
		opt.IDs = StandardIDs{}
	}
	return &Manager{store: store, local: store.Capabilities().Local, opt: opt, minutes: minutes, idle: make(chan struct{}, 1)}, nil
}

// Canonical is the form of an id that the store knows; ok is false for what is
// no id.
func (m *Manager) Canonical(id string) (string, bool) {
	id, ok := m.opt.IDs.Canonical(id)
	if !ok || len(id) > MaxIDLength {
		return "", false
	}
	return id, id != ""
}

// Open starts a request's session. id is canonical, or "" for a visitor without
// one, who gets a new id and costs no call to the store until something is
// stored. Whoever opens a session must call Finish or Discard, once.
//
// An id that the store does not have is taken as it is, as in ASP.NET:
// ReadWrite creates the session under it. Disabled makes no call; see Touch. Cancelling ctx while Open waits ends
// it with ctx's error and leaves no lock behind; later it changes nothing.
func (m *Manager) Open(ctx context.Context, id string, access Access) (*Session, error) {
	m.open.Add(1)
	if m.closing.Load() {
		m.done()
		return nil, ErrClosed
	}
	opened := false
	defer func() {
		if !opened { // also where the store panics
			m.done()
		}
	}()
	s, err := m.start(ctx, id, access)
	if err != nil {
		return nil, err
	}
	opened = true
	return s, nil
}

func (m *Manager) start(ctx context.Context, id string, access Access) (*Session, error) {
	s := new(Session)
	s.m, s.ctx, s.id, s.access = m, ctx, id, access
	if id == "" {
		var err error
		if s.id, err = m.opt.IDs.New(); err != nil {
			return nil, fmt.Errorf("session: making an id: %w", err)
		}
		s.fresh, s.isNew = true, true
	}
	if access == Disabled {
		s.end = ErrDisabled
		return s, nil
	}
	if !s.fresh {
		rec, found, err := m.load(ctx, id, access)
		if err != nil {
			return nil, err
		}
		s.p, s.lock, s.stored, s.isNew = rec.Payload, rec.Lock, found || !rec.Lock.IsZero(), !found || rec.Uninitialized
	}
	if s.p == nil {
		s.p = payload.New(m.minutes, payload.Limits{})
	}
	m.prepare(s.p)
	return s, nil
}

// prepare tells a session how this site's values map to Go's.
func (m *Manager) prepare(p *payload.Payload) {
	p.Items().SetLocation(m.opt.Location)
	p.Items().SetTypes(m.opt.Types)
}

// Touch renews a session's timeout without opening it. One that is not there is
// no error.
func (m *Manager) Touch(ctx context.Context, id string) error {
	call, cancel := m.detached(ctx)
	defer cancel()
	if err := m.store.Touch(call, id); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// Finish ends a session whose handler returned: saved and released in one step
// if it was changed, removed if it was abandoned, released otherwise. A failed
// save gives the lock back, and the changes are lost. On a session that the
// handler released already it does nothing.
func (m *Manager) Finish(s *Session) error {
	defer m.done()
	if err := s.finish(); !errors.Is(err, ErrReleased) && !errors.Is(err, ErrDisabled) {
		return err
	}
	return nil
}

// Discard ends a session whose handler failed: nothing is saved, as ASP.NET
// saves nothing after an unhandled error, and the lock is given back.
func (m *Manager) Discard(s *Session) error {
	defer m.done()
	return s.discard()
}

// AfterRelease has f called once, when the session holds no lock any more: at
// the latest by Finish or Discard, at once where it ended already. f must not
// use the session.
func (m *Manager) AfterRelease(s *Session, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.after = f; s.end != nil {
		s.released()
	}
}

// Seal is called once, when the response's headers are about to leave. It stores
// and locks a new session that has something in it; one that has not can start
// no more (ErrHeadersSent). announce says that the headers must carry the id.
func (m *Manager) Seal(s *Session) (announce bool, err error) { return s.seal() }

// Announce reports whether the response must carry the session's id: it is
// stored, and the visitor does not know it.
func (m *Manager) Announce(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh && s.stored
}

// Close refuses new sessions and waits for those that are open, and for locks
// that are still being given back, until ctx ends. The store stays open.
func (m *Manager) Close(ctx context.Context) error {
	m.closing.Store(true)
	for m.open.Load() > 0 {
		select {
		case <-m.idle:
		case <-ctx.Done():
			return fmt.Errorf("session: %d sessions are still open: %w", m.open.Load(), context.Cause(ctx))
		}
	}
	select {
	case m.idle <- struct{}{}: // another Close may wait, too
	default:
	}
	return nil
}

func (m *Manager) done() {
	if m.open.Add(-1) == 0 && m.closing.Load() {
		select {
		case m.idle <- struct{}{}:
		default:
		}
	}
}

// detached is the context of a call that must run to its end: without the
// request's cancellation, with the store's deadline. A local store needs none.
func (m *Manager) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	if m.local {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), m.opt.StoreTimeout)
}

func (m *Manager) save(ctx context.Context, id string, lock Lock, p *payload.Payload) error {
	call, cancel := m.detached(ctx)
	defer cancel()
	err := m.store.Save(call, id, lock, p)
	if err == nil || errors.Is(err, ErrLockLost) || lock.IsZero() {
		return err
	}
	// Whether it was stored or not, the lock must not stay.
	if rerr := m.release(ctx, id, lock); rerr != nil {
		return errors.Join(err, rerr)
	}
	return err
}

// release gives a lock back; one that is lost already needs no giving.
func (m *Manager) release(ctx context.Context, id string, lock Lock) error {
	if lock.IsZero() {
		return nil
	}
	call, cancel := m.detached(ctx)
	defer cancel()
	if err := m.store.Release(call, id, lock); err != nil && !errors.Is(err, ErrLockLost) && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

func (m *Manager) remove(ctx context.Context, id string, lock Lock) error {
	call, cancel := m.detached(ctx)
	defer cancel()
	err := m.store.Remove(call, id, lock)
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

// checkpoint saves and keeps or retakes the lock. changed is the session as
// another writer left it in between, and lostHere where an error also cost the
// lock.
func (m *Manager) checkpoint(ctx context.Context, id string, lock Lock, p *payload.Payload) (held Lock, changed *payload.Payload, err error) {
	if c, ok := m.store.(Checkpointer); ok {
		call, cancel := m.detached(ctx)
		defer cancel()
		if held, err = c.Checkpoint(call, id, lock, m.opt.ExecutionTimeout, p); errors.Is(err, ErrLockLost) {
			changed = lostHere
		}
		return held, changed, err
	}
	saved, err := p.Append(nil)
	if err != nil {
		return lock, nil, err
	}
	if err := m.save(ctx, id, lock, p); err != nil {
		return Lock{}, lostHere, err
	}
	rec, found, err := m.load(context.WithoutCancel(ctx), id, ReadWrite)
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
