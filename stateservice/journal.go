package stateservice

import "time"

// A Journal keeps what a Server keeps on something that outlives it. The engine
// tells it every change and reads it once, when the server starts; all reading
// while it runs is from memory.
//
// # Order
//
// Append is called with the key's shard locked: changes of one key come in the
// order in which they happened, changes of different keys from many goroutines
// at the same time.
//
// # Acknowledgement
//
// The reply to a request does not wait for the disk. Append therefore must not
// wait for it either: it queues, and the journal commits what is queued in
// groups. What was appended and not committed yet is what a crash loses; an
// implementation documents how old that can be (its window, 50 ms or less) and
// commits everything in Sync.
//
// # Failure
//
// While an implementation cannot commit, because the disk is full or its queue
// is, Append returns an error, without waiting. The change did not happen then:
// a Set or Remove is answered 400, the old content stays, and the lock of the
// owner who was refused is released; reads go on. What was queued before stays
// queued and is tried again; once that succeeds, Append returns nil again. An
// implementation logs its own failures; the engine logs the refusals.
//
// Errors of Append for Touch and Expire stop nothing: a Touch is told again with
// the next request, an expired item is dropped from memory all the same and is
// found expired again by the next Load.
type Journal interface {
	// Load calls yield for every item and grave that is kept, in any order, and
	// returns yield's error if there is one. It is called once, before anything
	// else; a journal that is corrupt fails here, names the file and the cure,
	// and deletes nothing. yield keeps r.Body.
	Load(yield func(r Record) error) error

	// Append queues a change of any key and any numbers in it, also such as no
	// client can send: the engine keeps a note of its own so. The strings and bytes in it are never written
	// again and may be kept. It never waits for the disk.
	Append(c Change) error

	// Ends calls yield for ends whose EndTaken did not come yet, oldest first,
	// until it returns false. It sees what was appended before it was called, and
	// may wait for the disk for that; yield calls nothing of the Journal.
	Ends(yield func(e End) bool) error

	// EndTaken says that the hook has taken the end of this number. It may be
	// queued like a change: an end that is told twice after a crash is allowed,
	// one that is never told is not.
	EndTaken(id uint64)

	// Sync returns when everything appended is durable, or cannot be.
	// Server.Shutdown and Close call it last; closing the journal after that is
	// for who made it.
	Sync() error
}

// ChangeKind says what happened to a key.
type ChangeKind uint8

const (
	// Put: the item now is what the Change says, whether it was there or not,
	// and a grave of its key is gone.
	Put ChangeKind = iota + 1
	// Touch: Expires, Cookie and Uninitialized of an item that stays moved;
	// Body is nil and the content stays. It comes when the expiry moved by more
	// than a twentieth of the timeout, not with every read.
	Touch
	// Remove: the item was removed on request. Where Cookie is above 1 a grave
	// remembers it until Expires; where it is not, nothing of the key is kept.
	Remove
	// Expire: as Remove, because nobody asked for the item for too long.
	Expire
	// Forget: the grave of this key is over.
	Forget
)

// A Change is what happened to one key.
type Change struct {
	Kind          ChangeKind
	Key           string // as the engine has it: decoded, any bytes; a secret
	Body          []byte // Put: the content. Remove and Expire with End: the last content
	Expires       time.Time
	Timeout       int32 // minutes; 0: never expires, and Expires is zero
	Cookie        int32 // the last lock cookie
	Uninitialized bool

	// End is above 0 where Options.OnEnd is to hear of it: keep key, kind and
	// Body under this number, in the same commit as the change, until EndTaken.
	// Numbers rise, also across restarts.
	End uint64
}

// A Record is what Load gives back.
type Record struct {
	Key     string
	Grave   bool // no item: only Cookie and Expires are meant
	Body    []byte
	Expires time.Time // may be past: the engine expires it, and tells
	Timeout int32     // minutes
	// Cookie is as appended, and 65,536 more for each Load since then but this
	// one: the engine adds 65,536 for this one, which it journals only with the
	// next Set, so that without that two restarts in a row give out the same
	// cookies twice.
	Cookie        int32
	Uninitialized bool
}
