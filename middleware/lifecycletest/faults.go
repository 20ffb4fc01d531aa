package lifecycletest

import "github.com/aspsession/aspsession/session"

// fails and lost are a call that is out of the store's reach, and one whose
// answer is.
func fails(call string) *fault { return &fault{call: call, err: session.ErrUnavailable} }
func lost(call string) *fault  { return &fault{call: call, err: session.ErrUnavailable, lost: true} }

const (
	rw  = session.ReadWrite
	ro  = session.ReadOnly
	off = session.Disabled
	lz  = session.Lazy
)

// A store that fails, and a lock that is lost: the page is an error page or a
// broken one, never one that looks whole, and what can be given back is.
var faults = []row{
	// Before the handler: it does not run.
	{access: rw, visitor: "found", does: "set", fault: fails("Acquire"), want: "Acquire | 500 trouble | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set", fault: lost("Acquire"), want: "Acquire | 500 trouble | n=1 LOCKED | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set", fault: &fault{call: "Acquire", err: session.ErrBadData}, want: "Acquire | 500 trouble | n=1 | told ErrBadData"},
	{access: rw, visitor: "gone", does: "set", fault: fails("Create"), want: "Acquire Create | 500 trouble | gone | told ErrUnavailable"},
	{access: rw, visitor: "gone", does: "set", fault: lost("Create"), want: "Acquire Create | 500 trouble | empty | told ErrUnavailable"},
	{access: rw, visitor: "locked", does: "set", fault: &fault{call: "Acquire", err: session.ErrBadData}, want: "Acquire | 500 trouble | n=5 | told ErrBadData"},
	{access: ro, visitor: "found", does: "read", fault: fails("Get"), want: "Get | 500 trouble | n=1 | told ErrUnavailable"},
	{access: ro, visitor: "found", does: "read", fault: lost("Get"), want: "Get | 500 trouble | n=1 | told ErrUnavailable"},
	{access: ro, visitor: "found", does: "read", fault: &fault{call: "Get", err: session.ErrBadData}, want: "Get | 500 trouble | n=1 | told ErrBadData"},

	// Pages that did not need their session survive.
	{access: off, visitor: "found", does: "nothing", fault: fails("Touch"), want: "Touch | 200 page | n=1 | told ErrUnavailable"},
	{access: off, visitor: "found", does: "nothing", fault: lost("Touch"), want: "Touch | 200 page | n=1 | told ErrUnavailable"},
	{access: lz, visitor: "found", does: "nothing", fault: fails("Touch"), want: "Touch | 200 page | n=1 | told ErrNotRenewed"},
	{access: lz, visitor: "found", does: "flush", fault: fails("Touch"), want: "Touch | 200 begun page | n=1 | told ErrNotRenewed"},

	// A Lazy handler is told itself.
	{access: lz, visitor: "found", does: "read", fault: fails("Acquire"), want: "Acquire | 200 page | n=1 | ErrUnavailable"},
	{access: lz, visitor: "found", does: "set", fault: &fault{call: "Acquire", err: session.ErrBadData}, want: "Acquire | 200 page | n=1 | ErrBadData"},
	{access: lz, visitor: "gone", does: "set", fault: fails("Create"), want: "Acquire Create | 200 page | gone | ErrUnavailable"},
	{access: lz, visitor: "found", does: "set", fault: fails("Save"), want: "Acquire Save Release | 500 trouble | n=1 | told ErrUnavailable"},

	// At the end.
	{access: rw, visitor: "new", does: "set", fault: fails("Save"), want: "Save | 500 trouble | nothing | told ErrUnavailable"},
	{access: rw, visitor: "new", does: "set", fault: lost("Save"), want: "Save | 500 trouble | nothing, unknown n=2 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set", fault: fails("Save"), want: "Acquire Save Release | 500 trouble | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set", fault: lost("Save"), want: "Acquire Save Release | 500 trouble | n=2 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "nothing", fault: fails("Release"), want: "Acquire Release | 500 trouble | n=1 LOCKED | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "nothing", fault: lost("Release"), want: "Acquire Release | 500 trouble | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "abandon", fault: fails("Remove"), want: "Acquire Remove Release | 500 trouble | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "abandon", fault: lost("Remove"), want: "Acquire Remove Release | 500 trouble | gone | told ErrUnavailable"},
	{access: ro, visitor: "found", does: "abandon", fault: fails("Remove"), want: "Get Remove | 500 trouble | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set, panic", fault: fails("Release"), want: "Acquire Release | abort | n=1 LOCKED | told ErrUnavailable"},

	// When part of the page has left.
	{access: rw, visitor: "new", does: "set, flush", fault: fails("Hold"), want: "Hold! | 500 trouble | nothing | ErrUnavailable, told ErrUnavailable"},
	{access: rw, visitor: "new", does: "set, flush", fault: lost("Hold"), want: "Hold! | 500 trouble | nothing, unknown n=2 LOCKED | ErrUnavailable, told ErrUnavailable",
		bare: "Hold! | 500 trouble | nothing, unknown n=2 | ErrUnavailable, told ErrUnavailable"},
	{access: rw, visitor: "new", does: "set, long", fault: fails("Hold"), want: "Hold! | 500 trouble | nothing | ErrUnavailable, told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set, flush", fault: fails("Save"), want: "Acquire Save Release | 200 abort | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set, long", fault: fails("Save"), want: "Acquire Save Release | 200 abort | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "flush", fault: lost("Release"), want: "Acquire Release | 200 abort | n=1 | told ErrUnavailable"},
	{access: rw, visitor: "found", does: "set, hijack", fault: fails("Save"), want: "Acquire Save Release | 500 trouble | n=1 | ErrUnavailable, told ErrUnavailable"},

	// The handler is told of what it asked for itself, and the page is its own.
	{access: rw, visitor: "found", does: "set, release", fault: fails("Save"), want: "Acquire Save Release | 200 page | n=1 | ErrUnavailable"},
	{access: rw, visitor: "found", does: "set, save", fault: fails("Hold"), want: "Acquire Checkpoint Save | 200 page | n=2 | ErrUnavailable",
		bare: "Acquire Save Release | 200 page | n=1 | ErrUnavailable"},
	{access: rw, visitor: "found", does: "regenerate", fault: fails("Hold"), want: "Acquire Hold! Release | 200 page | n=1 | ErrUnavailable"},
	{access: rw, visitor: "found", does: "regenerate", fault: fails("Remove"), want: "Acquire Hold Remove Release Remove | 200 page | n=1 | ErrUnavailable"},
	{access: rw, visitor: "found", does: "regenerate", fault: lost("Remove"), want: "Acquire Hold Remove Release Remove | 200 page | gone | ErrUnavailable"},

	// The lock was broken and another request has the session.
	{access: rw, visitor: "found, its lock taken by another", does: "set, meanwhile", want: "Acquire Save | 500 trouble | n=1 LOCKED | told ErrLockLost"},
	{access: rw, visitor: "found, its lock taken by another", does: "meanwhile", want: "Acquire Release | 200 page | n=1 LOCKED"},
	{access: rw, visitor: "found, its lock taken by another", does: "abandon, meanwhile", want: "Acquire Remove | 500 trouble | n=1 LOCKED | told ErrLockLost"},
	{access: rw, visitor: "found, its lock taken by another", does: "set, meanwhile, flush", want: "Acquire Save | 200 abort | n=1 LOCKED | told ErrLockLost"},
	{access: rw, visitor: "found, its lock taken by another", does: "set, meanwhile, save", want: "Acquire Hold! | 200 page | n=1 LOCKED | ErrLockLost"},
	{access: rw, visitor: "found, its lock taken by another", does: "set, meanwhile, release", want: "Acquire Save | 200 page | n=1 LOCKED | ErrLockLost"},
	{access: rw, visitor: "found, its lock taken by another", does: "set, meanwhile, hijack", want: "Acquire Save | 500 trouble | n=1 LOCKED | ErrLockLost, told ErrLockLost"},
	{access: rw, visitor: "found, its lock taken by another", does: "meanwhile, regenerate", want: "Acquire Hold Remove Remove | 200 page | n=1 LOCKED | ErrLockLost"},
	{access: rw, visitor: "found, its lock taken by another", does: "set, meanwhile, panic", want: "Acquire Release | abort | n=1 LOCKED"},

	// The same, and the other is done already.
	{access: rw, visitor: "found, then saved by another", does: "set, meanwhile", want: "Acquire Save | 500 trouble | n=7 | told ErrLockLost", stale: true},
	{access: rw, visitor: "found, then saved by another", does: "set, meanwhile, save", want: "Acquire Hold! | 200 page | n=7 | ErrLockLost", stale: true},
	{access: rw, visitor: "found, then saved by another", does: "meanwhile, regenerate", want: "Acquire Hold Remove Remove | 200 page | n=7 | ErrLockLost", stale: true},
	{access: rw, visitor: "found, then saved by another", does: "abandon, meanwhile", want: "Acquire Remove | 500 trouble | n=7 | told ErrLockLost", stale: true},
	{access: rw, visitor: "found, then ended", does: "set, meanwhile", want: "Acquire Save | 500 trouble | gone | told ErrLockLost", stale: true},
	{access: rw, visitor: "found, then ended", does: "meanwhile", want: "Acquire Release | 200 page | gone"},
	{access: rw, visitor: "found, then ended", does: "abandon, meanwhile", want: "Acquire Remove | 200 page | gone"},
	{access: lz, visitor: "found, then saved by another", does: "set, meanwhile", want: "Acquire Save | 500 trouble | n=7 | told ErrLockLost", stale: true},
}
