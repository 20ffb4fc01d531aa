package stateservice

import (
	"math"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/msasp"
)

// An item is what is kept under one key: 96 bytes beside key and body.
//
// Times are nanoseconds since the engine began, by its clock.
type item struct {
	key        string
	body       []byte
	next, prev *item // in the wheel
	expires    int64 // never: not at all
	told       int64 // expires as the journal has it
	lockedAt   int64
	tick       int32 // where it is in the wheel
	timeout    int32 // minutes; 0: no expiry
	cookie     int32
	locked     bool
	fresh      bool // uninitialized
	grave      bool // the item has ended; its cookie is remembered until expires
	queued     bool // the shard has a queue for it
}

const never = math.MaxInt64

func (it *item) expired(now int64) bool { return it.expires != never && now >= it.expires }

// life is when an item ends that is renewed now.
func life(timeout int32, now int64) int64 {
	if timeout <= 0 {
		return never
	}
	return now + int64(timeout)*int64(time.Minute)
}

// next is the cookie after c; it never becomes 0 or negative.
func next(c int32) int32 {
	if c >= math.MaxInt32-1 {
		return 2
	}
	return c + 1
}

// refuse answers that the item is locked.
func (e *engine) refuse(it *item, rep *msasp.Reply, now int64) {
	rep.Status = msasp.StatusLocked
	rep.LockCookie = msasp.Int32(it.cookie)
	rep.LockAge = msasp.Int32(0)
	at := now
	if it.locked {
		at = it.lockedAt
		rep.LockAge.Value = int32(min(max((now-at)/int64(time.Second), 0), math.MaxInt32))
	}
	if d, err := clr.DateTimeOf(e.time(at)); err == nil { // the server's wall clock
		rep.LockDate = d.Ticks
	}
}

// optional reads a header that may be missing: -1 then, which is also what -1 on
// the wire means to the genuine server.
func optional(n msasp.Number, highest int32) (v int32, valid bool) {
	if !n.Set || !n.Bad && n.Value == -1 {
		return -1, true
	}
	return n.Value, !n.Bad && n.Value >= 0 && n.Value <= highest
}
