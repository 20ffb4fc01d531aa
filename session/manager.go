package session

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/payload"
)

// A Manager opens the sessions of one store and ends them: the life cycle
// without HTTP. It is safe for concurrent use. Close waits for what is open.
type Manager struct {
	store   Store
	local   bool
	opt     Options
	minutes int32
	turns   turns
	touches touches

	open    atomic.Int64 // sessions and background calls under way
	closing atomic.Bool
	idle    chan struct{}
	endless sync.Once // guards the end of SessionEnd
	stopEnd func()
}

// NewManager checks the options: a Timeout outside its range is ErrTimeout, a
// SessionEnd that the store cannot serve ErrUnsupported.
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
	if opt.QueueLimit == 0 {
		opt.QueueLimit = 50
	}
	if opt.IDs == nil {
		opt.IDs = StandardIDs{}
	}
	m := &Manager{store: store, opt: opt, minutes: minutes, idle: make(chan struct{}, 1), stopEnd: func() {}}
	m.turns.init(opt.QueueLimit, min(opt.ExecutionTimeout, opt.WaitTimeout))
	m.touches.init(time.Duration(minutes) * time.Minute)
	if opt.Partition == nil {
		m.local = store.Capabilities().Local
	}
	if opt.SessionEnd != nil {
		ender, tells := store.(Ender)
		if !tells || opt.Partition != nil {
			return nil, fmt.Errorf("%w: SessionEnd needs one store that tells of ended sessions (session.Ender)", ErrUnsupported)
		}
		m.stopEnd = ender.NotifyEnd(opt.SessionEnd)
	}
	return m, nil
}

// at is the store of an id, and whether it is Local.
func (m *Manager) at(id string) (Store, bool) {
	if m.opt.Partition == nil {
		return m.store, m.local
	}
	store := m.opt.Partition(id)
	return store, store.Capabilities().Local
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

// An Opening says how a session is opened.
type Opening struct {
	// ID is canonical, or "" for a visitor without one: he gets a new id and
	// costs no call to the store until something is stored.
	ID     string
	Access Access
	// Known has an id that the store does not have fail with ErrNotFound. Without
	// it such an id is taken as it is, as in ASP.NET, where StrictIDs does not
	// say otherwise: ReadWrite creates the session under it.
	Known bool
	// OnStart is ASP.NET's Session_Start: it is called with a session that is
	// new, before anything else uses it, and what it sets is stored whether the
	// request stores anything itself or not, on a ReadOnly session too. It may
	// use the session until it returns, but not Save, Release, Regenerate or
	// Abandon it. Its error fails the opening, and the session is not left behind:
	// the next request starts it anew. Where a ReadOnly request is told that a
	// session is new, and then cannot have its lock, nobody starts it.
	OnStart func(*Session) error
	// OnID is told of the id that Regenerate gives the session, before anything
	// else happens; its error fails that.
	OnID func(id string) error
	// OnLoad is called with a session that is not new, when it was loaded and
	// before anything else uses it; Filter hides nothing from it. Its error fails
	// the opening.
	OnLoad func(*Session) error
}

// Open is Start with a session of its own.
func (m *Manager) Open(ctx context.Context, id string, access Access) (*Session, error) {
	s := new(Session)
	if err := m.Start(ctx, s, Opening{ID: id, Access: access}); err != nil {
		return nil, err
	}
	return s, nil
}

// Start opens a request's session in s, which must be zero. Whoever opened one
// must call Finish or Discard, once; not after an error.
//
// Lazy makes no call until the session is used, and Disabled none at all; see
// Touch. Cancelling ctx while Start waits ends it with ctx's error and leaves no
// lock behind; a call that is under way to the store comes to its end first, as
// StoreTimeout bounds it. Later it changes nothing.
func (m *Manager) Start(ctx context.Context, s *Session, o Opening) error {
	m.open.Add(1)
	if m.closing.Load() {
		m.done()
		return ErrClosed
	}
	opened := false
	defer func() {
		if !opened { // also where the store panics
			m.done()
		}
	}()
	l := &s.live
	l.m, l.ctx, l.id, l.access, l.known, l.onStart = m, ctx, o.ID, o.Access, o.Known, o.OnStart
	l.onLoad, l.onID = o.OnLoad, o.OnID
	l.measures.Access = o.Access
	switch o.Access {
	case Disabled:
		l.end = ErrDisabled
	case Lazy:
	default:
		l.mu.Lock()
		defer l.mu.Unlock()
		if err := l.ready(); err != nil {
			m.observe(l, err)
			return err
		}
	}
	opened = true
	return nil
}

// Create makes an id and an uninitialized session under it, for a visitor who
// can only be told his id by sending him to another URL.
func (m *Manager) Create(ctx context.Context) (id string, err error) {
	m.open.Add(1)
	defer m.done()
	if m.closing.Load() {
		return "", ErrClosed
	}
	if id, err = m.newID(); err != nil {
		return "", err
	}
	return id, m.create(ctx, id)
}

// NewID makes an id, and nothing in the store.
func (m *Manager) NewID(context.Context) (string, error) { return m.newID() }

func (m *Manager) newID() (string, error) {
	id, err := m.opt.IDs.New()
	if err != nil {
		return "", fmt.Errorf("session: making an id: %w", err)
	}
	return id, nil
}

// prepare tells a session how this site's values map to Go's.
func (m *Manager) prepare(p *payload.Payload) {
	p.Items().SetLocation(m.opt.Location)
	p.Items().SetTypes(m.opt.Types)
}

// Touch renews a session's timeout without opening it. One that is not there is
// no error.
func (m *Manager) Touch(ctx context.Context, id string) error {
	m.open.Add(1)
	defer m.done()
	if m.closing.Load() {
		return ErrClosed
	}
	return m.touch(ctx, id)
}

// Finish ends a session whose handler returned: saved and released in one step
// if it was changed, removed if it was abandoned, released otherwise; a Lazy one
// that nobody used is touched, at most once per twentieth of the timeout, and
// what fails there is ErrNotRenewed. A failed save gives the lock back, and the
// changes are lost. On a session that has ended already it does nothing.
func (m *Manager) Finish(s *Session) error {
	defer m.done()
	err := s.finish(false)
	m.observe(&s.live, err)
	return err
}

// Discard ends a session whose handler failed: nothing is saved, as ASP.NET
// saves nothing after an unhandled error, and the lock is given back.
func (m *Manager) Discard(s *Session) error {
	defer m.done()
	err := s.discard()
	m.observe(&s.live, err)
	return err
}

// observe tells Metrics of a session that ended.
func (m *Manager) observe(l *live, err error) {
	if m.opt.Metrics == nil {
		return
	}
	if l.measures.Err == nil {
		l.measures.Err = err
	}
	m.opt.Metrics.Session(l.ctx, l.measures)
}

// Seal is called once, when the response's headers are about to leave. It stores
// and locks a new session that has something in it; one that has not can start
// no more (ErrHeadersSent). The id must be in the headers if Announce then says so.
func (m *Manager) Seal(s *Session) error { return s.seal() }

// An Announcement is what a response must tell the visitor of his id.
type Announcement uint8

const (
	// Nothing: he knows it, or there is nothing to know.
	Nothing Announcement = iota
	// NewID: the session is stored under an id that he does not know.
	NewID
	// Gone: the session was abandoned, and he knows its id.
	Gone
)

// Announce says what the visitor must be told, now or before Finish.
func (m *Manager) Announce(s *Session) Announcement {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.abandoned && s.fresh:
		return Nothing
	case s.abandoned:
		return Gone
	case s.fresh && s.stored:
		return NewID
	}
	return Nothing
}

// Lease is when the lock that the session holds may be broken by others; held is
// false while it holds none. It never blocks.
func (m *Manager) Lease(s *Session) (end time.Time, held bool) {
	at := s.lease.Load()
	return time.Unix(0, at), at != 0
}

// ExecutionTimeout is how long a lock lasts.
func (m *Manager) ExecutionTimeout() time.Duration { return m.opt.ExecutionTimeout }

// Close refuses new sessions and waits for those that are open, and for locks
// that are still being given back, until ctx ends. SessionEnd is told no more.
// The store stays open.
func (m *Manager) Close(ctx context.Context) error {
	m.closing.Store(true)
	m.endless.Do(m.stopEnd)
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
