package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/aspsession/aspsession/session"
)

var unlockVerb = verb{
	name:    "unlock",
	line:    "[--json] [--older D] STORE-FLAGS ID",
	summary: "Unlock breaks the lock of a session whose holder will not give it back.",
	help: `  --json          Print one JSON object: id, unlocked, lockSeconds.
  --older D       Leave a lock alone that is younger. Default 110s, how long a
                  request may run in ASP.NET; 0s breaks any.
` + storeHelp + "\n" + idHelp + `
A holder that is still at work finds its lock lost and its changes refused, or on
a store that cannot tell, stored late. A session that is not locked is no error;
the exit code is 1 where there is none, where its lock is younger than --older,
and where its lock changed hands at that moment.`,
	run: unlock,
}

// A doneJSON is what unlock and rm print with --json.
type doneJSON struct {
	ID          string  `json:"id"`
	Unlocked    *bool   `json:"unlocked,omitempty"`
	Removed     *bool   `json:"removed,omitempty"`
	LockSeconds float64 `json:"lockSeconds"`
}

// done reports what a verb did.
func (c *call) done(asJSON bool, d doneJSON, text string) int {
	if !asJSON {
		return c.write([]byte(text+"\n"), exitOK)
	}
	b, err := json.Marshal(d)
	if err != nil {
		return c.fails(err)
	}
	return c.write(append(b, '\n'), exitOK)
}

// holder asks who has the lock of a session; nil where nobody has.
func holder(ctx context.Context, t *target, id string) (*session.LockedError, error) {
	_, err := t.Get(ctx, id)
	var locked *session.LockedError
	if errors.As(err, &locked) {
		return locked, nil
	}
	if errors.Is(err, session.ErrBadData) {
		err = nil // it is there and unlocked
	}
	return nil, err
}

// unlock is the verb.
func unlock(c *call) int {
	var store storeFlags
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	store.register(flags)
	asJSON := flags.Bool("json", false, "")
	older := flags.Duration("older", 110*time.Second, "")
	return c.onSession(&store, flags, func(ctx context.Context, t *target, id string) int {
		name := shortID(id)
		locked, err := holder(ctx, t, id)
		switch {
		case err != nil:
			return c.fails(fmt.Errorf("session %s: %w", name, err))
		case locked == nil:
			return c.done(*asJSON, doneJSON{ID: name, Unlocked: new(false)}, fmt.Sprintf("session %s is not locked", name))
		case locked.Age < *older:
			return c.fails(fmt.Errorf("session %s is locked for %s only, and its holder may be at work: give --older 0s to break the lock all the same", name, seconds(locked.Age)))
		}
		if err := t.Release(ctx, id, locked.Holder); err != nil {
			return c.fails(fmt.Errorf("session %s: %w", name, err))
		}
		return c.done(*asJSON, doneJSON{ID: name, Unlocked: new(true), LockSeconds: locked.Age.Seconds()},
			fmt.Sprintf("session %s: a lock held for %s is broken", name, seconds(locked.Age)))
	})
}
