package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aspsession/aspsession/session"
)

var lsVerb = verb{
	name:    "ls",
	line:    "[--json] [--ids] [--locked] [--sort KEY] STORE-FLAGS",
	summary: "Ls lists the sessions of an application: size, time to live, lock.",
	help: `  --json          One JSON object a line: id, size in bytes, expiresSeconds (-1:
                  never), uninitialized, locked, lockSeconds.
  --ids           Show whole ids. Whoever has one is that visitor.
  --locked        Only sessions whose lock is held.
  --sort KEY      size, expires or lock: the largest, the soonest, the longest
                  held first. Default: by the id shown.
` + storeHelp + `
Listing renews no timeout and takes no lock. The exit code is 1 where the store
cannot list its sessions or cannot be reached.`,
	run: ls,
}

type listedJSON struct {
	ID             string  `json:"id"`
	Size           int     `json:"size"`
	ExpiresSeconds float64 `json:"expiresSeconds"`
	Uninitialized  bool    `json:"uninitialized"`
	Locked         bool    `json:"locked"`
	LockSeconds    float64 `json:"lockSeconds"`
}

// sortings are what --sort takes.
var sortings = map[string]func(a, b session.Info) int{
	"":     func(session.Info, session.Info) int { return 0 },
	"size": func(a, b session.Info) int { return b.Size - a.Size },
	"expires": func(a, b session.Info) int {
		// Never, which is negative, is last.
		return compare(uint64(a.Expires), uint64(b.Expires))
	},
	"lock": func(a, b session.Info) int { return compare(b.LockAge, a.LockAge) },
}

func compare[T uint64 | time.Duration](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ls is the verb.
func ls(c *call) int {
	var store storeFlags
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	store.register(flags)
	asJSON := flags.Bool("json", false, "")
	ids := flags.Bool("ids", false, "")
	lockedOnly := flags.Bool("locked", false, "")
	key := flags.String("sort", "", "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	order, ok := sortings[*key]
	if !ok {
		fmt.Fprintf(c.stderr, "aspstate: ls: --sort is size, expires or lock, not %s\n", quote(*key, keyWidth))
		return exitUsage
	}
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	t, err := store.open(ctx, c)
	if err != nil {
		return c.fails(err)
	}
	defer t.close()
	var list []session.Info
	err = t.list(ctx, func(i session.Info) bool {
		if !*lockedOnly || !i.Lock.IsZero() {
			list = append(list, i)
		}
		return true
	})
	if err != nil {
		return c.fails(err)
	}
	slices.SortFunc(list, func(a, b session.Info) int {
		if n := order(a, b); n != 0 {
			return n
		}
		return strings.Compare(shownID(a.ID, *ids), shownID(b.ID, *ids))
	})
	if *asJSON {
		return c.write(lsJSON(list, *ids), exitOK)
	}
	return c.write(lsTable(list, *ids), exitOK)
}

func lsJSON(list []session.Info, ids bool) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, i := range list {
		id := i.ID
		if !ids {
			id = shortID(id)
		}
		left := i.Expires.Seconds()
		if i.Expires < 0 {
			left = -1
		}
		_ = enc.Encode(listedJSON{id, i.Size, left, i.Uninitialized, !i.Lock.IsZero(), i.LockAge.Seconds()}) // a Buffer never fails
	}
	return escapeJSON(b.Bytes())
}

func lsTable(list []session.Info, ids bool) []byte {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if len(list) > 0 {
		fmt.Fprintln(w, "ID\tBYTES\tEXPIRES IN\tLOCKED FOR\tSTATE")
	}
	size, locked := 0, 0
	for _, i := range list {
		size += i.Size
		lock, state := "-", "in use"
		if !i.Lock.IsZero() {
			locked++
			lock = seconds(i.LockAge)
		}
		if i.Uninitialized {
			state = "uninitialized"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", shownID(i.ID, ids), i.Size, lifeText(i.Expires), lock, state)
	}
	w.Flush()
	fmt.Fprintf(&b, "%s, %d locked, %s\n", plural(len(list), "session"), locked, plural(size, "byte"))
	return b.Bytes()
}

func lifeText(d time.Duration) string {
	if d < 0 {
		return "never"
	}
	return seconds(d)
}

// seconds is a duration in whole seconds, as "19m58s".
func seconds(d time.Duration) string { return d.Truncate(time.Second).String() }
