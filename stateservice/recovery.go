package stateservice

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

const (
	// touchShare: a renewal is journaled when it moves the expiry by more than
	// this part of the timeout. What is loaded lives longer by as much.
	touchShare = 20
	// Lock cookies are journaled with every Set, and else when they are a
	// multiple of cookieShare, so that cookieGap is more than a crash can lose.
	cookieShare = 1024
	cookieGap   = 65_536
	// While a server runs its journal has an item of this key and a timeout that
	// no request can ask for: found by Load, it tells of a crash. The empty key is
	// none that a request can have.
	runningKey     = ""
	runningTimeout = -1
)

// tell appends a change to the journal, if there is one; expires is its time.
func (e *engine) tell(c Change, expires int64) bool {
	if e.opt.Journal == nil {
		return true
	}
	if expires != never {
		c.Expires = e.time(expires)
	}
	return e.opt.Journal.Append(c) == nil
}

// touch journals what moved of an item besides its content.
func (e *engine) touch(it *item) {
	if e.tell(Change{Kind: Touch, Key: it.key, Timeout: it.timeout, Cookie: it.cookie, Uninitialized: it.fresh}, it.expires) {
		it.told = it.expires
	}
}

// load fills an empty engine from its journal.
func (e *engine) load() error {
	crashed := false
	now := e.now()
	err := e.opt.Journal.Load(func(r Record) error {
		switch {
		case r.Timeout == runningTimeout:
			crashed = true
			return nil
		case r.Timeout < 0, r.Timeout > maxTimeout, !r.Grave && r.Cookie < 1:
			return errors.New("an item whose timeout or lock cookie cannot be")
		}
		e.restore(r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("stateservice: loading the journal: %w", err)
	}
	if crashed {
		// What was made and locked in the last moments may be forgotten: a lock
		// that is taken on one made anew is none that there was.
		e.first = cookieGap + rand.Int32N(math.MaxInt32/2)
		e.firstUntil = now + int64(graveTime)
	}
	if err := e.opt.Journal.Append(Change{Kind: Put, Key: runningKey, Timeout: runningTimeout}); err != nil {
		return fmt.Errorf("stateservice: the journal takes nothing: %w", err)
	}
	if err := e.opt.Journal.Sync(); err != nil {
		return fmt.Errorf("stateservice: the journal takes nothing: %w", err)
	}
	return nil
}

// restore takes an item or grave in. Limits do not keep out what is stored.
func (e *engine) restore(r Record) {
	it := &item{key: r.Key, timeout: r.Timeout, grave: r.Grave, expires: never, cookie: math.MaxInt32 - 1}
	if r.Cookie < it.cookie-cookieGap {
		it.cookie = r.Cookie + cookieGap
	}
	if !r.Expires.IsZero() {
		it.expires = int64(r.Expires.Sub(e.epoch))
	}
	if !r.Grave {
		it.body, it.fresh = r.Body, r.Uninitialized
		if it.told = it.expires; it.expires != never {
			it.expires += int64(it.timeout) * int64(time.Minute) / touchShare
		}
		e.items.Add(1)
		e.bytes.Add(int64(len(it.body)))
	}
	sh := e.shard([]byte(r.Key))
	sh.items[it.key] = it
	sh.wheel.add(it)
}

// closeJournal makes all durable, and the next start know that nothing is lost.
func (e *engine) closeJournal() error {
	if e.opt.Journal == nil {
		return nil
	}
	err := e.opt.Journal.Append(Change{Kind: Remove, Key: runningKey})
	if err = errors.Join(err, e.opt.Journal.Sync()); err != nil {
		return fmt.Errorf("stateservice: closing the journal: %w", err)
	}
	return nil
}
