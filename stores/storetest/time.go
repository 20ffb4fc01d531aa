package storetest

import (
	"sync"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func testUninitialized(h *harness) {
	id := h.id()
	h.must(h.Store.Create(h.ctx, id, 30*time.Minute))
	h.must(h.Second.Create(h.ctx, id, time.Minute)) // there already: left alone
	rec := h.acquire(h.Second, id)
	if !rec.Uninitialized {
		h.Fatal("a created session is uninitialized")
	}
	if !rec.Payload.Items().Empty() || rec.Payload.Timeout() != 30 {
		h.Fatalf("%d items, timeout %d; want none and 30", rec.Payload.Items().Len(), rec.Payload.Timeout())
	}
	h.must(h.Second.Release(h.ctx, id, rec.Lock))
	if rec := h.acquire(h.Store, id); rec.Uninitialized {
		h.Fatal("two callers were told that the session is uninitialized")
	} else {
		h.set(rec.Payload, "n", 1)
		h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
	}
	h.must(h.Store.Create(h.ctx, id, time.Minute))
	h.mustHold(id, "n", int32(1))

	// Saved as new, an uninitialized session is a conflict like any other.
	id = h.id()
	h.must(h.Store.Create(h.ctx, id, 20*time.Minute))
	if h.caps.NewConflict {
		p := payload.New(20, payload.Limits{})
		h.set(p, "n", 1)
		h.mustBe(h.Store.Save(h.ctx, id, session.Lock{}, p), session.ErrExists)
	}
}

func testUninitializedOnce(h *harness) {
	id := h.id()
	h.must(h.Store.Create(h.ctx, id, 20*time.Minute))
	var mu sync.Mutex
	var wg sync.WaitGroup
	told := 0
	for i := range 16 {
		s := h.Store
		if i%2 == 1 {
			s = h.Second
		}
		wg.Go(func() {
			rec, err := s.Get(h.ctx, id)
			if err != nil {
				h.Errorf("unexpected error: %v", err)
				return
			}
			if rec.Uninitialized {
				mu.Lock()
				told++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if told != 1 {
		h.Fatalf("%d callers were told, want exactly one", told)
	}
}

func testSlidingExpiry(h *harness) {
	id := h.id()
	p := payload.New(2, payload.Limits{})
	h.set(p, "n", 1)
	h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
	// Every call renews.
	for _, renew := range []func(){
		func() { h.must(h.Store.Touch(h.ctx, id)) },
		func() { h.get(h.Second, id) },
		func() { h.mustBeFree(id) },
		func() {
			rec := h.acquire(h.Store, id)
			h.set(rec.Payload, "n", 2)
			h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
		},
		func() {},
	} {
		h.advance(90 * time.Second)
		renew()
	}
	h.advance(31 * time.Second)
	if !h.caps.ExactExpiry {
		h.Skip("this store expires sessions when they are purged")
	}
	_, err := h.Second.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)
	_, err = h.Store.Acquire(h.ctx, id, lease)
	h.mustBe(err, session.ErrNotFound)
	h.mustBe(h.Store.Touch(h.ctx, id), session.ErrNotFound)

	// The id is free for a new session.
	p = payload.New(2, payload.Limits{})
	h.set(p, "n", 3)
	h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
	h.mustHold(id, "n", int32(3))
}

func testLockedSessionsExpire(h *harness) {
	id := h.id()
	p := payload.New(1, payload.Limits{})
	h.set(p, "n", 1)
	h.must(h.Store.Save(h.ctx, id, session.Lock{}, p))
	rec := h.acquire(h.Store, id)
	h.advance(61 * time.Second)
	if !h.caps.ExactExpiry || !h.caps.StaleSave {
		h.Skip("this store cannot tell")
	}
	h.set(rec.Payload, "n", 2)
	h.mustBe(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload), session.ErrLockLost)
	_, err := h.Second.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)
}

func testTimeoutIsSaved(h *harness) {
	id := h.create("n", 1)
	rec := h.acquire(h.Store, id)
	rec.Payload.SetTimeout(60)
	h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
	if got := h.get(h.Second, id).Payload.Timeout(); got != 60 {
		h.Fatalf("timeout %d, want 60 minutes", got)
	}
	h.advance(59 * time.Minute)
	rec = h.acquire(h.Second, id)
	rec.Payload.SetTimeout(1)
	h.must(h.Second.Save(h.ctx, id, rec.Lock, rec.Payload))
	h.advance(61 * time.Second)
	if h.caps.ExactExpiry {
		_, err := h.Store.Get(h.ctx, id)
		h.mustBe(err, session.ErrNotFound)
	}
}

func testLockAge(h *harness) {
	id := h.create("n", 1)
	rec := h.acquire(h.Store, id)
	h.advance(30 * time.Second)
	_, err := h.Second.Acquire(h.ctx, id, lease)
	// Whole seconds, and boundaries of them, are all that some stores know; the
	// upper bound only tells seconds from minutes.
	if age := h.mustBeLocked(err).Age; age < 29*time.Second || age > 5*time.Minute {
		h.Fatalf("the lock is 30s old, the store says %v", age)
	}
	h.must(h.Store.Release(h.ctx, id, rec.Lock))
	rec = h.acquire(h.Store, id)
	_, err = h.Second.Get(h.ctx, id)
	if age := h.mustBeLocked(err).Age; age > 25*time.Second {
		h.Fatalf("a new lock starts at 0, the store says %v", age)
	}
	h.must(h.Store.Release(h.ctx, id, rec.Lock))
}

func testBreaksOldLocks(h *harness) {
	id := h.create("who", "nobody")
	dead := h.acquire(h.Store, id)
	h.advance(111 * time.Second)
	m := h.manager(h.Second)
	s, err := m.Open(h.ctx, id, session.ReadWrite)
	h.must(err)
	h.must(s.Set("who", "the living"))
	h.must(m.Finish(s))
	h.set(dead.Payload, "who", "the dead")
	if h.caps.StaleSave {
		h.mustBe(h.Store.Save(h.ctx, id, dead.Lock, dead.Payload), session.ErrLockLost)
		h.mustHold(id, "who", "the living")
	}
}
