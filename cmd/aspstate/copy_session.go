package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// A form is how a store keeps the items of a session.
type form uint8

const (
	frames      form = iota // payload's frame
	collections             // its items alone
	hashFields              // each item on its own
)

func (f form) String() string {
	return [...]string{"frames", "item collections", "hash fields"}[f]
}

// formOf tells the form by what it cannot hold.
func formOf(s session.Store) form {
	switch c := s.Capabilities(); {
	case c.StaticObjects:
		return frames
	case c.NullItems:
		return collections
	}
	return hashFields
}

// Why a session was not copied.
const (
	skipExists      = "exists"
	skipGone        = "gone"
	skipLocked      = "locked"
	skipUnreadable  = "unreadable"
	skipUnsupported = "unsupported"
)

var reasons = []string{skipExists, skipGone, skipLocked, skipUnreadable, skipUnsupported}

var reasonTexts = map[string]string{
	skipExists:      "the target has it (--overwrite replaces it)",
	skipGone:        "it ended meanwhile",
	skipLocked:      "it stayed locked (--wait)",
	skipUnreadable:  "it cannot be read",
	skipUnsupported: "the target cannot hold it",
}

// copyCounts say what became of the sessions.
type copyCounts struct {
	Listed        int                 `json:"listed"`
	Copied        int                 `json:"copied"`
	Earlier       int                 `json:"copiedEarlier"`
	Uninitialized int                 `json:"uninitialized"`
	Overwritten   int                 `json:"overwritten"`
	Transcoded    int                 `json:"transcoded"`
	NullItems     int                 `json:"nullItemsLeftOut"`
	Skipped       map[string]*skipped `json:"skipped"`
}

type skipped struct {
	Count int           `json:"count"`
	First []skippedJSON `json:"first"` // mostSkipped of them
}

type skippedJSON struct {
	ID    string `json:"id"`
	Error string `json:"error,omitempty"`
}

const mostSkipped = 10

// A copier copies sessions. Its fields up to mu are set before run.
type copier struct {
	from, to  session.Store
	overwrite bool
	wait      time.Duration
	state     *copyState
	progress  io.Writer
	began     time.Time

	mu      sync.Mutex // guards what follows
	n       copyCounts
	waiting []string // locked sessions, for the second round
	failed  error
	done    atomic.Int64
}

// complete reports that the target has every session that did not end.
func (k *copier) complete() bool {
	for _, reason := range []string{skipLocked, skipUnreadable, skipUnsupported} {
		if k.n.Skipped[reason] != nil {
			return false
		}
	}
	return k.failed == nil
}

// run copies all that list tells. Listing is over before copying begins: a copy
// that is long must not hold it up, nor meet what it writes.
func (k *copier) run(ctx context.Context, list lister, parallel int) error {
	k.n.Skipped = map[string]*skipped{}
	var ids []string
	err := list(ctx, func(i session.Info) bool {
		k.n.Listed++
		if k.state.has(i.ID) {
			k.n.Earlier++
		} else {
			ids = append(ids, i.ID)
		}
		return true
	})
	if err != nil {
		k.failed = err
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reporter := make(chan struct{})
	go func() {
		defer close(reporter)
		k.tell(ctx, len(ids))
	}()
	k.round(ctx, cancel, ids, parallel, 0)
	slices.Sort(k.waiting)
	k.round(ctx, cancel, k.waiting, parallel, k.wait)
	interrupted := context.Cause(ctx)
	cancel()
	<-reporter
	if k.failed == nil {
		k.failed = interrupted
	}
	return k.failed
}

// round copies ids; the first failure of a store ends it.
func (k *copier) round(ctx context.Context, cancel func(), ids []string, parallel int, wait time.Duration) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(parallel, len(ids)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(ids) {
					return
				}
				if err := k.copy(ctx, ids[i], wait); err != nil {
					k.mu.Lock()
					if k.failed == nil && ctx.Err() == nil {
						k.failed = err
					}
					k.mu.Unlock()
					cancel()
					return
				}
			}
		})
	}
	workers.Wait()
}

// patience is for how long a store that fails is asked again.
const patience = 10 * time.Second

// copy copies one session, again where a store failed. Its errors are of the
// store, and end the whole.
func (k *copier) copy(ctx context.Context, id string, wait time.Duration) error {
	for until, again := time.Now().Add(patience), false; ; again = true {
		err := k.once(ctx, id, wait, again)
		if err == nil || ctx.Err() != nil || !errors.Is(err, session.ErrUnavailable) || !time.Now().Before(until) {
			return err
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return err
		}
	}
}

// once reads a session and writes it. again says that an earlier attempt may have
// written it.
func (k *copier) once(ctx context.Context, id string, wait time.Duration, again bool) error {
	rec, err := getWithin(ctx, k.from, id, wait)
	switch {
	case errors.Is(err, session.ErrNotFound):
		return k.skip(id, skipGone, nil)
	case errors.Is(err, session.ErrLocked) && wait == 0 && k.wait > 0:
		k.mu.Lock()
		k.waiting = append(k.waiting, id)
		k.mu.Unlock()
		return nil
	case errors.Is(err, session.ErrLocked):
		return k.skip(id, skipLocked, nil)
	case errors.Is(err, session.ErrBadData):
		return k.skip(id, skipUnreadable, err)
	case err != nil:
		return err
	}
	overwritten := false
	err = k.put(ctx, id, rec)
	if errors.Is(err, session.ErrExists) && (again || k.state.resumed) && k.same(ctx, id, rec.Payload) {
		err = nil // a run that was cut off stored it, and could not note it
	}
	if errors.Is(err, session.ErrExists) && k.overwrite {
		// Removed only while nobody holds its lock, and without taking it.
		old, oldErr := k.to.Get(ctx, id)
		switch err = k.to.Remove(ctx, id, session.Lock{}); {
		case errors.Is(err, session.ErrLocked):
			return k.skip(id, skipLocked, errors.New("in the target"))
		case err == nil, errors.Is(err, session.ErrNotFound):
			overwritten = true
			err = k.put(context.WithoutCancel(ctx), id, rec) // between the two it is nowhere but in the source
			if err != nil && !errors.Is(err, session.ErrExists) && oldErr == nil {
				_ = k.put(context.WithoutCancel(ctx), id, old) // what refuses or fails leaves what was there
			}
		}
	}
	switch {
	case errors.Is(err, session.ErrExists):
		return k.skip(id, skipExists, nil)
	case errors.Is(err, session.ErrUnsupported):
		return k.skip(id, skipUnsupported, err)
	case err != nil:
		return err
	}
	if err := k.state.add(id); err != nil {
		return err
	}
	k.copied(rec, overwritten)
	return nil
}

// put stores a session that is new to the target; ErrExists where it is not. A
// store that cannot tell by itself is asked first.
func (k *copier) put(ctx context.Context, id string, rec session.Record) error {
	if rec.Uninitialized || !k.to.Capabilities().NewConflict {
		switch err := k.to.Touch(ctx, id); {
		case err == nil:
			return session.ErrExists
		case !errors.Is(err, session.ErrNotFound):
			return err
		}
	}
	if rec.Uninitialized {
		return k.to.Create(ctx, id, time.Duration(max(rec.Payload.Timeout(), 1))*time.Minute)
	}
	return k.to.Save(ctx, id, session.Lock{}, rec.Payload)
}

// same reports that the target has exactly this.
func (k *copier) same(ctx context.Context, id string, p *payload.Payload) bool {
	rec, err := k.to.Get(ctx, id)
	if err != nil {
		return false
	}
	a, aerr := p.Append(nil)
	b, berr := rec.Payload.Append(nil)
	return aerr == nil && berr == nil && bytes.Equal(a, b)
}

func (k *copier) copied(rec session.Record, overwritten bool) {
	from, to := formOf(k.from), formOf(k.to)
	nulls := 0
	if to == hashFields {
		for item := range rec.Payload.Items().All() {
			if item.Type() == payload.TypeNull {
				nulls++
			}
		}
	}
	k.done.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.n.Copied++
	k.n.NullItems += nulls
	if rec.Uninitialized {
		k.n.Uninitialized++
	}
	if overwritten {
		k.n.Overwritten++
	}
	if (from == hashFields) != (to == hashFields) {
		k.n.Transcoded++
	}
}

func (k *copier) skip(id, reason string, why error) error {
	k.done.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.n.Skipped[reason]
	if s == nil {
		s = new(skipped)
		k.n.Skipped[reason] = s
	}
	if s.Count++; len(s.First) < mostSkipped {
		e := skippedJSON{ID: shortID(id)}
		if why != nil {
			e.Error = why.Error()
		}
		s.First = append(s.First, e)
	}
	return nil
}

// tell says how far the copy is, every two seconds, until ctx is over.
func (k *copier) tell(ctx context.Context, of int) {
	for last := int64(0); sleep(ctx, progressEvery) == nil; {
		n := k.done.Load()
		fmt.Fprintf(k.progress, "aspstate: copy: %d of %d, %d a second\n", n, of, (n-last)*int64(time.Second)/int64(progressEvery))
		last = n
	}
}

const progressEvery = 2 * time.Second
