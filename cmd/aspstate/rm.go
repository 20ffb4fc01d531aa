package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/aspsession/aspsession/session"
)

var rmVerb = verb{
	name:    "rm",
	line:    "[--json] [--force] STORE-FLAGS ID",
	summary: "Rm removes a session: its visitor begins a new one.",
	help: `  --json          Print one JSON object: id, removed, lockSeconds.
  --force         Remove a locked session too, under its holder's lock.
` + storeHelp + "\n" + idHelp + `
The exit code is 1 where there is no such session, and where it is locked.`,
	run: rm,
}

// rm is the verb.
func rm(c *call) int {
	var store storeFlags
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	store.register(flags)
	asJSON := flags.Bool("json", false, "")
	force := flags.Bool("force", false, "")
	return c.onSession(&store, flags, func(ctx context.Context, t *target, id string) int {
		name := shortID(id)
		err := t.Remove(ctx, id, session.Lock{})
		var locked *session.LockedError
		d := doneJSON{ID: name, Removed: new(true)}
		if errors.As(err, &locked) {
			d.LockSeconds = locked.Age.Seconds()
			err = fmt.Errorf("%w: a request is at work on it, for %s; --force removes it all the same", session.ErrLocked, seconds(locked.Age))
			if *force {
				err = t.Remove(ctx, id, locked.Holder)
			}
		}
		if err != nil {
			return c.fails(fmt.Errorf("session %s: %w", name, err))
		}
		return c.done(*asJSON, d, fmt.Sprintf("session %s is removed", name))
	})
}
