// Package storetest is the one suite that every session store passes. It is
// exported, so that a store of your own can run it:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Harness {
//			clock := newClock()
//			store := mystore.New(mystore.Options{Now: clock.Now})
//			t.Cleanup(func() { store.Close() })
//			return storetest.Harness{Store: store, Advance: clock.Advance}
//		})
//	}
//
// The suite asks the store for its Capabilities and asserts what they promise;
// optional interfaces are tested where they are implemented. It asserts effects
// that another client can see, and no timings.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// A Harness is a store under test. Each test gets one of its own from Run's
// function, which may share a server: ids are new every time.
type Harness struct {
	// Store is the store.
	Store session.Store
	// Second is another client of the same sessions, as another process would
	// have it. Default Store.
	Second session.Store
	// Advance moves the store's own time on, expiry and lock ages included.
	// Without it nothing about time is tested.
	Advance func(d time.Duration)
}

// Run runs the suite.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*harness)
	}{
		{"Missing", testMissing},
		{"SaveAndRead", testSaveAndRead},
		{"NewConflict", testNewConflict},
		{"AcquireExcludes", testAcquireExcludes},
		{"Release", testRelease},
		{"Steal", testSteal},
		{"StaleSave", testStaleSave},
		{"Gone", testGone},
		{"Remove", testRemove},
		{"Uninitialized", testUninitialized},
		{"UninitializedOnce", testUninitializedOnce},
		{"SlidingExpiry", testSlidingExpiry},
		{"LockedSessionsExpire", testLockedSessionsExpire},
		{"TimeoutIsSaved", testTimeoutIsSaved},
		{"LockAge", testLockAge},
		{"Isolation", testIsolation},
		{"OtherSide", testOtherSide},
		{"Forms", testForms},
		{"Sizes", testSizes},
		{"Counters", testCounters},
		{"LostAcquire", testLostAcquire},
		{"Abandon", testAbandon},
		{"BreaksOldLocks", testBreaksOldLocks},
		{"SaveInMidRequest", testSaveInMidRequest},
		{"Wait", testWait},
		{"Checkpoint", testCheckpoint},
		{"List", testList},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &harness{T: t, Harness: open(t), ctx: context.Background()}
			if h.Second == nil {
				h.Second = h.Store
			}
			h.caps = h.Store.Capabilities()
			test.run(h)
		})
	}
}

// lease is what the suite asks for; no test needs so long.
const lease = 110 * time.Second

// harness adds what the tests share: each helper fails the test by itself.
type harness struct {
	*testing.T
	Harness
	ctx  context.Context
	caps session.Capabilities
}

func (h *harness) id() string {
	h.Helper()
	id, err := session.StandardIDs{}.New()
	h.must(err)
	return id
}

func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatalf("unexpected error: %v", err)
	}
}

func (h *harness) mustBe(err, want error) {
	h.Helper()
	if !errors.Is(err, want) {
		h.Fatalf("error %v, want one that is %q", err, want)
	}
}

// mustBeLocked asserts a *LockedError and returns it.
func (h *harness) mustBeLocked(err error) *session.LockedError {
	h.Helper()
	var locked *session.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, session.ErrLocked) {
		h.Fatalf("error %v, want a *session.LockedError", err)
	}
	if locked.Holder.IsZero() || locked.Age < 0 {
		h.Fatalf("a locked error without holder or with a negative age: %+v", locked)
	}
	return locked
}

// create stores a new session of 20 minutes with these items, key and value by
// turns.
func (h *harness) create(items ...any) string {
	h.Helper()
	id := h.id()
	p := payload.New(20, payload.Limits{})
	h.set(p, items...)
	h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
	return id
}

func (h *harness) set(p *payload.Payload, items ...any) {
	h.Helper()
	for i := 0; i < len(items); i += 2 {
		h.must(p.Items().Set(items[i].(string), items[i+1]))
	}
}

func (h *harness) acquire(s session.Store, id string) session.Record {
	h.Helper()
	rec, err := s.Acquire(h.ctx, id, lease)
	h.must(err)
	if rec.Lock.IsZero() || rec.Payload == nil {
		h.Fatalf("acquired without a lock or a payload: %+v", rec)
	}
	return rec
}

func (h *harness) get(s session.Store, id string) session.Record {
	h.Helper()
	rec, err := s.Get(h.ctx, id)
	h.must(err)
	if !rec.Lock.IsZero() || rec.Payload == nil {
		h.Fatalf("read with a lock or without a payload: %+v", rec)
	}
	return rec
}

// mustHold asserts one item as the second client sees it.
func (h *harness) mustHold(id, key string, want any) {
	h.Helper()
	got, _, err := h.get(h.Second, id).Payload.Items().Get(key)
	h.must(err)
	if got != want {
		h.Fatalf("item %q is %v (%T), want %v (%T)", key, got, got, want, want)
	}
}

func (h *harness) mustBeFree(id string) {
	h.Helper()
	rec := h.acquire(h.Second, id)
	h.must(h.Second.Release(h.ctx, id, rec.Lock))
}

func (h *harness) advance(d time.Duration) {
	h.Helper()
	if h.Advance == nil {
		h.Skip("the harness cannot move the store's time")
	}
	h.Advance(d)
}

func (h *harness) manager(s session.Store) *session.Manager {
	h.Helper()
	m, err := session.NewManager(s, session.Options{})
	h.must(err)
	return m
}
