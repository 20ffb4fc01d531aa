package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// Capabilities implements session.Store.
func (s *Store) Capabilities() session.Capabilities {
	return session.Capabilities{
		ExactExpiry: true, StaleSave: true, NewConflict: true,
		EmptySessions: true, NullItems: !s.layout.hash(),
	}
}

// A call is one script on one session.
type call struct {
	s    *Store
	op   string
	keys []string
}

func (s *Store) call(op, id string) call { return call{s, op, s.layout.keys(s.opt.App, id)} }

func (c call) run(ctx context.Context, script *goredis.Script, args ...any) (any, error) {
	reply, err := script.Run(ctx, c.s.client, c.keys, args...).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		if cluster, ok := c.s.client.(*goredis.ClusterClient); ok {
			// The client looks for a new master by itself only after a redirection,
			// or a minute; a dead master redirects nobody.
			cluster.ReloadState(context.WithoutCancel(ctx))
		}
		return nil, c.fail(c.s.typeHint(ctx, c.keys, err), classify(ctx, err))
	}
	return reply, nil
}

// list is run for scripts that reply with an array that starts with a number.
func (c call) list(ctx context.Context, script *goredis.Script, args ...any) (code int64, rest []any, err error) {
	reply, err := c.run(ctx, script, args...)
	if err != nil {
		return 0, nil, err
	}
	if list, ok := reply.([]any); ok && len(list) > 0 {
		if code, ok := list[0].(int64); ok {
			return c.heard(code), list[1:], nil
		}
	}
	return 0, nil, c.fail("", fmt.Errorf("%w: an unexpected reply to a script", session.ErrUnavailable))
}

func (c call) code(ctx context.Context, script *goredis.Script, args ...any) (int64, error) {
	reply, err := c.run(ctx, script, args...)
	if err != nil {
		return 0, err
	}
	code, ok := reply.(int64)
	if !ok {
		return 0, c.fail("", fmt.Errorf("%w: an unexpected reply to a script", session.ErrUnavailable))
	}
	return c.heard(code), nil
}

// heard notes that a release could not be published.
func (c call) heard(code int64) int64 {
	if code >= replyMute {
		c.s.silence(errors.New("the script may not publish"))
		code -= replyMute
	}
	return code
}

func (c call) fail(looks string, err error) error {
	return &Error{c.op, hashKey(c.keys[1]), c.s.layout, looks, err}
}

// channel is where a session's releases are told: its lock's key, so that one
// pattern serves for the user's rights on keys and channels.
func (c call) channel() string {
	if c.s.mute.Load() {
		return ""
	}
	return c.keys[0]
}

func (s *Store) fallback() int64 { return int64(s.minutes) * 60 }

// seconds rounds a lease up: Redis's pages count whole seconds.
func seconds(d time.Duration) int64 { return int64(max((d+time.Second-1)/time.Second, 1)) }

// Get implements session.Store.
func (s *Store) Get(ctx context.Context, id string) (session.Record, error) {
	rec, err := s.get(ctx, id)
	if !s.opt.ReadFallback || !errors.Is(err, session.ErrNotFound) {
		return rec, err
	}
	for _, l := range layouts {
		if l == s.layout || l == LayoutA && s.cluster {
			continue
		}
		if rec, ferr := s.view(l).get(ctx, id); !errors.Is(ferr, session.ErrNotFound) {
			return rec, ferr
		}
	}
	return rec, err
}

func (s *Store) get(ctx context.Context, id string) (session.Record, error) {
	c := s.call("get", id)
	code, rest, err := c.list(ctx, s.scripts.get, s.fallback())
	if err != nil {
		return session.Record{}, err
	}
	return c.record(code, rest)
}

// Acquire implements session.Store. The lock lives for lease, rounded up to
// seconds.
func (s *Store) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	c := s.call("acquire", id)
	lock, first := newLock(s.now(), lease), newLock(s.now(), lease)
	code, rest, err := c.list(ctx, s.scripts.acquire, s.fallback(), lock, seconds(lease), first)
	if err != nil {
		return session.Record{}, err
	}
	if code == 0 && len(rest) == 3 && rest[1] == int64(1) {
		lock = first
	}
	rec, err := c.record(code, rest)
	if err == nil {
		rec.Lock = session.TextLock(lock)
	} else if code == 0 {
		// Nobody will use it. If this fails, its TTL ends it.
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = s.Release(call, id, session.TextLock(lock))
	}
	return rec, err
}

// record reads what get and acquire reply.
func (c call) record(code int64, rest []any) (session.Record, error) {
	switch {
	case code == replyMissing:
		return session.Record{}, c.fail("", session.ErrNotFound)
	case code == replyLocked:
		return session.Record{}, c.locked(rest)
	case code != 0 || len(rest) != 3:
		return session.Record{}, c.fail("", fmt.Errorf("%w: an unexpected reply to a script", session.ErrUnavailable))
	}
	var rec session.Record
	minutes, err := c.s.minutesOf(rest[0])
	if err == nil {
		if fields, ok := rest[2].([]any); ok {
			rec.Payload, err = c.s.openFields(fields, minutes)
		} else {
			blob, _ := rest[2].(string)
			rec.Payload, err = openBlob(blob, minutes, c.s.opt.Limits)
			if err != nil {
				err = &fieldError{"", looks(blob), err}
			}
		}
		rec.Uninitialized = rest[1] == int64(1)
	}
	if err != nil {
		seems := ""
		if f, ok := errors.AsType[*fieldError](err); ok {
			if seems = f.looks; f.name == "" {
				err = f.err
			}
		}
		return session.Record{}, c.fail(seems, fmt.Errorf("%w: %w", session.ErrBadData, err))
	}
	return rec, nil
}

// locked reads holder and milliseconds left.
func (c call) locked(rest []any) error {
	if len(rest) != 2 {
		return c.fail("", fmt.Errorf("%w: an unexpected reply to a script", session.ErrUnavailable))
	}
	holder, _ := rest[0].(string)
	left, _ := rest[1].(int64)
	age := c.s.lockAge(holder, time.Duration(left)*time.Millisecond)
	return c.fail("", &session.LockedError{Holder: session.TextLock(holder), Age: age})
}

// Create implements session.Store.
func (s *Store) Create(ctx context.Context, id string, timeout time.Duration) error {
	c := s.call("create", id)
	minutes := min(max((timeout+time.Minute-1)/time.Minute, 1), maxMinutes)
	args := []any{s.fallback(), "", int64(minutes) * 60, "new", "0", ""}
	if !s.layout.hash() {
		args = append(args, uninitializedBlob)
	} else {
		args = append(args, "1", 0, flagName, s.flagInit)
	}
	_, err := c.code(ctx, s.scripts.create, args...)
	return err
}

// Save implements session.Store. In layouts A and B only fields that changed
// travel, unless the session is new.
func (s *Store) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	return s.save(ctx, s.call("save", id), lock.Text(), lock.IsZero(), 0, p)
}

// Checkpoint implements session.Checkpointer.
func (s *Store) Checkpoint(ctx context.Context, id string, lock session.Lock, lease time.Duration, p *payload.Payload) (session.Lock, error) {
	held := lock
	if lock.IsZero() {
		held = session.TextLock(newLock(s.now(), lease))
	}
	if err := s.save(ctx, s.call("checkpoint", id), held.Text(), lock.IsZero(), seconds(lease), p); err != nil {
		return lock, err
	}
	return held, nil
}

func (s *Store) save(ctx context.Context, c call, lock string, isNew bool, keep int64, p *payload.Payload) error {
	// A stored timeout that nobody changed stays as it is, to the second.
	mode, timeout := "held", any("")
	if isNew {
		mode = "new"
	}
	if isNew || p.TimeoutChanged() {
		timeout = secondsOf(p)
	}
	args, err := s.content([]any{int64(max(p.Timeout(), 1)) * 60, lock, timeout, mode, keep, c.channel()}, p, isNew)
	if err != nil {
		return c.fail("", err)
	}
	code, err := c.code(ctx, s.scripts.save, args...)
	if err != nil {
		return err
	}
	return c.status(code, session.ErrGone)
}

// status is the error of a reply; missing is what a missing session means.
func (c call) status(code int64, missing error) error {
	switch code {
	case 0:
		return nil
	case replyMissing:
		return c.fail("", missing)
	case replyLost:
		return c.fail("", session.ErrLockLost)
	case replyExists:
		return c.fail("", session.ErrExists)
	}
	return c.fail("", fmt.Errorf("%w: an unexpected reply to a script", session.ErrUnavailable))
}

// Release implements session.Store.
func (s *Store) Release(ctx context.Context, id string, lock session.Lock) error {
	c := s.call("release", id)
	code, err := c.code(ctx, s.scripts.release, s.fallback(), lock.Text(), c.channel())
	if err != nil {
		return err
	}
	return c.status(code, session.ErrGone)
}

// Remove implements session.Store.
func (s *Store) Remove(ctx context.Context, id string, lock session.Lock) error {
	c := s.call("remove", id)
	code, rest, err := c.list(ctx, s.scripts.remove, s.fallback(), lock.Text(), c.channel())
	if err != nil {
		return err
	}
	if code == replyLocked {
		return c.locked(rest)
	}
	return c.status(code, session.ErrNotFound)
}

// Touch implements session.Store.
func (s *Store) Touch(ctx context.Context, id string) error {
	c := s.call("touch", id)
	code, err := c.code(ctx, s.scripts.touch, s.fallback())
	if err != nil {
		return err
	}
	return c.status(code, session.ErrNotFound)
}

// Renew implements session.Renewer. A lock's age is what its life so far left
// of the execution timeout, so that a renewed lock is young again to Go; to pages
// it never grows old.
func (s *Store) Renew(ctx context.Context, id string, lock session.Lock, lease time.Duration) error {
	c := s.call("renew", id)
	code, err := c.code(ctx, s.scripts.renew, s.fallback(), lock.Text(), seconds(lease))
	if err != nil {
		return err
	}
	return c.status(code, session.ErrGone)
}
