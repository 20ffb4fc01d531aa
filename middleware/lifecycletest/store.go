package lifecycletest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// A recorder is the store under test with its calls written down, and one of
// them failing where a row says so.
type recorder struct {
	under session.Store

	mu    sync.Mutex // guards the rest
	calls []string
	ids   []string // in the order in which the life cycle named them
	fault *fault
	race  func(id string) // runs before the first Create
	asked chan struct{}   // closed at the first Get or Acquire
	once  sync.Once
}

// A fault fails one call, once.
type fault struct {
	call string
	err  error
	lost bool // the store does what it was asked for, and the answer is lost
}

func newRecorder(under session.Store, f *fault) *recorder {
	return &recorder{under: under, fault: f, asked: make(chan struct{})}
}

// store is the recorder with the optional interfaces of the store under test
// that the life cycle looks for, and no others.
func (r *recorder) store() session.Store {
	w, waits := r.under.(session.Waiter)
	_, checkpoints := r.under.(session.Checkpointer)
	n, renews := r.under.(session.Renewer)
	c := checkpointer{r}
	switch {
	case waits && checkpoints && renews:
		return struct {
			*recorder
			session.Waiter
			session.Checkpointer
			session.Renewer
		}{r, w, c, n}
	case waits && checkpoints:
		return struct {
			*recorder
			session.Waiter
			session.Checkpointer
		}{r, w, c}
	case waits && renews:
		return struct {
			*recorder
			session.Waiter
			session.Renewer
		}{r, w, n}
	case checkpoints && renews:
		return struct {
			*recorder
			session.Checkpointer
			session.Renewer
		}{r, c, n}
	case waits:
		return struct {
			*recorder
			session.Waiter
		}{r, w}
	case checkpoints:
		return struct {
			*recorder
			session.Checkpointer
		}{r, c}
	case renews:
		return struct {
			*recorder
			session.Renewer
		}{r, n}
	}
	return r
}

// do makes a call of the store and writes it down, unless it found a lock: how
// often a waiter asks is not the row's business.
func (r *recorder) do(name, id string, call func() error) error {
	r.mu.Lock()
	f := r.fault
	if f != nil && f.call == name {
		r.fault = nil
	} else {
		f = nil
	}
	race := r.race
	if name == "Create" {
		r.race = nil
	} else {
		race = nil
	}
	r.mu.Unlock()
	if name == "Get" || name == "Acquire" {
		r.once.Do(func() { close(r.asked) })
	}
	if race != nil {
		race(id)
	}
	var err error
	if f == nil || f.lost {
		err = call()
	}
	if f != nil && err == nil {
		err = f.err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !errors.Is(err, session.ErrLocked) {
		r.calls = append(r.calls, name)
	}
	r.note(id)
	return err
}

func (r *recorder) note(id string) {
	for _, known := range r.ids {
		if known == id {
			return
		}
	}
	r.ids = append(r.ids, id)
}

// seen returns the calls and the ids.
func (r *recorder) seen() (calls string, ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.calls, " "), r.ids
}

func (r *recorder) Get(ctx context.Context, id string) (rec session.Record, err error) {
	err = r.do("Get", id, func() (err error) { rec, err = r.under.Get(ctx, id); return err })
	return answer(rec, err)
}

func (r *recorder) Acquire(ctx context.Context, id string, lease time.Duration) (rec session.Record, err error) {
	err = r.do("Acquire", id, func() (err error) { rec, err = r.under.Acquire(ctx, id, lease); return err })
	return answer(rec, err)
}

// answer keeps what was found from who was told of an error.
func answer(rec session.Record, err error) (session.Record, error) {
	if err != nil {
		return session.Record{}, err
	}
	return rec, nil
}

func (r *recorder) Create(ctx context.Context, id string, timeout time.Duration) error {
	return r.do("Create", id, func() error { return r.under.Create(ctx, id, timeout) })
}

func (r *recorder) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	return r.do("Save", id, func() error { return r.under.Save(ctx, id, lock, p) })
}

func (r *recorder) Release(ctx context.Context, id string, lock session.Lock) error {
	return r.do("Release", id, func() error { return r.under.Release(ctx, id, lock) })
}

func (r *recorder) Remove(ctx context.Context, id string, lock session.Lock) error {
	return r.do("Remove", id, func() error { return r.under.Remove(ctx, id, lock) })
}

func (r *recorder) Touch(ctx context.Context, id string) error {
	return r.do("Touch", id, func() error { return r.under.Touch(ctx, id) })
}

func (r *recorder) Capabilities() session.Capabilities { return r.under.Capabilities() }

type checkpointer struct{ r *recorder }

func (c checkpointer) Checkpoint(ctx context.Context, id string, lock session.Lock, lease time.Duration, p *payload.Payload) (held session.Lock, err error) {
	err = c.r.do("Checkpoint", id, func() (err error) {
		held, err = c.r.under.(session.Checkpointer).Checkpoint(ctx, id, lock, lease, p)
		return err
	})
	if err != nil {
		return session.Lock{}, err
	}
	return held, nil
}
