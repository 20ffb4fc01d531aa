package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aspsession/aspsession/payload"
)

// A Session is what a handler holds: the visitor's session state, shared with
// the ASP.NET pages of the site. It lives as long as its request and is safe for
// the goroutines of one handler. After Release every method that may fail
// returns ErrReleased.
//
// Every method that may touch the store or decode a value returns an error:
// a session that cannot be read is never taken for an empty one.
type Session struct{ live }

// ID is the id in the visitor's cookie or URL: a bearer secret. A new session
// has one at once, though the visitor learns of it only when something is
// stored. It is "" where a custom IDs could not make one, and may still change
// until a Lazy session is used under StrictIDs.
func (s *Session) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == "" && s.m != nil && s.access != Disabled {
		_ = s.ready() // who asks for an id wants the session
		_ = s.ident()
	}
	return s.id
}

// IsNew reports that the store did not have the session, or had it uninitialized:
// exactly when ASP.NET runs Session_Start. A Lazy session is loaded for it; false
// where that fails.
func (s *Session) IsNew() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.ready()
	return s.loaded && s.isNew
}

// ReadOnly reports that changes are refused with ErrReadOnly.
func (s *Session) ReadOnly() bool { return s.live.access == ReadOnly }

// Get returns a copy of an item's value as package payload's table of types has
// it; nil without an error where there is no such item, as in ASP.NET, or where
// it holds null. Names are compared without case. See [Value] for typed access.
func (s *Session) Get(key string) (any, error) { return s.get(key) }

// Has reports whether there is an item of this name, null or not.
func (s *Session) Has(key string) (bool, error) { return s.has(key) }

// Set stores a value: in place where the name is there, in whatever case, else
// at the end. It is encoded at once, so what happens to the value later changes
// nothing. A value or name without a .NET form is payload.ErrNoForm; see
// payload.Items.Set for what a Go int becomes.
func (s *Session) Set(key string, value any) error {
	return s.change(key, func(it *payload.Items) error { return it.Set(key, value) })
}

// Remove takes an item out; one that is not there is no error.
func (s *Session) Remove(key string) error {
	return s.change(key, func(it *payload.Items) error { it.Remove(key); return nil })
}

// Clear takes every item out, those that Go cannot name too.
func (s *Session) Clear() error { return s.clear() }

// Type is the .NET name of an item's type: "System.Int32", "Shop.Cart", "null";
// "" where there is no such item or its object cannot be read.
func (s *Session) Type(key string) (string, error) { return s.typeName(key) }

// Keys returns the items' names in order, in their stored spelling.
func (s *Session) Keys() ([]string, error) { return s.keys() }

// Len is the number of names.
func (s *Session) Len() (int, error) { return s.count() }

// Timeout is the sliding timeout: how long the session lives on after its last
// request. In what .NET may have stored it is cut to 0..525,600 minutes.
func (s *Session) Timeout() (time.Duration, error) { return s.timeout() }

// SetTimeout changes the sliding timeout, rounded up to whole minutes. Outside
// 1 to 525,600 minutes it is ErrTimeout.
func (s *Session) SetTimeout(d time.Duration) error { return s.setTimeout(d) }

// Abandon removes the session from the store when the request ends; changes
// after it are lost. The visitor keeps his id, and his next request starts a new
// session under it, as in ASP.NET. On a read-only session the removal fails if
// another request holds the lock by then.
func (s *Session) Abandon() error { return s.abandon() }

// Save stores the changes now and keeps the lock. On stores where saving
// releases the lock it is taken again; if another writer came between, the
// session is reloaded with his changes and Save returns ErrChanged.
//
// It runs to its end even when the request is cancelled meanwhile.
func (s *Session) Save() error { return s.save() }

// Release stores the changes and gives the lock back before the request ends,
// so that a long response does not block the visitor's other requests. It is the
// end of the session for this handler. It runs to its end even when the request
// is cancelled meanwhile.
func (s *Session) Release() error { return s.finish(true) }

// Regenerate moves the session to a new id, under its lock: what a page does
// when a visitor signs in, so that an id that was known before is worth nothing.
// The visitor gets the new id with this response; once headers have left it is
// ErrHeadersSent. If it fails after the new session was stored, the session is
// released and the error says so.
//
// The old id is gone from the store. Requests that wait for it, and pages that
// the browser fetches with it at the same moment, find no session: each begins a
// new one under the old id, or under an id of its own where StrictIDs is set.
// ASP.NET pages with ViewStateUserKey = Session.SessionID refuse a form that was
// shown before. Where the id travels in the URL, only the links and redirects of
// this response carry the new one: answer with a redirect, as sign-in pages do.
func (s *Session) Regenerate() error { return s.regenerate() }

// Extend lets the lock last for d from now on, for a handler that needs longer
// than the execution timeout. Only stores whose locks end by themselves can do
// this (Renewer); elsewhere, where the other side breaks locks by its own clock,
// it is ErrUnsupported.
func (s *Session) Extend(d time.Duration) error { return s.extend(d) }

// Value reads an item as a T, zero where there is none or null; see
// payload.Value for what converts to what, and [Session.Has] to tell missing
// from zero.
func Value[T any](s *Session, key string) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, err := s.items()
	if err != nil || s.hidden(it, key) {
		var zero T
		return zero, err
	}
	return payload.Value[T](it, key)
}

// Access says what a handler may do with its session.
type Access uint8

const (
	// ReadWrite locks the session for the time of the request. The default, as
	// in ASP.NET (EnableSessionState="true").
	ReadWrite Access = iota
	// ReadOnly reads without a lock, after waiting for whoever holds one.
	// Requests of one visitor run side by side (EnableSessionState="ReadOnly").
	ReadOnly
	// Disabled loads nothing; the sliding timeout is renewed all the same
	// (EnableSessionState="false").
	Disabled
	// Lazy does nothing until the handler first uses the session, and is
	// ReadWrite from then on: for pages that need it now and then. That first use
	// may wait for the lock. An unused one has its sliding timeout renewed, at
	// most once per twentieth of it; a session whose own timeout is shorter than
	// that, as set elsewhere, can end early.
	Lazy
)

func (a Access) String() string {
	switch a {
	case ReadWrite:
		return "ReadWrite"
	case ReadOnly:
		return "ReadOnly"
	case Disabled:
		return "Disabled"
	case Lazy:
		return "Lazy"
	}
	return fmt.Sprintf("Access(%d)", uint8(a))
}

// A Store keeps sessions: ASP.NET's provider contract, with its gaps closed.
//
// Ids are canonical and never empty. Every method is safe for concurrent use and
// honours its context; after an error of the context what was asked for may or
// may not have happened. Every age and expiry is measured by the store's own
// clock. Every method but Create renews the sliding timeout of the session it
// finds, as every verb of ASP.NET's stores does.
//
// Methods return errors that errors.Is finds: ErrNotFound, ErrLocked (as a
// *LockedError), ErrLockLost, ErrExists, ErrBadData, ErrUnavailable, or the
// context's. No error holds an id or a credential.
type Store interface {
	// Get reads a session without locking it. While another holds the lock it is
	// a *LockedError. The Record's Lock is zero.
	Get(ctx context.Context, id string) (Record, error)

	// Acquire locks a session and reads it, in one step. While another holds the
	// lock, or the same caller already, it is a *LockedError. lease says how long
	// the caller may need the lock; a store whose locks expire lets them live at
	// least so long, and a store that crashes may forget them sooner. A session
	// that cannot be decoded is ErrBadData, and its lock is not kept.
	Acquire(ctx context.Context, id string, lease time.Duration) (Record, error)

	// Create makes an uninitialized session of no items, unlocked. One that
	// exists is left alone, and that is no error.
	Create(ctx context.Context, id string, timeout time.Duration) error

	// Save stores a session and releases its lock, in one step. The store does
	// not keep p, and does not Commit it. If the lock is not, or no longer, the
	// caller's, nothing is stored: ErrLockLost, or ErrGone where the store can
	// tell that the session itself is gone.
	//
	// A zero lock says that the session is new: one of the same id that
	// appeared meanwhile is ErrExists. What p holds and the store's form cannot
	// (see Capabilities) is refused with ErrUnsupported.
	Save(ctx context.Context, id string, lock Lock, p *payload.Payload) error

	// Release gives a lock back without saving, the caller's own or, to break
	// it, another's. A lock that is not the present one is ErrLockLost; a
	// session that is not locked, or not there, is ErrLockLost or no error.
	Release(ctx context.Context, id string, lock Lock) error

	// Remove deletes a session under its lock, ErrLockLost like Save. A zero
	// lock removes it if nobody holds a lock, else *LockedError. One that is not
	// there is ErrNotFound.
	Remove(ctx context.Context, id string, lock Lock) error

	// Touch renews the sliding timeout and ignores locks.
	Touch(ctx context.Context, id string) error

	// Capabilities says what this store can and cannot do.
	Capabilities() Capabilities
}

// A Record is a session as a store has it.
type Record struct {
	Payload       *payload.Payload // the caller's own from now on
	Lock          Lock             // zero when read without a lock
	Uninitialized bool             // created and never read before; exactly one caller is told
}

// Capabilities of a store. The zero value promises nothing.
type Capabilities struct {
	// Local: calls end in microseconds and need no network, so that the life
	// cycle may make them on the request's own goroutine.
	Local bool
	// ExactExpiry: an expired session is not found from that moment on, and not
	// only once something purges it.
	ExactExpiry bool
	// StaleSave: a save under a lock that was broken is refused even when no
	// other lock was taken since.
	StaleSave bool
	// NewConflict: the save of a new session over one that appeared meanwhile is
	// ErrExists.
	NewConflict bool
	// EmptySessions, NullItems, StaticObjects: what the store's form can hold.
	EmptySessions, NullItems, StaticObjects bool
	// QueuesWaiters: the store itself hands a lock over first come, first
	// served. A store may come to know this only when it is used.
	QueuesWaiters bool
}

// A Lock identifies one taking of a session's lock: an int32 in ASP.NET's state
// server and SQL Server, text in Redis. To all but its store it is opaque. The
// zero Lock is none.
type Lock struct {
	number int64
	text   string
}

// NumberLock makes the token of a store that numbers its locks; 0 is no lock.
func NumberLock(n int64) Lock { return Lock{number: n} }

// TextLock makes the token of a store that names its locks; "" is no lock.
func TextLock(s string) Lock { return Lock{text: s} }

// Number is the token as NumberLock made it, else 0.
func (l Lock) Number() int64 { return l.number }

// Text is the token as TextLock made it, else "".
func (l Lock) Text() string { return l.text }

// IsZero reports no lock.
func (l Lock) IsZero() bool { return l == Lock{} }

// A Waiter is a Store that can tell when a lock may have gone, sooner than the
// next poll would.
type Waiter interface {
	// Wait returns nil once the session may no longer be locked by holder, or
	// after max. It promises nothing: the caller tries again.
	Wait(ctx context.Context, id string, holder Lock, max time.Duration) error
}

// A Checkpointer is a Store that can save and keep the lock in one step.
type Checkpointer interface {
	// Checkpoint is Save, but the lock stays the caller's. A new session's zero
	// lock is replaced by the one that it returns.
	Checkpoint(ctx context.Context, id string, lock Lock, lease time.Duration, p *payload.Payload) (Lock, error)
}

// A Renewer is a Store whose locks end by themselves and can be made to last.
type Renewer interface {
	// Renew lets the caller's lock live for lease from now on; ErrLockLost like
	// Save. It does not change the lock's age as others see it where a store
	// measures one.
	Renew(ctx context.Context, id string, lock Lock, lease time.Duration) error
}

// An Ender is a Store that tells of sessions that end: ASP.NET's Session_End.
type Ender interface {
	// NotifyEnd has f called once for every session that ends from now on, after
	// it is gone and outside all locks, until stop is called; what f may cost is
	// the store's to say. p is nil where the content could not be read.
	NotifyEnd(f func(id string, reason EndReason, p *payload.Payload)) (stop func())
}

// EndReason says why a session ended.
type EndReason uint8

const (
	// Expired: nobody asked for it for the length of its sliding timeout.
	Expired EndReason = iota
	// Removed: it was abandoned.
	Removed
)

func (r EndReason) String() string {
	if r == Expired {
		return "expired"
	}
	return "removed"
}

// A Lister is a Store that can enumerate its sessions, for tools.
type Lister interface {
	// List calls yield for every session until it returns false. Sessions that
	// come or go meanwhile may be seen or not. It renews nothing.
	List(ctx context.Context, yield func(Info) bool) error
}

// Info is what a Lister tells of one session.
type Info struct {
	ID            string        // a bearer secret: hash it before it is shown
	Size          int           // bytes as stored
	Expires       time.Duration // left to live; negative: never
	Uninitialized bool
	Lock          Lock          // the holder's; zero when unlocked
	LockAge       time.Duration // whole seconds where that is all the store knows
}

// The errors of a Store and of a Session. Wrapped, they keep what, where and why.
var (
	ErrNotFound    = errors.New("session: not found")
	ErrLocked      = errors.New("session: locked by another request")
	ErrLockLost    = errors.New("session: the lock was lost")
	ErrGone        = fmt.Errorf("%w: the session is gone", ErrLockLost)
	ErrExists      = errors.New("session: another request created the session first")
	ErrBadData     = errors.New("session: stored data cannot be decoded")
	ErrUnavailable = errors.New("session: store unavailable")
	ErrUnsupported = errors.New("session: the store cannot hold this")

	ErrReadOnly    = errors.New("session: read-only access")
	ErrDisabled    = errors.New("session: session state is disabled for this handler")
	ErrReleased    = errors.New("session: already released")
	ErrHeadersSent = errors.New("session: a new session cannot start, the headers left without its cookie")
	ErrChanged     = errors.New("session: saved, but another request changed the session since; it was reloaded")
	ErrTimeout     = errors.New("session: timeout outside 1 to 525600 minutes")
	ErrHidden      = errors.New("session: Options.Filter hides this item")
	ErrNotRenewed  = errors.New("session: the sliding timeout could not be renewed")
	ErrClosed      = errors.New("session: the session manager is closed")
)

// A LockedError says who holds the lock and for how long; errors.Is finds
// ErrLocked. Release with Holder breaks the lock.
type LockedError struct {
	Holder Lock
	Age    time.Duration // by the store's clock; often whole seconds
	Waited bool          // the store let the caller wait, and keeps his place: ask again at once
}

func (e *LockedError) Error() string { return fmt.Sprintf("%v, for %v", ErrLocked, e.Age) }

// Is reports target == ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }
