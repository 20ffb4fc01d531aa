package session

import (
	"context"
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
	// WaitTimeout is how long a request waits for its turn and for the lock before
	// it gives up with ErrLocked. Default ExecutionTimeout.
	WaitTimeout time.Duration
	// StoreTimeout bounds every single call to the store. Default 10 s,
	// ASP.NET's stateNetworkTimeout. Locks that a lost reply left behind stay
	// for the execution timeout.
	StoreTimeout time.Duration
	// QueueLimit is how many requests of this process may wait for one session;
	// one more gets ErrQueueFull. Default 50, as in ASP.NET; negative: no limit,
	// and one visitor can hold any number of goroutines.
	QueueLimit int
	// StrictIDs refuses to start a session under an id that the store does not
	// know: the visitor gets a new one, so that nobody can be made to use an id
	// that another chose (session fixation). Default false, as in ASP.NET,
	// whose pages keep the id of an expired session.
	StrictIDs bool
	// IDs makes and checks ids. Default StandardIDs.
	IDs IDs
	// Partition picks the store of an id, as ASP.NET's partition resolver does.
	// It must give one id one store for ever, on all servers. Default none: the
	// store that NewManager was given.
	Partition func(id string) Store
	// Bootstrap has ASP.NET start a session before Go stores it for the first
	// time: its Session_Start runs, and what that sets lies under what the handler
	// sets; with OnStart, which stores every session, before that and the handler
	// look. It gets the id that the visitor will have and returns the one that
	// ASP.NET gave the session, another where the site takes no ids from outside.
	// Its error fails the request: pages that rely on Session_Start would break.
	// It may take as long as ExecutionTimeout. Not where the id travels in the
	// URL. Default none: a session that begins in Go lacks what Session_Start
	// sets.
	Bootstrap func(ctx context.Context, id string) (string, error)
	// SessionEnd is told of sessions that expire or are removed, as the store's
	// NotifyEnd has it; a store that cannot tell makes NewManager fail, and so
	// does Partition. p is nil where the content could not be read. Default none.
	SessionEnd func(id string, reason EndReason, p *payload.Payload)
	// Filter says which items Go code may see, by stored name and .NET type
	// ("System.Int32", "Shop.Cart"). The others are carried verbatim: reading
	// finds nothing, Clear spares them, Set and Remove are ErrHidden. For an
	// object its stream is parsed each time. Default: all.
	Filter func(name, typeName string) bool
	// ClearOnRelease forgets the items as soon as the handler releases the session,
	// so that a stream that goes on for hours does not keep them in memory. Default
	// false: they stay until the request ends, unreachable to the handler.
	ClearOnRelease bool
	// Location is the zone in which DateTime items are read and written: that of
	// the ASP.NET machine. Default UTC; wrong for sites that store DateTime.Now
	// on a machine set to another zone.
	Location *time.Location
	// Types says which Go structs stand for which .NET classes when they are Set.
	// Default none: reading needs none, and neither does changing an object that
	// ASP.NET stored.
	Types *nrbf.Types
	// Metrics is told how each session went. Default none.
	Metrics Metrics
}

// Metrics is told of every session once: when it ended, or when it could not be
// opened, but not of those that a closed Manager refuses. It runs on the request's goroutine and must not block.
type Metrics interface {
	Session(ctx context.Context, m Measures)
}

// Measures of one session. They hold no id, no name and no value.
type Measures struct {
	Access Access
	New    bool          // it began with this request
	Used   bool          // it was loaded: false for Disabled and for a Lazy one that nobody used
	Wait   time.Duration // for its turn and for the lock of others
	Hold   time.Duration // from the lock's taking to its release
	Load   time.Duration // of the store's calls that loaded it
	Save   time.Duration // of the calls that saved, released or removed it
	Loaded int           // bytes of its frame as it came; 0 where there was none
	Saved  int           // bytes of its frame as it was stored last; 0 where it was not
	Broken int           // locks of others that were broken for their age
	Err    error         // what failed first: ErrLockLost, ErrQueueFull ...
}
