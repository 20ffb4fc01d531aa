package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/aspsession/aspsession/session"
)

var discoverVerb = verb{
	name:    "discover",
	line:    "[--json] STORE-FLAGS",
	summary: "Discover finds the applications that have sessions in a store, and who shares.",
	help: `  --json          One JSON object a line: application, generation, sessions, bytes
                  (-1: not known), locked, yours, notes.
` + storeHelp + `
A state service of ours is read by --admin; --config or --store may be missing
then, and with them the application of --app-id is marked. Applications share
sessions where application and generation are the same; those that nearly do are
told why not: another case (ROOT and Root are two applications), another
generation of the hash in the keys, another layout of Redis. In a classic SQL
Server database an application is a number, and names with one number share. It
changes nothing and renews no timeout.

The exit code is 0 also where there is nothing; 1 where the store cannot be read.`,
	run: discover,
}

// A found is an application, or what else keys tell apart.
type found struct {
	Application string   `json:"application"`
	Generation  string   `json:"generation"`
	Sessions    int      `json:"sessions"`
	Bytes       int64    `json:"bytes"`
	Locked      int      `json:"locked"`
	Yours       bool     `json:"yours"`
	Notes       []string `json:"notes"`
	key         string   // what makes sessions shared
}

// discover is the verb.
func discover(c *call) int {
	var store storeFlags
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	store.register(flags)
	asJSON := flags.Bool("json", false, "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	list, err := store.discover(ctx, c)
	if err != nil {
		return c.fails(err)
	}
	relate(list)
	if *asJSON {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		for _, f := range list {
			_ = enc.Encode(f) // a Buffer never fails
		}
		return c.write(escapeJSON(b.Bytes()), exitOK)
	}
	return c.write(foundTable(list), exitOK)
}

// discover reads the keys of a store by what kind of store it is.
func (f *storeFlags) discover(ctx context.Context, c *call) ([]*found, error) {
	if f.admin != "" && f.config+f.store == "" {
		a, err := newAdminClient(f.admin, f.adminToken)
		if err != nil {
			return nil, err
		}
		defer a.close()
		own := session.Settings{AppID: f.appID, KeyBase: f.keyBase}
		return discoverStateService(ctx, a, own)
	}
	t, err := f.open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer t.close()
	switch {
	case t.admin != nil:
		return discoverStateService(ctx, t.admin, t.settings)
	case t.settings.Mode == "StateServer":
		return nil, errNoListing
	case t.settings.Mode == "Custom" && strings.HasSuffix(t.settings.Provider, "RedisSessionStateProvider"):
		return discoverRedis(ctx, t.settings)
	}
	return discoverSQL(ctx, t.settings)
}

func (f *found) count(size int64, locked bool) {
	f.Sessions++
	f.Bytes += size
	if locked {
		f.Locked++
	}
}

// A census collects them.
type census map[string]*found

func (c census) at(key, application, generation string) *found {
	if c[key] == nil {
		c[key] = &found{Application: application, Generation: generation, Notes: []string{}, key: key}
	}
	return c[key]
}

// list has the largest first.
func (c census) list() []*found {
	list := make([]*found, 0, len(c))
	for _, f := range c {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *found) int {
		if a.Sessions != b.Sessions {
			return b.Sessions - a.Sessions
		}
		return strings.Compare(a.key, b.key)
	})
	return list
}

// relate notes which nearly share, and why they do not.
func relate(list []*found) {
	for i, a := range list {
		for _, b := range list[i+1:] {
			why := ""
			switch {
			case a.Application == b.Application:
				why = "another generation: the two see nothing of each other's sessions"
			case strings.EqualFold(a.Application, b.Application):
				why = "another case of the same name: the two see nothing of each other's sessions"
			default:
				continue
			}
			a.Notes = append(a.Notes, fmt.Sprintf("and %s, %s: %s", label(b.Application, 80), b.Generation, why))
			b.Notes = append(b.Notes, fmt.Sprintf("and %s, %s: %s", label(a.Application, 80), a.Generation, why))
		}
	}
}

func foundTable(list []*found) []byte {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for n, f := range list {
		if n == 0 {
			fmt.Fprintln(w, "APPLICATION\tGENERATION\tSESSIONS\tLOCKED\tBYTES")
		}
		name, size := label(f.Application, 80), fmt.Sprint(f.Bytes)
		if f.Yours {
			name += " (yours)"
		}
		if f.Bytes < 0 {
			size = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", name, f.Generation, f.Sessions, f.Locked, size)
	}
	w.Flush()
	for _, f := range list {
		for _, note := range f.Notes {
			fmt.Fprintf(&b, "%s, %s: %s\n", label(f.Application, 80), f.Generation, note)
		}
	}
	fmt.Fprintln(&b, plural(len(list), "application"))
	return b.Bytes()
}
