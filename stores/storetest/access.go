package storetest

import (
	"slices"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func testMissing(h *harness) {
	id := h.id()
	_, err := h.Store.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)
	_, err = h.Store.Acquire(h.ctx, id, lease)
	h.mustBe(err, session.ErrNotFound)
	h.mustBe(h.Store.Touch(h.ctx, id), session.ErrNotFound)
	h.mustBe(h.Store.Remove(h.ctx, id, session.Lock{}), session.ErrNotFound)
	// None of these made one.
	_, err = h.Store.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)
}

func testSaveAndRead(h *harness) {
	id := h.create("Name", "Ada", "n", int32(7))
	rec := h.get(h.Second, id)
	if rec.Uninitialized {
		h.Fatal("a saved session is not uninitialized")
	}
	if got := rec.Payload.Timeout(); got != 20 {
		h.Fatalf("timeout %d, want 20 minutes", got)
	}
	if keys := rec.Payload.Items().Keys(); !slices.Contains(keys, "Name") || len(keys) != 2 {
		h.Fatalf("keys %q", keys)
	}
	if rec.Payload.Dirty() {
		h.Fatal("a session just read is not changed")
	}
	h.mustHold(id, "NAME", "Ada")

	rec = h.acquire(h.Store, id)
	h.set(rec.Payload, "name", "Grace", "new", true)
	rec.Payload.Items().Remove("N")
	h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
	h.mustHold(id, "name", "Grace")
	h.mustHold(id, "new", true)
	h.mustHold(id, "n", nil)

	rec = h.acquire(h.Store, id)
	rec.Payload.Items().Clear()
	h.set(rec.Payload, "only", "this")
	h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
	if keys := h.get(h.Second, id).Payload.Items().Keys(); !slices.Equal(keys, []string{"only"}) {
		h.Fatalf("keys %q after Clear", keys)
	}
}

func testNewConflict(h *harness) {
	id := h.create("who", "first")
	p := payload.New(20, payload.Limits{})
	h.set(p, "who", "second")
	err := h.Second.Save(h.ctx, id, session.Lock{}, p)
	if !h.caps.NewConflict {
		h.Skip("this store cannot tell that a session appeared meanwhile")
	}
	h.mustBe(err, session.ErrExists)
	h.mustHold(id, "who", "first")
	h.mustBeFree(id)
}

func testAcquireExcludes(h *harness) {
	id := h.create("n", 1)
	rec := h.acquire(h.Store, id)
	for _, s := range []session.Store{h.Store, h.Second} {
		_, err := s.Acquire(h.ctx, id, lease)
		if locked := h.mustBeLocked(err); locked.Holder != rec.Lock {
			h.Fatalf("the holder is %+v, the error says %+v", rec.Lock, locked.Holder)
		}
		_, err = s.Get(h.ctx, id)
		h.mustBeLocked(err)
		h.must(s.Touch(h.ctx, id))
	}
	// Another session is free.
	other := h.create("n", 1)
	h.mustBeFree(other)

	h.set(rec.Payload, "n", 2)
	h.must(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload))
	h.mustHold(id, "n", int32(2))
	h.mustBeFree(id)
}

func testRelease(h *harness) {
	id := h.create("n", 1)
	rec := h.acquire(h.Store, id)
	h.set(rec.Payload, "n", 2)
	h.must(h.Store.Release(h.ctx, id, rec.Lock))
	h.mustHold(id, "n", int32(1))
	next := h.acquire(h.Second, id)
	if next.Lock == rec.Lock {
		h.Fatal("two takings of a lock have one token")
	}
	// A release that comes late must not free the next holder's lock.
	h.mustBe(h.Store.Release(h.ctx, id, rec.Lock), session.ErrLockLost)
	_, err := h.Store.Acquire(h.ctx, id, lease)
	h.mustBeLocked(err)
	h.must(h.Second.Release(h.ctx, id, next.Lock))
}

func testSteal(h *harness) {
	id := h.create("who", "nobody")
	old := h.acquire(h.Store, id)
	_, err := h.Second.Acquire(h.ctx, id, lease)
	locked := h.mustBeLocked(err)
	h.must(h.Second.Release(h.ctx, id, locked.Holder))
	thief := h.acquire(h.Second, id)

	h.set(old.Payload, "who", "the old holder")
	h.mustBe(h.Store.Save(h.ctx, id, old.Lock, old.Payload), session.ErrLockLost)
	h.mustBe(h.Store.Remove(h.ctx, id, old.Lock), session.ErrLockLost)
	_, err = h.Store.Get(h.ctx, id)
	h.mustBeLocked(err)

	h.set(thief.Payload, "who", "the thief")
	h.must(h.Second.Save(h.ctx, id, thief.Lock, thief.Payload))
	h.mustHold(id, "who", "the thief")
}

func testStaleSave(h *harness) {
	if !h.caps.StaleSave {
		h.Skip("this store cannot tell a broken lock that nobody took since")
	}
	id := h.create("n", 1)
	rec := h.acquire(h.Store, id)
	h.must(h.Second.Release(h.ctx, id, rec.Lock))
	h.set(rec.Payload, "n", 2)
	h.mustBe(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload), session.ErrLockLost)
	h.mustHold(id, "n", int32(1))

	// Nor after the next holder has come and gone.
	next := h.acquire(h.Second, id)
	h.set(next.Payload, "n", 3)
	h.must(h.Second.Save(h.ctx, id, next.Lock, next.Payload))
	h.mustBe(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload), session.ErrLockLost)
	h.mustHold(id, "n", int32(3))
	h.mustBeFree(id)
}

func testGone(h *harness) {
	if !h.caps.StaleSave {
		h.Skip("this store cannot tell that a session is gone")
	}
	id := h.create("n", 1)
	rec := h.acquire(h.Store, id)
	h.must(h.Second.Remove(h.ctx, id, rec.Lock))
	h.mustBe(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload), session.ErrLockLost)
	_, err := h.Second.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)

	// A session of the same id made since is another: the old lock is no key.
	p := payload.New(20, payload.Limits{})
	h.set(p, "n", 5)
	h.must(h.Second.Save(h.ctx, id, session.Lock{}, p))
	next := h.acquire(h.Second, id)
	h.set(rec.Payload, "n", 2)
	h.mustBe(h.Store.Save(h.ctx, id, rec.Lock, rec.Payload), session.ErrLockLost)
	h.must(h.Second.Release(h.ctx, id, next.Lock))
	h.mustHold(id, "n", int32(5))
}

func testRemove(h *harness) {
	id := h.create("n", 1)
	rec := h.acquire(h.Store, id)
	h.mustBeLocked(h.Second.Remove(h.ctx, id, session.Lock{}))
	h.must(h.Store.Remove(h.ctx, id, rec.Lock))
	_, err := h.Second.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)

	id = h.create("n", 1)
	h.must(h.Store.Remove(h.ctx, id, session.Lock{}))
	_, err = h.Second.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)
}
