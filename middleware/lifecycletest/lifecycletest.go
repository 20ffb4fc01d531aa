// Package lifecycletest is the one suite of the request life cycle: what a
// handler does, by its access and by what the store answers, leads to exactly
// these calls, this response, this cookie and this session afterwards. It is
// exported, so that a store or a framework of your own can run it:
//
//	func TestLifeCycle(t *testing.T) {
//		lifecycletest.Run(t, lifecycletest.Harness{
//			Store: func(t *testing.T) session.Store { return mystore.New(...) },
//		})
//	}
//
// # A row
//
// Each row is one request over a real connection, with an outcome in four
// columns:
//
//	Acquire Save | 200 page cookie | n=2 | ErrLockLost
//
// The calls to the store, without those that found the session locked; what the
// client got; the visitor's session as the store has it then; and the error that
// the handler's last step or Options.OnError ("told") met. Hold stands for a save
// that keeps the lock: Checkpoint where the store has it, Save and Acquire where
// it has not.
//
// Every row also asserts that no lock is left, unless it says LOCKED, that the
// middleware can be closed, and that Metrics was told once.
package lifecycletest

import (
	"net/http"
	"testing"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// A Harness is a store and a framework under test.
type Harness struct {
	// Store opens the store for one row, or returns one that rows share: ids are
	// new every time. Required.
	Store func(t *testing.T) session.Store
	// Wrap puts h behind m in the framework's own way. Default: net/http, with
	// the method of m that the access names.
	Wrap func(m *middleware.Middleware, access session.Access, h http.HandlerFunc) http.Handler
	// Skip has the reason why a row cannot run, by its name, such as
	// "ReadWrite/found/set, hijack". Default: all run.
	Skip map[string]string
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Wrap == nil {
		h.Wrap = wrap
	}
	seen := make(map[string]bool)
	for _, row := range rows() {
		if seen[row.name()] {
			t.Fatalf("two rows %q", row.name())
		}
		seen[row.name()] = true
		t.Run(row.name(), func(t *testing.T) {
			if why, skip := h.Skip[row.name()]; skip {
				t.Skip(why)
			}
			run(t, h, row)
		})
	}
	for name := range h.Skip {
		if !seen[name] {
			t.Errorf("Skip: there is no row %q", name)
		}
	}
}

func wrap(m *middleware.Middleware, access session.Access, h http.HandlerFunc) http.Handler {
	switch access {
	case session.ReadOnly:
		return m.ReadOnly(h)
	case session.Disabled:
		return m.Disabled(h)
	case session.Lazy:
		return m.Lazy(h)
	}
	return m.ReadWrite(h)
}
