package stateservice

import (
	"context"
	"time"
)

// EndReason says why an item ended.
type EndReason uint8

const (
	// Expired: nobody asked for it for the length of its sliding timeout.
	Expired EndReason = iota + 1
	// Removed: it was abandoned, by a Remove.
	Removed
)

func (r EndReason) String() string {
	if r == Expired {
		return "expired"
	}
	return "removed"
}

// An End is one item's end: ASP.NET's Session_End, out of process.
type End struct {
	ID      uint64 // the journal's number for it; rises. Without a journal it counts from 1
	Key     string // a secret: whoever has it can be that visitor
	Reason  EndReason
	Payload []byte    // the last content; not to be written to
	At      time.Time // when it ended
}

// An EndHook hears of items that end.
type EndHook interface {
	// Ended takes one end. It may take its time, and try again as it likes: it
	// runs on goroutines of the server's own, Options.EndWorkers of them at a
	// time, fed by a queue of Options.EndQueue ends, so that the engine never
	// waits. ctx ends with the server.
	//
	// nil says that the end was taken. After an error it is counted as dropped;
	// with a journal it is kept there instead and told again later. So it
	// is after a crash: at least once with a journal, at most once without.
	Ended(ctx context.Context, e End) error
}

// EndFunc is a function as an EndHook.
type EndFunc func(ctx context.Context, e End) error

// Ended calls f.
func (f EndFunc) Ended(ctx context.Context, e End) error { return f(ctx, e) }
