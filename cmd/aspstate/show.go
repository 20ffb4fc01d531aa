package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

var showVerb = verb{
	name:    "show",
	line:    "[--json] [--values] [--wait D] STORE-FLAGS ID",
	summary: "Show shows one session: its lock, its timeout, the type and size of each item.",
	help: `  --json          Print one JSON object.
  --values        Show the values too, and not their types and sizes alone.
  --ids           Show the whole id.
  --wait D        Wait so long for a lock to be released. Default 0s.
` + storeHelp + "\n" + idHelp + `
Reading renews the session's timeout and takes no lock, and makes an
uninitialized session an ordinary one, as a page's reading does. The items of a
locked session cannot be read. The exit code is 1 where there is no such session,
where it is locked, and where an item cannot be read.`,
	run: show,
}

// A shownSession is what --json prints.
type shownSession struct {
	ID             string      `json:"id"`
	Locked         bool        `json:"locked"`
	LockSeconds    float64     `json:"lockSeconds"`
	Uninitialized  bool        `json:"uninitialized"`
	TimeoutMinutes int32       `json:"timeoutMinutes,omitempty"`
	Size           int         `json:"size,omitempty"`
	StaticBytes    int         `json:"staticBytes,omitempty"`
	Items          []shownItem `json:"items"`
}

// A shownItem has a value only with --values.
type shownItem struct {
	Key   *string `json:"key"` // null for the item without a name
	Type  string  `json:"type"`
	Bytes int     `json:"bytes"`
	Value *any    `json:"value,omitempty"`
	Error string  `json:"error,omitempty"`
	text  string  // Value for people
}

// show is the verb.
func show(c *call) int {
	var store storeFlags
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	store.register(flags)
	asJSON := flags.Bool("json", false, "")
	values := flags.Bool("values", false, "")
	ids := flags.Bool("ids", false, "")
	wait := flags.Duration("wait", 0, "")
	return c.onSession(&store, flags, func(ctx context.Context, t *target, id string) int {
		s := shownSession{ID: shortID(id), Items: []shownItem{}}
		if *ids {
			s.ID = id
		}
		rec, err := getWithin(ctx, t, id, *wait)
		var locked *session.LockedError
		switch {
		case errors.As(err, &locked):
			s.Locked, s.LockSeconds = true, locked.Age.Seconds()
		case err != nil:
			return c.fails(fmt.Errorf("session %s: %w", shortID(id), err))
		default:
			s.fill(rec, *values)
		}
		out := s.table()
		if *asJSON {
			out = s.json()
		}
		code := c.write(out, exitOK)
		bad := 0
		for _, i := range s.Items {
			if i.Error != "" {
				bad++
			}
		}
		switch {
		case s.Locked:
			return c.fails(fmt.Errorf("session %s is locked: its items can be read once the lock is released (--wait), or broken (aspstate unlock)", shortID(id)))
		case bad > 0:
			return c.fails(fmt.Errorf("session %s: %s cannot be read", shortID(id), plural(bad, "item")))
		}
		return code
	})
}

// onSession is what the verbs of one session do first: flags, store, id.
func (c *call) onSession(store *storeFlags, flags *flag.FlagSet, do func(ctx context.Context, t *target, id string) int) int {
	if code, done := c.parse(flags, 1); done {
		return code
	}
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	t, err := store.open(ctx, c)
	if err != nil {
		return c.fails(err)
	}
	defer t.close()
	id, err := t.findID(ctx, c, c.file)
	if err != nil {
		return c.fails(err)
	}
	return do(ctx, t, id)
}

// pollInterval is how often a locked session is asked for again.
const pollInterval = 100 * time.Millisecond

// getWithin reads a session, waiting so long for its lock.
func getWithin(ctx context.Context, store session.Store, id string, wait time.Duration) (session.Record, error) {
	for until := time.Now().Add(wait); ; {
		rec, err := store.Get(ctx, id)
		if !errors.Is(err, session.ErrLocked) || !time.Now().Before(until) {
			return rec, err
		}
		if err := sleep(ctx, min(pollInterval, time.Until(until))); err != nil {
			return rec, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *shownSession) fill(rec session.Record, values bool) {
	s.Uninitialized, s.TimeoutMinutes = rec.Uninitialized, rec.Payload.Timeout()
	s.Size, s.StaticBytes = rec.Payload.Size(), len(rec.Payload.Static())
	for item := range rec.Payload.Items().All() {
		s.Items = append(s.Items, newShownItem(item, values))
	}
}

// newShownItem keeps the text of errors about values back too where values are
// not wanted: it may quote what it met.
func newShownItem(item payload.Item, values bool) shownItem {
	i := shownItem{Bytes: len(item.Data), Type: typeCell(item.Type(), item.Data)}
	if !item.NullKey {
		i.Key = &item.Key
	}
	if item.Encoding == payload.Foreign {
		i.Type = "(another serializer's)"
		return i
	}
	value, err := item.Decode(nil)
	bad := 0
	if o, ok := value.(payload.Object); ok && err == nil {
		if g, gerr := o.Graph(); gerr == nil {
			i.Type = shortName(g.Root())
		} else {
			err = gerr
		}
	}
	switch {
	case err != nil && !values:
		i.Error = "it cannot be read; --values says why"
	case values:
		j := newTypedJSON(item.Type(), len(item.Data) > 0, value, err, itemName(item), &bad)
		i.Value, i.Error = j.Value, j.Error
		i.text = valueCell(value, err, &bad)
	}
	return i
}

func (s *shownSession) json() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(s) // a Buffer never fails, and each value has its form
	return escapeJSON(b.Bytes())
}

func (s *shownSession) table() []byte {
	var b bytes.Buffer
	if s.Locked {
		fmt.Fprintf(&b, "session %s: locked for %s\n", label(s.ID, session.MaxIDLength), durationText(s.LockSeconds))
		return b.Bytes()
	}
	parts := []string{plural(s.Size, "byte"), "timeout " + plural(int(s.TimeoutMinutes), "minute"), plural(len(s.Items), "item"), "not locked"}
	if s.StaticBytes > 0 {
		parts = append(parts, "static tail of "+plural(s.StaticBytes, "byte"))
	}
	if s.Uninitialized {
		parts = append(parts, "uninitialized until now")
	}
	fmt.Fprintf(&b, "session %s: %s\n", label(s.ID, session.MaxIDLength), strings.Join(parts, ", "))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for n, i := range s.Items {
		if n == 0 {
			fmt.Fprintln(w, "KEY\tTYPE\tVALUE\tBYTES")
		}
		key := "(no name)"
		if i.Key != nil {
			key = label(*i.Key, keyWidth)
		}
		value := i.text
		switch {
		case i.Error != "" && value == "":
			value = "error: " + i.Error
		case value == "":
			value = "(hidden)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", key, label(i.Type, keyWidth), value, strconv.Itoa(i.Bytes))
	}
	w.Flush()
	return b.Bytes()
}

func durationText(secs float64) string { return seconds(time.Duration(secs * float64(time.Second))) }
