package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aspsession/aspsession/session"
)

var watchVerb = verb{
	name:    "watch",
	line:    "[--json] [--values] [--every D] [--count N] STORE-FLAGS ID",
	summary: "Watch tells what happens to a session, until it is gone.",
	help: `  --json          One JSON object a line: time, event, and of an item key, type and
                  bytes. The events are there, gone, locked, unlocked, set,
                  removed, timeout.
  --values        Tell the values too.
  --every D       Look so often, 100ms at least. Default 1s.
  --count N       Look so many times. Default 0: until the session is gone or
                  SIGINT or SIGTERM comes.
` + storeHelp + "\n" + idHelp + `
It looks from time to time, so that what comes and goes between two looks is not
seen. Each look renews the session's timeout: a watched session does not expire.
The exit code is 1 where there is no such session at the start, and where the
store fails.`,
	run: watch,
}

// A sight is what one look at a session saw.
type sight struct {
	there, locked bool
	age           time.Duration // of the lock
	holder        session.Lock
	timeout       int32
	items         map[string]seenItem // nil while locked: they cannot be read
}

type seenItem struct {
	shownItem
	sum [sha256.Size]byte
}

// An event is one line of watch.
type event struct {
	Time  string  `json:"time"`
	Event string  `json:"event"`
	Key   *string `json:"key,omitempty"`
	Type  string  `json:"type,omitempty"`
	Bytes *int    `json:"bytes,omitempty"`
	Value *any    `json:"value,omitempty"`
	Text  string  `json:"-"`
}

// watch is the verb.
func watch(c *call) int {
	var store storeFlags
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	store.register(flags)
	asJSON := flags.Bool("json", false, "")
	values := flags.Bool("values", false, "")
	every := flags.Duration("every", time.Second, "")
	count := flags.Int("count", 0, "")
	return c.onSession(&store, flags, func(ctx context.Context, t *target, id string) int {
		last := sight{items: map[string]seenItem{}}
		for n := 1; ; n++ {
			now, err := look(ctx, t, id, *values)
			switch {
			case ctx.Err() != nil:
				return exitOK // he has seen enough
			case err != nil:
				return c.fails(fmt.Errorf("session %s: %w", shortID(id), err))
			case n == 1 && !now.there:
				return c.fails(fmt.Errorf("session %s: %w", shortID(id), session.ErrNotFound))
			}
			if code := c.write(eventLines(last.changes(now), *asJSON, time.Now()), exitOK); code != exitOK || !now.there {
				return code
			}
			if now.items == nil {
				now.items, now.timeout = last.items, last.timeout // unknown until it is unlocked
			}
			last = now
			if n == *count || sleep(ctx, max(*every, pollInterval)) != nil {
				return exitOK
			}
		}
	})
}

func look(ctx context.Context, t *target, id string, values bool) (sight, error) {
	rec, err := t.Get(ctx, id)
	var locked *session.LockedError
	switch {
	case errors.As(err, &locked):
		return sight{there: true, locked: true, age: locked.Age, holder: locked.Holder}, nil
	case errors.Is(err, session.ErrNotFound):
		return sight{}, nil
	case err != nil:
		return sight{}, err
	}
	s := sight{there: true, timeout: rec.Payload.Timeout(), items: map[string]seenItem{}}
	for item := range rec.Payload.Items().All() {
		s.items[item.Key] = seenItem{newShownItem(item, values), sha256.Sum256(item.Data)}
	}
	return s, nil
}

// changes are what happened between two sights.
func (s sight) changes(now sight) (list []event) {
	if !now.there {
		return []event{{Event: "gone", Text: "it expired or was removed"}}
	}
	if !s.there {
		list = append(list, event{Event: "there"})
	}
	if s.locked && (!now.locked || now.holder != s.holder) {
		list = append(list, event{Event: "unlocked"})
	}
	if now.locked && (!s.locked || now.holder != s.holder) {
		list = append(list, event{Event: "locked", Text: "for " + seconds(now.age)})
	}
	if now.items == nil {
		return list
	}
	if s.timeout != now.timeout {
		list = append(list, event{Event: "timeout", Text: plural(int(now.timeout), "minute")})
	}
	var items []event
	for key, i := range now.items {
		if old, ok := s.items[key]; !ok || old.sum != i.sum {
			text := ""
			if i.text != "" {
				text = ", " + i.text
			}
			items = append(items, event{Event: "set", Key: keyOf(i), Type: i.Type, Bytes: new(i.Bytes), Value: i.Value, Text: plural(i.Bytes, "byte") + text})
		}
	}
	for key, i := range s.items {
		if _, ok := now.items[key]; !ok {
			items = append(items, event{Event: "removed", Key: keyOf(i)})
		}
	}
	slices.SortFunc(items, func(a, b event) int { return strings.Compare(*a.Key, *b.Key) })
	return append(list, items...)
}

func eventLines(list []event, asJSON bool, at time.Time) []byte {
	var b strings.Builder
	for _, e := range list {
		e.Time = at.UTC().Format("2006-01-02T15:04:05.000Z")
		if asJSON {
			line, _ := json.Marshal(e) // each value has its form
			b.Write(escapeJSON(append(line, '\n')))
			continue
		}
		fmt.Fprintf(&b, "%s  %s", e.Time, e.Event)
		if e.Key != nil {
			fmt.Fprintf(&b, " %s", label(*e.Key, keyWidth))
		}
		if e.Type != "" {
			fmt.Fprintf(&b, ": %s", label(e.Type, keyWidth))
		}
		if e.Text != "" {
			fmt.Fprintf(&b, ", %s", e.Text)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// keyOf names the item without a name as "".
func keyOf(i seenItem) *string {
	if i.Key == nil {
		return new("")
	}
	return i.Key
}
