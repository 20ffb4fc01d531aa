package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/sqlserver"
)

const copyHelp = `  --from S, --to S
                  The two stores: each a web.config, or a URL or @FILE as --store
                  of the other verbs takes ("aspstate help ls").
  --from-app-id ID, --from-path PATH, --from-location P, --from-machine FILE,
  --from-key-base B, --from-old-hash, --from-layout L, --from-hash H,
  --from-admin ADDRESS, --from-admin-token FILE
                  As --app-id and so on of the other verbs, for --from. A state
                  service must be one of ours to be copied from, with its --admin.
  --to-app-id ID, --to-path PATH, --to-location P, --to-machine FILE,
  --to-key-base B, --to-old-hash, --to-layout L, --to-hash H
                  The same for --to. Default of --to-app-id: --from-app-id.
  --overwrite     Replace sessions that the target has. Default: they are skipped.
  --wait D        Wait so long for each session that is locked, once all others
                  are copied. Default 5s.
  --parallel N    Copy so many at a time, 1 to 64. Default 8.
  --state FILE    Remember here what is copied. Default aspstate-copy.state in the
                  present folder.
  --json          Print the counts as one JSON object.

A session is read as a read-only page reads it, and none is ever locked, in
neither store. Between stores that keep a frame or a collection (a state service,
SQL Server's, layout C of Redis) the items' bytes stay as they are, and those of
the whole session where both keep frames. To and from Redis hashes (layouts A and
B) each item is written in the other form: items that are null have none there and
are left out, and counted. Static objects have no place in Redis: such sessions
are skipped. The sliding timeout stays what it is and begins anew, in both stores.
An uninitialized session is made so in the target; in the source it is an ordinary
one from then on, as after a page's reading.

SIGINT, SIGTERM or a crash leaves the state file: the same command line goes on
from there. It is removed once everything is copied, and with --overwrite once
everything was tried. It holds no ids, but hashes. What a visitor changes in the
source after his session was copied stays behind: stop the site, or copy with
--overwrite once more.

The exit code is 0 where every session is in the target, those that it had and
those that ended meanwhile included; 1 where one was skipped for another reason
(locked, unreadable, not to be held by the target), where a store failed and where
the copy was interrupted.`

var copyVerb = verb{
	name:    "copy",
	line:    "--from S --to S [--from-app-id ID] [--from-admin ADDRESS] [--overwrite] [--json] ...",
	summary: "Copy copies the sessions of an application to another store.",
	help:    copyHelp,
	run:     copySessions,
}

// copySessions is the verb.
func copySessions(c *call) int {
	var from, to storeFlags
	k := copier{began: time.Now()}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	from.registerAs(flags, "from")
	from.registerAdmin(flags, "from-")
	to.registerAs(flags, "to")
	flags.BoolVar(&k.overwrite, "overwrite", false, "")
	flags.DurationVar(&k.wait, "wait", 5*time.Second, "")
	parallel := flags.Int("parallel", 8, "")
	file := flags.String("state", "aspstate-copy.state", "")
	asJSON := flags.Bool("json", false, "")
	if code, done := c.parse(flags, 0); done {
		return code
	}
	if from.config+from.store == "" || to.config+to.store == "" || *parallel < 1 || *parallel > 64 {
		fmt.Fprintf(c.stderr, "aspstate: copy: give --from and --to, and --parallel of 1 to 64\nUsage: aspstate %s %s\n", c.name, c.line)
		return exitUsage
	}
	to.appID = cmp.Or(to.appID, from.appID)
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	src, err := from.open(ctx, c)
	if err != nil {
		return c.fails(fmt.Errorf("--from: %w", err))
	}
	defer src.close()
	dst, err := to.open(ctx, c)
	if err != nil {
		return c.fails(fmt.Errorf("--to: %w", err))
	}
	defer dst.close()
	a, b := place(src.settings), place(dst.settings)
	if a == b {
		return c.fails(errors.New("--from and --to are the same store and application"))
	}
	k.from, k.to, k.progress = src, dst, c.stderr
	if k.state, err = openCopyState(*file, fmt.Sprintf("%s\n%s\n%t", a, b, k.overwrite)); err != nil {
		return c.fails(err)
	}
	err = k.run(ctx, src.list, *parallel)
	if serr := k.state.close(err == nil && (k.overwrite || k.complete())); err == nil {
		err = serr
	}
	if k.n.Listed == 0 && err != nil && !*asJSON {
		return c.fails(err)
	}
	out := k.report()
	if *asJSON {
		if out, err = k.reportJSON(err); out == nil {
			return c.fails(err)
		}
	}
	code := c.write(out, exitOK)
	switch {
	case ctx.Err() != nil:
		return c.fails(fmt.Errorf("interrupted; the same command goes on from here, with %s", label(*file, 200)))
	case err != nil:
		return c.fails(err)
	case !k.complete():
		return exitData
	}
	return code
}

// place says without secrets where sessions are and whose they are.
func place(s session.Settings) string {
	where := s.Connection
	switch {
	case s.Mode == "SQLServer", strings.Contains(s.Provider, "Sql"):
		where = ""
		if t, err := sqlserver.ParseConnectionString(s.Connection); err == nil {
			where = t.Server() + " " + t.Database() + " " + s.Attributes["sessiontablename"]
		}
	case s.Mode == "Custom":
		opt, _, err := redis.Provider{Attributes: s.Attributes}.Options()
		if err == nil {
			where = fmt.Sprint(opt.Redis.Addrs, opt.Redis.DB, opt.App, s.Attributes["layout"])
			s.AppID = "" // its keys have the application's name alone
		}
	}
	return strings.Join([]string{s.Mode, s.Provider, where, s.AppID, s.KeyBase, fmt.Sprint(s.Validation != "")}, " ")
}

// reportJSON is the report as one object. It passes err on, as text too.
func (k *copier) reportJSON(err error) ([]byte, error) {
	r := copyReport{copyCounts: k.n, Complete: err == nil && k.complete(), Seconds: time.Since(k.began).Seconds()}
	if err != nil {
		r.Error = err.Error()
	}
	b, jerr := json.MarshalIndent(r, "", "  ")
	if jerr != nil {
		return nil, jerr
	}
	return escapeJSON(append(b, '\n')), err
}

type copyReport struct {
	copyCounts
	Complete bool    `json:"complete"`
	Seconds  float64 `json:"seconds"`
	Error    string  `json:"error,omitempty"`
}

// report is for people.
func (k *copier) report() []byte {
	n := &k.n
	var b strings.Builder
	fmt.Fprintf(&b, "%s listed, %d copied in %s\n", plural(n.Listed, "session"), n.Copied, time.Since(k.began).Round(10*time.Millisecond))
	line := func(count int, what string) {
		if count > 0 {
			fmt.Fprintf(&b, "  %7d %s\n", count, what)
		}
	}
	line(n.Earlier, "copied by an earlier run")
	line(n.Uninitialized, "of the copied are uninitialized")
	line(n.Overwritten, "of the copied replaced one in the target")
	line(n.Transcoded, "of the copied were transcoded, "+formOf(k.from).String()+" to "+formOf(k.to).String())
	line(n.NullItems, "null items left out: the target's form has none")
	for _, reason := range reasons {
		if s := n.Skipped[reason]; s != nil {
			line(s.Count, "skipped: "+reasonTexts[reason])
			for _, e := range s.First {
				fmt.Fprintf(&b, "          %s%s\n", e.ID, visible(e.why()))
			}
		}
	}
	return []byte(b.String())
}

func (e skippedJSON) why() string {
	if e.Error == "" {
		return ""
	}
	return ": " + e.Error
}

// lister is target.list.
type lister func(ctx context.Context, yield func(session.Info) bool) error
