package lifecycletest

import "github.com/aspsession/aspsession/session"

// rows are all of the suite.
func rows() []row {
	var all []row
	for _, table := range []struct {
		access session.Access
		rows   [][3]string
	}{
		{session.ReadWrite, readWrite}, {session.ReadOnly, readOnly}, {session.Disabled, disabled}, {session.Lazy, lazy},
	} {
		for _, r := range table.rows {
			all = append(all, row{access: table.access, visitor: r[0], does: r[1], want: r[2]})
		}
	}
	return append(all, faults...)
}

// Where every call succeeds: visitor, steps, outcome.
var readWrite = [][3]string{
	// A visitor without an id costs nothing until something is stored.
	{"new", "nothing", "| 200 page | nothing"},
	{"new", "read", "| 200 n=<nil> new | nothing"},
	{"new", "set", "Save | 200 page cookie | n=2"},
	{"new", "set, remove", "Save | 200 page cookie | empty"},
	{"new", "remove", "| 200 page | nothing"},
	{"new", "timeout", "Save | 200 page cookie | empty for 60 minutes"},
	{"new", "set, flush", "Hold Release | 200 begun page cookie | n=2"},
	{"new", "set, flush, set 3", "Hold Save | 200 begun page cookie | n=3"},
	{"new", "flush", "| 200 begun page | nothing"},
	{"new", "flush, read", "| 200 begun n=<nil> new | nothing"},
	{"new", "flush, set", "| 200 begun page | nothing | ErrHeadersSent"},
	{"new", "flush, save", "| 200 begun page | nothing | ErrHeadersSent"},
	{"new", "flush, release", "| 200 begun page | nothing"},
	{"new", "set, long", "Hold Release | 200 long cookie | n=2"},
	{"new", "long, set", "| 200 long | nothing | ErrHeadersSent"},
	{"new", "set, long, set 3", "Hold Save | 200 long cookie | n=3"},
	{"new", "release", "| 200 page | nothing"},
	{"new", "set, release", "Save | 200 page cookie | n=2"},
	{"new", "set, release, set 3", "Save | 200 page cookie | n=2 | ErrReleased"},
	{"new", "set, release, flush", "Save | 200 begun page cookie | n=2"},
	{"new", "save", "| 200 page | nothing"},
	{"new", "set, save", "Hold Release | 200 page cookie | n=2"},
	{"new", "set, save, set 3", "Hold Save | 200 page cookie | n=3"},
	{"new", "set, save, flush", "Hold Release | 200 begun page cookie | n=2"},
	{"new", "abandon", "| 200 page | nothing"},
	{"new", "set, abandon", "| 200 page | nothing"},
	{"new", "set, abandon, flush", "| 200 begun page | nothing"},
	{"new", "set, flush, abandon", "Hold Remove | 200 begun page cookie | gone"},
	{"new", "set, save, abandon", "Hold Remove | 200 page | nothing"},
	{"new", "regenerate", "| 200 page | nothing"},
	{"new", "set, regenerate", "Save | 200 page cookie | n=2"},
	{"new", "set, save, regenerate", "Hold Hold Remove Release | 200 page cookie | n=2"},
	{"new", "flush, regenerate", "| 200 begun page | nothing | ErrHeadersSent"},
	{"new", "set, flush, regenerate", "Hold Release | 200 begun page cookie | n=2 | ErrHeadersSent"},
	{"new", "panic", "| abort | nothing"},
	{"new", "set, panic", "| abort | nothing"},
	{"new", "set, save, panic", "Hold Release | abort | nothing, unknown n=2"},
	{"new", "set, flush, panic", "Hold Release | 200 cookie abort | n=2"},
	{"new", "hijack", "| 200 page | nothing"},
	{"new", "set, hijack", "Save | 200 page cookie | n=2"},
	{"new", "set, hijack, set 3", "Save | 200 page cookie | n=2 | ErrReleased"},
	{"new", "set, error", "Save | 500 sorry cookie | n=2"},
	{"new", "set, redirect", "Save | 302 cookie | n=2"},

	// A visitor whose session is there.
	{"found", "nothing", "Acquire Release | 200 page | n=1"},
	{"found", "read", "Acquire Release | 200 n=1 | n=1"},
	{"found", "set", "Acquire Save | 200 page | n=2"},
	{"found", "remove", "Acquire Save | 200 page | empty"},
	{"found", "clear", "Acquire Save | 200 page | empty"},
	{"found", "timeout", "Acquire Save | 200 page | n=1 for 60 minutes"},
	{"found", "set, flush", "Acquire Save | 200 begun page | n=2"},
	{"found", "flush", "Acquire Release | 200 begun page | n=1"},
	{"found", "flush, set", "Acquire Save | 200 begun page | n=2"},
	{"found", "set, long", "Acquire Save | 200 long | n=2"},
	{"found", "long, set", "Acquire Save | 200 long | n=2"},
	{"found", "release", "Acquire Release | 200 page | n=1"},
	{"found", "set, release", "Acquire Save | 200 page | n=2"},
	{"found", "set, release, set 3", "Acquire Save | 200 page | n=2 | ErrReleased"},
	{"found", "set, release, long", "Acquire Save | 200 long | n=2"},
	{"found", "save", "Acquire Release | 200 page | n=1"},
	{"found", "set, save", "Acquire Hold Release | 200 page | n=2"},
	{"found", "set, save, set 3", "Acquire Hold Save | 200 page | n=3"},
	{"found", "flush, set, save", "Acquire Hold Release | 200 begun page | n=2"},
	{"found", "abandon", "Acquire Remove | 200 page | gone"},
	{"found", "set, abandon", "Acquire Remove | 200 page | gone"},
	{"found", "abandon, set", "Acquire Remove | 200 page | gone"},
	{"found", "abandon, release", "Acquire Remove | 200 page | gone"},
	{"found", "flush, abandon", "Acquire Remove | 200 begun page | gone"},
	{"found", "abandon, regenerate", "Acquire Remove | 200 page | gone | ErrNotFound"},
	{"found", "regenerate", "Acquire Hold Remove Release | 200 page cookie | n=1"},
	{"found", "set, regenerate", "Acquire Hold Remove Release | 200 page cookie | n=2"},
	{"found", "regenerate, set", "Acquire Hold Remove Save | 200 page cookie | n=2"},
	{"found", "regenerate, set, flush", "Acquire Hold Remove Save | 200 begun page cookie | n=2"},
	{"found", "regenerate, flush, set", "Acquire Hold Remove Save | 200 begun page cookie | n=2"},
	{"found", "regenerate, abandon", "Acquire Hold Remove Remove | 200 page | gone"},
	{"found", "regenerate, hijack", "Acquire Hold Remove Release | 200 page cookie | n=1"},
	{"found", "regenerate, panic", "Acquire Hold Remove Release | abort | gone, unknown n=1"},
	{"found", "flush, regenerate", "Acquire Release | 200 begun page | n=1 | ErrHeadersSent"},
	{"found", "release, regenerate", "Acquire Release | 200 page | n=1 | ErrReleased"},
	{"found", "panic", "Acquire Release | abort | n=1"},
	{"found", "set, panic", "Acquire Release | abort | n=1"},
	{"found", "set, flush, panic", "Acquire Release | 200 abort | n=1"},
	{"found", "set, save, panic", "Acquire Hold Release | abort | n=2"},
	{"found", "hijack", "Acquire Release | 200 page | n=1"},
	{"found", "set, hijack", "Acquire Save | 200 page | n=2"},
	{"found", "abandon, hijack", "Acquire Remove | 200 page | gone"},
	{"found", "set, error", "Acquire Save | 500 sorry | n=2"},
	{"found", "set, redirect", "Acquire Save | 302 | n=2"},

	// One whose session is gone: it is created so that it can be locked, and he
	// keeps his id, as in ASP.NET.
	{"gone", "nothing", "Acquire Create Acquire Release | 200 page | empty"},
	{"gone", "read", "Acquire Create Acquire Release | 200 n=<nil> new | empty"},
	{"gone", "set", "Acquire Create Acquire Save | 200 page | n=2"},
	{"gone", "set, flush", "Acquire Create Acquire Save | 200 begun page | n=2"},
	{"gone", "flush, set", "Acquire Create Acquire Save | 200 begun page | n=2"},
	{"gone", "set, save", "Acquire Create Acquire Hold Release | 200 page | n=2"},
	{"gone", "abandon", "Acquire Create Acquire Remove | 200 page | gone"},
	{"gone", "set, panic", "Acquire Create Acquire Release | abort | empty"},
	{"gone", "regenerate", "Acquire Create Acquire Hold Remove Release | 200 page cookie | empty"},
	{"gone", "set, hijack", "Acquire Create Acquire Save | 200 page | n=2"},
	{"gone, then made by another", "set", "Acquire Create Acquire Save | 200 page | n=2"},
	{"gone, then made by another", "read", "Acquire Create Acquire Release | 200 n=5 | n=5"},

	// One whose session was created and never read, as ASP.NET's redirects of
	// ids in the URL leave it.
	{"uninitialized", "nothing", "Acquire Release | 200 page | empty"},
	{"uninitialized", "read", "Acquire Release | 200 n=<nil> new | empty"},
	{"uninitialized", "set", "Acquire Save | 200 page | n=2"},
	{"uninitialized", "flush, set", "Acquire Save | 200 begun page | n=2"},
	{"uninitialized", "abandon", "Acquire Remove | 200 page | gone"},

	// One whose session another request holds, saves with 5 and releases.
	{"locked", "nothing", "Acquire Release | 200 page | n=5"},
	{"locked", "read", "Acquire Release | 200 n=5 | n=5"},
	{"locked", "set", "Acquire Save | 200 page | n=2"},
	{"locked", "abandon", "Acquire Remove | 200 page | gone"},
}

// Read-only pages take no lock and store nothing.
var readOnly = [][3]string{
	{"new", "nothing", "| 200 page | nothing"},
	{"new", "read", "| 200 n=<nil> new | nothing"},
	{"new", "set", "| 200 page | nothing | ErrReadOnly"},
	{"new", "abandon", "| 200 page | nothing"},
	{"found", "nothing", "Get | 200 page | n=1"},
	{"found", "read", "Get | 200 n=1 | n=1"},
	{"found", "flush, read", "Get | 200 begun n=1 | n=1"},
	{"found", "long", "Get | 200 long | n=1"},
	{"found", "set", "Get | 200 page | n=1 | ErrReadOnly"},
	{"found", "remove", "Get | 200 page | n=1 | ErrReadOnly"},
	{"found", "clear", "Get | 200 page | n=1 | ErrReadOnly"},
	{"found", "timeout", "Get | 200 page | n=1 | ErrReadOnly"},
	{"found", "save", "Get | 200 page | n=1 | ErrReadOnly"},
	{"found", "regenerate", "Get | 200 page | n=1 | ErrReadOnly"},
	{"found", "release", "Get | 200 page | n=1"},
	{"found", "release, read", "Get | 200 page | n=1 | ErrReleased"},
	{"found", "abandon", "Get Remove | 200 page | gone"},
	{"found", "panic", "Get | abort | n=1"},
	{"found", "hijack", "Get | 200 page | n=1"},
	{"found", "error", "Get | 500 sorry | n=1"},
	{"gone", "nothing", "Get | 200 page | gone"},
	{"gone", "read", "Get | 200 n=<nil> new | gone"},
	{"gone", "abandon", "Get | 200 page | gone"},
	{"uninitialized", "read", "Get | 200 n=<nil> new | empty"},
	{"locked", "read", "Get | 200 n=5 | n=5"},
}

// Pages without session state renew the timeout, and wait for nobody.
var disabled = [][3]string{
	{"new", "nothing", "| 200 page | nothing"},
	{"new", "set", "| 200 page | nothing | ErrDisabled"},
	{"found", "nothing", "Touch | 200 page | n=1"},
	{"found", "read", "Touch | 200 page | n=1 | ErrDisabled"},
	{"found", "set", "Touch | 200 page | n=1 | ErrDisabled"},
	{"found", "save", "Touch | 200 page | n=1 | ErrDisabled"},
	{"found", "release", "Touch | 200 page | n=1 | ErrDisabled"},
	{"found", "abandon", "Touch | 200 page | n=1 | ErrDisabled"},
	{"found", "regenerate", "Touch | 200 page | n=1 | ErrDisabled"},
	{"found", "flush, long", "Touch | 200 begun long | n=1"},
	{"found", "panic", "Touch | abort | n=1"},
	{"found", "hijack", "Touch | 200 page | n=1"},
	{"gone", "nothing", "Touch | 200 page | gone"},
	{"locked", "nothing", "Touch | 200 page | n=5"},
}

// Lazy ones do nothing until they are used, and are ReadWrite from then on.
var lazy = [][3]string{
	{"new", "nothing", "| 200 page | nothing"},
	{"new", "read", "| 200 n=<nil> new | nothing"},
	{"new", "set", "Save | 200 page cookie | n=2"},
	{"new", "set, flush", "Hold Release | 200 begun page cookie | n=2"},
	{"new", "flush, read", "| 200 begun n=<nil> new | nothing"},
	{"new", "flush, set", "| 200 begun page | nothing | ErrHeadersSent"},
	{"new", "regenerate", "| 200 page | nothing"},
	{"new", "abandon", "| 200 page | nothing"},
	{"new", "set, hijack", "Save | 200 page cookie | n=2"},
	{"new", "set, panic", "| abort | nothing"},
	{"found", "nothing", "Touch | 200 page | n=1"},
	{"found", "flush", "Touch | 200 begun page | n=1"},
	{"found", "long", "Touch | 200 long | n=1"},
	{"found", "hijack", "Touch | 200 page | n=1"},
	{"found", "panic", "| abort | n=1"},
	{"found", "read", "Acquire Release | 200 n=1 | n=1"},
	{"found", "set", "Acquire Save | 200 page | n=2"},
	{"found", "set, flush", "Acquire Save | 200 begun page | n=2"},
	{"found", "flush, set", "Acquire Save | 200 begun page | n=2"},
	{"found", "long, set", "Acquire Save | 200 long | n=2"},
	{"found", "set, release", "Acquire Save | 200 page | n=2"},
	{"found", "release", "Touch | 200 page | n=1"},
	{"found", "release, read", "Touch | 200 page | n=1 | ErrReleased"},
	{"found", "set, save", "Acquire Hold Release | 200 page | n=2"},
	{"found", "abandon", "Acquire Remove | 200 page | gone"},
	{"found", "regenerate", "Acquire Hold Remove Release | 200 page cookie | n=1"},
	{"found", "set, panic", "Acquire Release | abort | n=1"},
	{"found", "set, hijack", "Acquire Save | 200 page | n=2"},
	{"gone", "nothing", "Touch | 200 page | gone"},
	{"gone", "read", "Acquire Create Acquire Release | 200 n=<nil> new | empty"},
	{"gone", "set", "Acquire Create Acquire Save | 200 page | n=2"},
	{"uninitialized", "nothing", "Touch | 200 page | empty"},
	{"uninitialized", "read", "Acquire Release | 200 n=<nil> new | empty"},
	{"locked", "nothing", "Touch | 200 page | n=5"},
	{"locked", "read", "Acquire Release | 200 n=5 | n=5"},
	{"locked", "set", "Acquire Save | 200 page | n=2"},
}
