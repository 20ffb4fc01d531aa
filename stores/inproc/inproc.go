// Package inproc keeps sessions in this process's memory, as ASP.NET's InProc
// mode does, behind the same contract as the shared stores: locks, sliding
// expiry, uninitialized items, stored bytes. It is the store for a site of one
// process, for development and for tests.
//
//	store := inproc.New(inproc.Options{})
//	defer store.Close()
//
// # What it promises
//
// A session is kept as the bytes of its frame: what a handler does to a value
// after Set changes nothing, and two requests share nothing but those bytes.
// Lock tokens are never used twice, so every stale save is ErrLockLost, and
// ErrGone where the session is gone. Expiry is exact. Waiters are woken by the
// release. Everything is lost when the process ends.
//
// # Terms and cost
//
// The map is split into shards, each with its own mutex. Reading copies no
// payload; saving makes one copy. One goroutine sweeps expired sessions, shard
// by shard, until Close.
package inproc

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// Options of a Store. The zero value is useful.
type Options struct {
	// SweepInterval is how often expired sessions are looked for; until then an
	// expired session that nobody asks for takes memory. Default 20 s, as in
	// ASP.NET's cache. Negative: never, for who calls Sweep himself.
	SweepInterval time.Duration
	// Limits bound each session. Defaults as in package payload.
	Limits payload.Limits
	// Now is the clock, for tests. Default time.Now.
	Now func() time.Time
}

const shardCount = 64 // a power of two

// A Store is a session.Store in memory; it is also a session.Waiter,
// Checkpointer, Lister and Ender. Make it with New.
type Store struct {
	opt    Options
	seed   maphash.Seed
	shards [shardCount]shard
	tokens atomic.Int64 // the last lock token given out
	stop   chan struct{}
	done   chan struct{}
	once   sync.Once

	listening sync.Mutex // guards the writing of listeners
	listeners atomic.Pointer[[]*listener]
}

type listener struct {
	f func(id string, reason session.EndReason, p *payload.Payload)
}

type shard struct {
	mu    sync.Mutex // guards items and every item in it
	items map[string]*item
	_     [40]byte // a cache line each
}

// An item's data is never written again once it is here: readers share it.
type item struct {
	data    []byte
	expires time.Time
	timeout time.Duration
	lock    int64 // 0: unlocked
	locked  time.Time
	fresh   bool          // uninitialized
	freed   chan struct{} // closed at the next release; nil while nobody waits
}

// New makes an empty store and starts its sweeper.
func New(opt Options) *Store {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.SweepInterval == 0 {
		opt.SweepInterval = 20 * time.Second
	}
	s := &Store{opt: opt, seed: maphash.MakeSeed(), stop: make(chan struct{}), done: make(chan struct{})}
	for i := range s.shards {
		s.shards[i].items = make(map[string]*item)
	}
	if opt.SweepInterval < 0 {
		close(s.done)
		return s
	}
	go s.sweeper()
	return s
}

// Close stops the sweeper and waits for it. The store can still be used.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.stop) })
	<-s.done
	return nil
}

// Capabilities implements session.Store.
func (s *Store) Capabilities() session.Capabilities {
	return session.Capabilities{
		Local: true, ExactExpiry: true, StaleSave: true, NewConflict: true,
		EmptySessions: true, NullItems: true, StaticObjects: true,
	}
}

func (s *Store) shard(id string) *shard {
	return &s.shards[maphash.String(s.seed, id)&(shardCount-1)]
}

// find returns a live item and renews it, under the shard's lock. One that has
// expired is taken out and returned as dead, for ended.
func (s *Store) find(sh *shard, id string, now time.Time) (live, dead *item) {
	it := sh.items[id]
	if it == nil {
		return nil, nil
	}
	if !now.Before(it.expires) {
		sh.drop(id, it)
		return nil, it
	}
	it.expires = now.Add(it.timeout)
	return it, nil
}

// drop takes an item out and wakes who waits for it.
func (sh *shard) drop(id string, it *item) {
	delete(sh.items, id)
	it.free()
}

// free unlocks and wakes.
func (it *item) free() {
	it.lock = 0
	if it.freed != nil {
		close(it.freed)
		it.freed = nil
	}
}

// NotifyEnd implements session.Ender: Session_End. f runs on the sweeper's
// goroutine or on that of the request that met the expired session; a slow one
// delays those. Close does not end sessions.
func (s *Store) NotifyEnd(f func(id string, reason session.EndReason, p *payload.Payload)) (stop func()) {
	l := &listener{f}
	s.listen(func(all []*listener) []*listener { return append(all, l) })
	return func() {
		s.listen(func(all []*listener) []*listener {
			return slices.DeleteFunc(all, func(x *listener) bool { return x == l })
		})
	}
}

func (s *Store) listen(edit func([]*listener) []*listener) {
	s.listening.Lock()
	defer s.listening.Unlock()
	var all []*listener
	if p := s.listeners.Load(); p != nil {
		all = slices.Clone(*p)
	}
	all = edit(all)
	s.listeners.Store(&all)
}

// ended tells the listeners, outside the shard's lock.
func (s *Store) ended(id string, it *item, reason session.EndReason) {
	all := s.listeners.Load()
	if it == nil || all == nil {
		return
	}
	for _, l := range *all {
		p, err := payload.Open(it.data, s.opt.Limits)
		if err != nil {
			p = nil // only Load can have put such bytes here
		}
		l.f(id, reason, p)
	}
}

func lockedError(it *item, now time.Time) error {
	return &session.LockedError{Holder: session.NumberLock(it.lock), Age: now.Sub(it.locked)}
}

// Get implements session.Store.
func (s *Store) Get(ctx context.Context, id string) (session.Record, error) {
	return s.read(ctx, id, false)
}

// Acquire implements session.Store. Locks have no lease here: a waiter breaks
// the old ones.
func (s *Store) Acquire(ctx context.Context, id string, _ time.Duration) (session.Record, error) {
	return s.read(ctx, id, true)
}

func (s *Store) read(ctx context.Context, id string, acquire bool) (session.Record, error) {
	if err := context.Cause(ctx); err != nil {
		return session.Record{}, err
	}
	sh := s.shard(id)
	sh.mu.Lock()
	now := s.opt.Now()
	it, dead := s.find(sh, id, now)
	if it == nil || it.lock != 0 {
		err := session.ErrNotFound
		if it != nil {
			err = lockedError(it, now)
		}
		sh.mu.Unlock()
		s.ended(id, dead, session.Expired)
		return session.Record{}, err
	}
	var rec session.Record
	if acquire {
		it.lock, it.locked = s.tokens.Add(1), now
		rec.Lock = session.NumberLock(it.lock)
	}
	rec.Uninitialized = it.fresh
	it.fresh = false
	data := it.data
	sh.mu.Unlock()

	p, err := payload.Open(data, s.opt.Limits)
	if err != nil {
		if acquire {
			_ = s.Release(ctx, id, rec.Lock)
		}
		return session.Record{}, fmt.Errorf("%w: %w", session.ErrBadData, err)
	}
	rec.Payload = p
	return rec, nil
}

// Create implements session.Store.
func (s *Store) Create(ctx context.Context, id string, timeout time.Duration) error {
	p := payload.New(int32((timeout+time.Minute-1)/time.Minute), s.opt.Limits)
	data, err := p.Append(nil)
	if err != nil {
		return err
	}
	_, err = s.put(ctx, id, session.Lock{}, p, data, mode{uninitialized: true})
	return err
}

// Load puts the bytes of a frame in place of whatever there is: a session from
// elsewhere, a test's vector. It is unlocked then, and whoever held the old one's
// lock has lost it. The bytes must be a session, else ErrBadData. It keeps data.
func (s *Store) Load(id string, data []byte) error {
	p, err := payload.Open(data, s.opt.Limits)
	if err != nil {
		return fmt.Errorf("%w: %w", session.ErrBadData, err)
	}
	_, err = s.put(context.Background(), id, session.Lock{}, p, data, mode{force: true})
	return err
}

// Bytes returns the stored frame and reports whether there is one. Read only; it
// renews nothing and asks for no lock.
func (s *Store) Bytes(id string) (data []byte, ok bool) {
	sh := s.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := sh.items[id]
	if it == nil || !s.opt.Now().Before(it.expires) {
		return nil, false
	}
	return it.data, true
}

// Save implements session.Store.
func (s *Store) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	_, err := s.save(ctx, id, lock, p, mode{})
	return err
}

// Checkpoint implements session.Checkpointer.
func (s *Store) Checkpoint(ctx context.Context, id string, lock session.Lock, _ time.Duration, p *payload.Payload) (session.Lock, error) {
	return s.save(ctx, id, lock, p, mode{keepLock: true})
}

func (s *Store) save(ctx context.Context, id string, lock session.Lock, p *payload.Payload, how mode) (session.Lock, error) {
	if err := s.opt.Limits.Allow(p); err != nil {
		return session.Lock{}, fmt.Errorf("%w: %w", session.ErrUnsupported, err)
	}
	data, err := p.Append(make([]byte, 0, p.Size()))
	if err != nil {
		return session.Lock{}, fmt.Errorf("%w: %w", session.ErrUnsupported, err)
	}
	return s.put(ctx, id, lock, p, data, how)
}

// mode tells the four ways of storing apart; the zero mode is Save.
type mode struct {
	uninitialized bool // Create: only if there is none, and that is fine
	keepLock      bool // Checkpoint
	force         bool // Load: whatever there is
}

func (s *Store) put(ctx context.Context, id string, lock session.Lock, p *payload.Payload, data []byte, how mode) (session.Lock, error) {
	if err := context.Cause(ctx); err != nil {
		return session.Lock{}, err
	}
	sh := s.shard(id)
	sh.mu.Lock()
	now := s.opt.Now()
	it, dead := s.find(sh, id, now)
	defer s.ended(id, dead, session.Expired)
	defer sh.mu.Unlock()
	switch {
	case how.force:
	case how.uninitialized && it != nil:
		return session.Lock{}, nil
	case lock.IsZero() && it != nil:
		return session.Lock{}, session.ErrExists
	case !lock.IsZero() && it == nil:
		return session.Lock{}, session.ErrGone
	case !lock.IsZero() && it.lock != lock.Number():
		return session.Lock{}, session.ErrLockLost
	}
	if it == nil {
		it = new(item)
		sh.items[id] = it
	}
	it.data, it.fresh = data, how.uninitialized
	// What a frame says may be senseless; a session in memory lives a minute at
	// least and a year at most.
	it.timeout = time.Duration(min(max(p.Timeout(), 1), 525_600)) * time.Minute
	it.expires = now.Add(it.timeout)
	if !how.keepLock {
		it.free()
		return session.Lock{}, nil
	}
	if it.lock == 0 {
		it.lock, it.locked = s.tokens.Add(1), now
	}
	return session.NumberLock(it.lock), nil
}

// Release implements session.Store.
func (s *Store) Release(ctx context.Context, id string, lock session.Lock) error {
	return s.under(id, func(_ *shard, it *item, _ time.Time) error {
		if lock.IsZero() || it.lock != lock.Number() {
			return session.ErrLockLost
		}
		it.free()
		return nil
	}, session.ErrGone)
}

// Remove implements session.Store.
func (s *Store) Remove(ctx context.Context, id string, lock session.Lock) error {
	var gone *item
	err := s.under(id, func(sh *shard, it *item, now time.Time) error {
		switch {
		case it.lock == lock.Number():
		case lock.IsZero():
			return lockedError(it, now)
		default:
			return session.ErrLockLost
		}
		sh.drop(id, it)
		gone = it
		return nil
	}, session.ErrNotFound)
	s.ended(id, gone, session.Removed)
	return err
}

// Touch implements session.Store.
func (s *Store) Touch(ctx context.Context, id string) error {
	return s.under(id, func(*shard, *item, time.Time) error { return nil }, session.ErrNotFound)
}

// under runs f on a live item, which it renews; missing is the error for none.
func (s *Store) under(id string, f func(*shard, *item, time.Time) error, missing error) error {
	sh := s.shard(id)
	sh.mu.Lock()
	now := s.opt.Now()
	it, dead := s.find(sh, id, now)
	err := missing
	if it != nil {
		err = f(sh, it, now)
	}
	sh.mu.Unlock()
	s.ended(id, dead, session.Expired)
	return err
}

// Wait implements session.Waiter.
func (s *Store) Wait(ctx context.Context, id string, holder session.Lock, max time.Duration) error {
	sh := s.shard(id)
	sh.mu.Lock()
	it := sh.items[id]
	if it == nil || it.lock == 0 || it.lock != holder.Number() {
		sh.mu.Unlock()
		return nil
	}
	if it.freed == nil {
		it.freed = make(chan struct{})
	}
	freed := it.freed
	sh.mu.Unlock()
	t := time.NewTimer(max)
	defer t.Stop()
	select {
	case <-freed:
		return nil
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// List implements session.Lister, one shard at a time.
func (s *Store) List(ctx context.Context, yield func(session.Info) bool) error {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		now := s.opt.Now()
		infos := make([]session.Info, 0, len(sh.items))
		for id, it := range sh.items {
			if !now.Before(it.expires) {
				continue
			}
			info := session.Info{ID: id, Size: len(it.data), Expires: it.expires.Sub(now), Uninitialized: it.fresh}
			if it.lock != 0 {
				info.Lock, info.LockAge = session.NumberLock(it.lock), now.Sub(it.locked)
			}
			infos = append(infos, info)
		}
		sh.mu.Unlock()
		for _, info := range infos {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if !yield(info) {
				return nil
			}
		}
	}
	return nil
}
