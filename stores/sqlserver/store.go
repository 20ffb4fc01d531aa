package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// Capabilities implements session.Store.
func (s *Store) Capabilities() session.Capabilities {
	return session.Capabilities{NewConflict: true, EmptySessions: true, NullItems: true, StaticObjects: true}
}

// at is the binding and the row's key.
func (s *Store) at(ctx context.Context, id string) (*binding, string, error) {
	b, err := s.bind(ctx)
	if err != nil {
		return nil, "", err
	}
	key, err := b.key(id)
	return b, key, err
}

// Get implements session.Store.
func (s *Store) Get(ctx context.Context, id string) (session.Record, error) {
	return s.read(ctx, id, false, 0)
}

// Acquire implements session.Store. Locks do not expire in the database; the
// lease only says from when on a save looks first. Where the connection is lost
// the call is repeated, and if the first one took the lock, the second finds it
// locked: ErrLocked, until others break the lock by its age.
func (s *Store) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	return s.read(ctx, id, true, lease)
}

func (s *Store) read(ctx context.Context, id string, exclusive bool, lease time.Duration) (session.Record, error) {
	b, key, err := s.at(ctx, id)
	if err != nil {
		return session.Record{}, err
	}
	r, _, err := s.fetch(ctx, func(r *row) statement { return b.read(r, key, exclusive) }, key)
	if err != nil {
		return session.Record{}, err
	}
	if err := r.state(); err != nil {
		return session.Record{}, err
	}
	var rec session.Record
	if exclusive {
		rec.Lock = session.NumberLock(int64(r.cookie.Int32))
	}
	if rec.Payload, err = s.open(r.blob()); err != nil {
		if exclusive {
			s.giveBack(ctx, id, rec.Lock)
		}
		names, _ := b.tables()
		return session.Record{}, s.target.wrap(session.ErrBadData, names[0], err, key)
	}
	if exclusive {
		s.held.add(id, rec.Lock, lease)
	}
	rec.Uninitialized = r.action.Int32&1 != 0
	return rec, nil
}

// state is the error of a row that is not there or locked.
func (r *row) state() error {
	switch {
	case !r.locked.Valid:
		return session.ErrNotFound
	case r.locked.Bool:
		age := time.Duration(max(r.age.Int32, 0)) * time.Second
		if age > 365*24*time.Hour {
			age = 0 // ASP.NET's client: what is that old is senseless
		}
		return &session.LockedError{Holder: session.NumberLock(int64(r.cookie.Int32)), Age: age}
	}
	return nil
}

// open decodes a payload, and names the likeliest reason where it cannot.
func (s *Store) open(blob []byte) (*payload.Payload, error) {
	if len(blob) == 0 {
		return nil, errors.New("the row has no payload; remove it, or restore it from a backup")
	}
	read, other := payload.Open, payload.OpenDeflate
	if s.opt.Compress {
		read, other = other, read
	}
	p, err := read(blob, s.opt.Limits)
	if err == nil {
		return p, nil
	}
	if _, otherErr := other(blob, s.opt.Limits); otherErr == nil {
		return nil, fmt.Errorf("%w (with Compress %v it can be read: it must be as compressionEnabled in web.config)", err, !s.opt.Compress)
	}
	return nil, fmt.Errorf("%w (`aspstate inspect` shows what is in the bytes, `aspstate sql check` whether the columns are as they should be)", err)
}

// giveBack releases a lock that nobody will use, though ctx may be over. Where
// that fails its age will break it.
func (s *Store) giveBack(ctx context.Context, id string, lock session.Lock) {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_ = s.Release(call, id, lock)
}

// Create implements session.Store.
func (s *Store) Create(ctx context.Context, id string, timeout time.Duration) error {
	b, key, err := s.at(ctx, id)
	if err != nil {
		return err
	}
	p := payload.New(int32((timeout+time.Minute-1)/time.Minute), s.opt.Limits)
	return s.encode(p, func(blob []byte) error {
		_, _, err := s.exec(ctx, b.insert(key, blob, minutes(p), true), key)
		if duplicate(err) {
			return nil
		}
		return err
	})
}

// minutes is the row's Timeout: a frame can hold any int32.
func minutes(p *payload.Payload) int32 { return min(max(p.Timeout(), 1), 525_600) }

// encode runs f on the bytes to store, which live no longer.
func (s *Store) encode(p *payload.Payload, f func(blob []byte) error) error {
	if err := s.opt.Limits.Allow(p); err != nil {
		return fmt.Errorf("%w: %w", session.ErrUnsupported, err)
	}
	scratch := blobs.Get().(*[]byte)
	defer blobs.Put(scratch)
	blob, err := (*scratch)[:0], error(nil)
	if s.opt.Compress {
		blob, err = p.AppendDeflate(blob)
	} else {
		blob, err = p.Append(blob)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", session.ErrUnsupported, err)
	}
	if cap(blob) <= 1<<20 {
		*scratch = blob
	}
	return f(blob)
}

var blobs = sync.Pool{New: func() any { return new([]byte) }}

// Save implements session.Store.
func (s *Store) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	b, key, err := s.at(ctx, id)
	if err != nil {
		return err
	}
	return s.encode(p, func(blob []byte) error {
		if lock.IsZero() {
			return s.saveNew(ctx, b, key, blob, minutes(p))
		}
		if age, overdue := s.held.take(id, lock); overdue {
			if err := s.stillOurs(ctx, b, key, lock, age); err != nil {
				return err
			}
		}
		update := b.update(key, blob, minutes(p), int32(lock.Number()))
		rows, unsure, err := s.exec(ctx, update, key)
		if err != nil || rows > 0 {
			return err
		}
		err = s.whose(ctx, b, key, lock)
		if err != nil && unsure {
			return s.unknown(update, err)
		}
		return err
	})
}

func (s *Store) saveNew(ctx context.Context, b *binding, key string, blob []byte, minutes int32) error {
	insert := b.insert(key, blob, minutes, false)
	_, unsure, err := s.exec(ctx, insert, key)
	switch {
	case duplicate(err) && unsure:
		return s.unknown(insert, session.ErrExists)
	case duplicate(err):
		return session.ErrExists
	}
	return err
}

// unknown is the error of a save whose connection was lost, and whose repetition
// then met a changed row: perhaps it changed it itself.
func (s *Store) unknown(st statement, met error) error {
	return s.target.wrap(session.ErrUnavailable, st.object, fmt.Errorf("the connection was lost and the call repeated, which met: %v; whether the session was stored is not known", met))
}

// stillOurs looks whether a lock that was held for long is still held. The age
// tells it from one that another took on a session made anew, whose cookies start
// over.
func (s *Store) stillOurs(ctx context.Context, b *binding, key string, lock session.Lock, age time.Duration) error {
	r, err := s.look(ctx, b, key)
	switch {
	case err != nil:
		return err
	case !r.locked.Valid:
		return session.ErrGone
	case !r.locked.Bool, int64(r.cookie.Int32) != lock.Number(), time.Duration(r.age.Int32+2)*time.Second < age:
		return session.ErrLockLost
	}
	return nil
}

// whose looks at a row of which a call under a lock counted nothing. A row with
// that lock's cookie it must have met: the server does not count (NOCOUNT).
func (s *Store) whose(ctx context.Context, b *binding, key string, lock session.Lock) error {
	r, err := s.look(ctx, b, key)
	switch {
	case err != nil:
		return err
	case !r.locked.Valid:
		return session.ErrGone
	case int64(r.cookie.Int32) != lock.Number():
		return session.ErrLockLost
	}
	return nil
}

// look reads a row for a holder that came late. Where a session was made anew the
// read took from whoever comes next the news that it is uninitialized: it is made
// once more, and if that fails the next request makes it.
func (s *Store) look(ctx context.Context, b *binding, key string) (row, error) {
	r, _, err := s.fetch(ctx, func(r *row) statement { return b.read(r, key, false) }, key)
	if err != nil || !r.locked.Valid || r.locked.Bool || r.action.Int32&1 == 0 {
		return r, err
	}
	p, err := s.open(r.blob())
	if err != nil {
		return r, nil // who reads it is told
	}
	if _, _, err = s.exec(ctx, b.remove(key, r.cookie.Int32), key); err == nil {
		_, _, err = s.exec(ctx, b.insert(key, r.blob(), minutes(p), true), key)
	}
	if duplicate(err) {
		err = nil // another made it, or took it before it was removed
	}
	return r, err
}

// Release implements session.Store. A lock that was broken and that nobody took
// since is released again, and that is no error.
func (s *Store) Release(ctx context.Context, id string, lock session.Lock) error {
	s.held.drop(id, lock)
	b, key, err := s.at(ctx, id)
	if err != nil {
		return err
	}
	rows, _, err := s.exec(ctx, b.release(key, int32(lock.Number())), key)
	if err != nil || rows > 0 {
		return err
	}
	return s.whose(ctx, b, key, lock)
}

// Remove implements session.Store.
func (s *Store) Remove(ctx context.Context, id string, lock session.Lock) error {
	age, overdue := s.held.take(id, lock)
	b, key, err := s.at(ctx, id)
	if err != nil {
		return err
	}
	if lock.IsZero() {
		return s.removeFree(ctx, b, key)
	}
	if overdue {
		if err := s.stillOurs(ctx, b, key, lock, age); errors.Is(err, session.ErrGone) {
			return session.ErrNotFound
		} else if err != nil {
			return err
		}
	}
	return s.remove(ctx, b, key, lock)
}

func (s *Store) remove(ctx context.Context, b *binding, key string, lock session.Lock) error {
	rows, _, err := s.exec(ctx, b.remove(key, int32(lock.Number())), key)
	if err != nil || rows > 0 {
		return err
	}
	if err = s.whose(ctx, b, key, lock); errors.Is(err, session.ErrGone) {
		return session.ErrNotFound
	}
	return err
}

// removeFree removes a session that nobody holds: whoever takes its lock between
// the look and the removal changes the cookie.
func (s *Store) removeFree(ctx context.Context, b *binding, key string) error {
	for {
		r, _, err := s.fetch(ctx, func(r *row) statement { return b.read(r, key, false) }, key)
		if err == nil {
			err = r.state()
		}
		if err != nil {
			return err
		}
		err = s.remove(ctx, b, key, session.NumberLock(int64(r.cookie.Int32)))
		if !errors.Is(err, session.ErrLockLost) {
			return err
		}
	}
}

// Touch implements session.Store. A server that counts no rows (NOCOUNT) has every
// session not found, renewed or not.
func (s *Store) Touch(ctx context.Context, id string) error {
	b, key, err := s.at(ctx, id)
	if err != nil {
		return err
	}
	rows, _, err := s.exec(ctx, b.touch(key), key)
	if err == nil && rows == 0 {
		return session.ErrNotFound
	}
	return err
}
