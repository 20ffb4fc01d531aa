package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

func testCounters(h *harness) {
	const workers, rounds = 8, 50
	id := h.create("n", 0)
	managers := []*session.Manager{h.manager(h.Store), h.manager(h.Second)}
	var wg sync.WaitGroup
	for i := range workers {
		m := managers[i%2]
		wg.Go(func() {
			for range rounds {
				if err := increment(h.ctx, m, id); err != nil {
					h.Errorf("worker %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	h.mustHold(id, "n", int32(workers*rounds))
	h.mustBeFree(id)
}

func increment(ctx context.Context, m *session.Manager, id string) error {
	s, err := m.Open(ctx, id, session.ReadWrite)
	if err != nil {
		return err
	}
	n, err := session.Value[int](s, "n")
	if err == nil {
		err = s.Set("n", n+1)
	}
	return errors.Join(err, m.Finish(s))
}

// testLostAcquire cancels requests while they wait for a lock or are being given
// one: no lock stays behind, and what succeeded is counted.
func testLostAcquire(h *harness) {
	id := h.create("n", 0)
	m := h.manager(h.Store)
	var wg sync.WaitGroup
	var mu sync.Mutex
	succeeded := 0
	for range 8 {
		wg.Go(func() {
			for range 25 {
				ctx, cancel := context.WithCancel(h.ctx)
				timer := time.AfterFunc(rand.N(2*time.Millisecond), cancel)
				err := increment(ctx, m, id)
				timer.Stop()
				cancel()
				switch {
				case err == nil:
					mu.Lock()
					succeeded++
					mu.Unlock()
				case !errors.Is(err, context.Canceled):
					h.Errorf("unexpected error: %v", err)
				}
			}
		})
	}
	wg.Wait()
	// Locks granted to nobody are given back in the background.
	ctx, cancel := context.WithTimeout(h.ctx, time.Minute)
	defer cancel()
	h.must(m.Close(ctx))
	h.mustBeFree(id)
	h.mustHold(id, "n", int32(succeeded))
	_, err := m.Open(h.ctx, id, session.ReadOnly)
	h.mustBe(err, session.ErrClosed)
}

func testAbandon(h *harness) {
	id := h.create("n", 1)
	m := h.manager(h.Store)
	s, err := m.Open(h.ctx, id, session.ReadWrite)
	h.must(err)
	h.must(s.Set("n", 2))
	h.must(s.Abandon())
	h.must(m.Finish(s))
	_, err = h.Second.Get(h.ctx, id)
	h.mustBe(err, session.ErrNotFound)

	// The id lives on: the next request starts a new session under it.
	s, err = m.Open(h.ctx, id, session.ReadWrite)
	h.must(err)
	if !s.IsNew() || s.ID() != id {
		h.Fatalf("new %v, id kept %v; want both", s.IsNew(), s.ID() == id)
	}
	h.must(s.Set("n", 3))
	h.must(m.Finish(s))
	h.mustHold(id, "n", int32(3))
}

func testSaveInMidRequest(h *harness) {
	id := h.create("n", 1)
	m := h.manager(h.Store)
	s, err := m.Open(h.ctx, id, session.ReadWrite)
	h.must(err)
	h.must(s.Set("n", 2))
	h.must(s.Save())
	_, err = h.Second.Get(h.ctx, id)
	h.mustBeLocked(err)
	h.must(s.Set("n", 3))
	h.must(m.Discard(s)) // what was saved stays, what was not is gone
	h.mustHold(id, "n", int32(2))
	h.mustBeFree(id)
}

func testWait(h *harness) {
	w, ok := h.Store.(session.Waiter)
	if !ok {
		h.Skip("this store does not tell of releases")
	}
	id := h.create("n", 1)
	rec := h.acquire(h.Second, id)
	result := make(chan error, 1)
	go func() { result <- w.Wait(h.ctx, id, rec.Lock, time.Minute) }()
	h.must(h.Second.Release(h.ctx, id, rec.Lock))
	select {
	case err := <-result:
		h.must(err)
	case <-time.After(30 * time.Second):
		h.Fatal("a waiter was not told of the release")
	}
	// For a lock that is not there is nothing to wait for.
	h.must(w.Wait(h.ctx, id, rec.Lock, time.Minute))

	rec = h.acquire(h.Second, id)
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	if err := w.Wait(ctx, id, rec.Lock, time.Minute); err == nil {
		h.Fatal("a cancelled waiter was told to try again")
	}
	h.must(w.Wait(h.ctx, id, rec.Lock, time.Millisecond))
	h.must(h.Second.Release(h.ctx, id, rec.Lock))
}

func testCheckpoint(h *harness) {
	c, ok := h.Store.(session.Checkpointer)
	if !ok {
		h.Skip("saving releases the lock here")
	}
	id := h.id()
	p := payload.New(20, payload.Limits{})
	h.set(p, "n", 1)
	lock, err := c.Checkpoint(h.ctx, id, session.Lock{}, lease, p)
	h.must(err)
	_, err = h.Second.Get(h.ctx, id)
	h.mustBeLocked(err)
	h.set(p, "n", 2)
	again, err := c.Checkpoint(h.ctx, id, lock, lease, p)
	h.must(err)
	if again != lock {
		h.Fatal("the lock changed hands")
	}
	h.must(h.Store.Release(h.ctx, id, lock))
	h.mustHold(id, "n", int32(2))
	h.set(p, "n", 3)
	_, err = c.Checkpoint(h.ctx, id, lock, lease, p)
	if h.caps.StaleSave {
		h.mustBe(err, session.ErrLockLost)
	}
	_, err = c.Checkpoint(h.ctx, id, session.Lock{}, lease, p)
	if h.caps.NewConflict {
		h.mustBe(err, session.ErrExists)
	}
	h.mustBeFree(id)
}

func testList(h *harness) {
	l, ok := h.Store.(session.Lister)
	if !ok {
		h.Skip("this store cannot enumerate")
	}
	free, held, fresh := h.create("n", 1), h.create("n", 1), h.id()
	h.must(h.Store.Create(h.ctx, fresh, 20*time.Minute))
	rec := h.acquire(h.Second, held)
	seen := map[string]session.Info{}
	h.must(l.List(h.ctx, func(i session.Info) bool { seen[i.ID] = i; return true }))
	for _, id := range []string{free, held, fresh} {
		info, ok := seen[id]
		if !ok {
			h.Fatal("a session is missing from the list")
		}
		if info.Size <= 0 || info.Expires <= 0 || info.Expires > 20*time.Minute {
			h.Fatalf("size %d, expires in %v", info.Size, info.Expires)
		}
		if (id == fresh) != info.Uninitialized || (id == held) == info.Lock.IsZero() {
			h.Fatalf("%+v", info)
		}
	}
	if seen[held].Lock != rec.Lock {
		h.Fatalf("holder %+v, want %+v", seen[held].Lock, rec.Lock)
	}
	n := 0
	h.must(l.List(h.ctx, func(session.Info) bool { n++; return false }))
	if n != 1 {
		h.Fatalf("the list went on %d times after it was told to stop", n-1)
	}
}
