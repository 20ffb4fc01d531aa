package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aspsession/aspsession/stores/sqlserver"
)

// admin parses the flags of a verb that works on a database.
func (f *sqlFlags) admin(c *call) (*sqlserver.Admin, int, bool) {
	if code, done := c.parse(f.FlagSet, 0); done {
		return nil, code, true
	}
	text, err := f.connectionString(c)
	if err == nil {
		var a *sqlserver.Admin
		if a, err = sqlserver.NewAdmin(text, nil); err == nil {
			return a, exitOK, false
		}
	}
	return nil, c.fails(err), true
}

// sqlInstall is the verbs install and upgrade.
func sqlInstall(c *call, upgrade bool) int {
	f := newSQLFlags(c)
	f.connects()
	f.makes()
	f.BoolVar(&f.yes, "yes", false, "")
	asJSON := f.Bool("json", false, "")
	a, code, done := f.admin(c)
	if done {
		return code
	}
	t := a.Target()
	what, run := "Install session state", a.Install
	if upgrade {
		what, run = "Replace the procedures of session state", a.Upgrade
	}
	if !f.confirm(c, fmt.Sprintf("%s in database %s on %s?", what, quote(t.Database(), keyWidth), quote(t.Server(), keyWidth))) {
		return exitData
	}
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	if err := run(ctx, f.schema); err != nil {
		return c.fails(err)
	}
	if *asJSON {
		return c.write(jsonText(installedJSON{t.Database(), t.Server(), true}, ""), exitOK)
	}
	return c.write(fmt.Appendf(nil, "aspstate: %s: database %s on %s is ready; `aspstate sql check` looks at it\n", c.name, quote(t.Database(), keyWidth), quote(t.Server(), keyWidth)), exitOK)
}

// An installedJSON is what install and upgrade print with --json.
type installedJSON struct {
	Database string `json:"database"`
	Server   string `json:"server"`
	Done     bool   `json:"done"`
}

// sqlCheck is the verb check.
func sqlCheck(c *call) int {
	f := newSQLFlags(c)
	f.connects()
	asJSON := f.Bool("json", false, "")
	a, code, done := f.admin(c)
	if done {
		return code
	}
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	report, err := a.Check(ctx)
	if err != nil {
		return c.fails(err)
	}
	code = exitOK
	if !report.OK() {
		code = exitData
	}
	if *asJSON {
		return c.write(jsonText(newCheckedJSON(report), "  "), code)
	}
	return c.write([]byte(reportText(report)), code)
}

// A checkedJSON is what check prints with --json.
type checkedJSON struct {
	Database string             `json:"database"`
	Server   string             `json:"server"`
	Version  string             `json:"version"`
	Ours     bool               `json:"ours"`
	Healthy  bool               `json:"healthy"`
	Findings []checkFindingJSON `json:"findings"`
}

type checkFindingJSON struct {
	Level  string `json:"level"` // problem, danger or note
	Object string `json:"object"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

func newCheckedJSON(r *sqlserver.Report) checkedJSON {
	doc := checkedJSON{r.Database, r.Server, r.Version, r.Ours, r.OK(), []checkFindingJSON{}}
	for _, f := range r.Findings {
		doc.Findings = append(doc.Findings, checkFindingJSON{f.Level.String(), f.Object, f.Text, f.Remedy})
	}
	return doc
}

// reportText writes a report for people, one finding a paragraph.
func reportText(r *sqlserver.Report) string {
	var b strings.Builder
	origin := "procedures of aspnet_regsql or another program, or hidden from this login"
	if r.Ours {
		origin = "procedures of this project"
	}
	fmt.Fprintf(&b, "Database %s on %s, SQL Server %s, %s.\n", quote(r.Database, keyWidth), quote(r.Server, keyWidth), visible(r.Version), origin)
	if len(r.Findings) == 0 {
		b.WriteString("Nothing is missing and nothing is dangerous.\n")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s: %s\n  %s.\n", f.Level, visible(f.Object), visible(f.Text))
		if f.Remedy != "" {
			fmt.Fprintf(&b, "  What to do: %s.\n", visible(f.Remedy))
		}
	}
	return b.String()
}

// sqlScript is the verb script.
func sqlScript(c *call) int {
	f := newSQLFlags(c)
	f.makes()
	inside := f.Bool("inside", false, "")
	asJSON := f.Bool("json", false, "")
	if code, done := c.parse(f.FlagSet, 0); done {
		return code
	}
	f.schema.Database = f.database
	var script string
	var err error
	if *inside {
		var batches []string
		if batches, err = f.schema.Batches(); err == nil {
			script = strings.Join(batches, batchEnd) + batchEnd
		}
	} else {
		script, err = f.schema.Script()
	}
	if err != nil {
		return c.fails(err)
	}
	if *asJSON {
		return c.write(jsonText(scriptJSON{scriptBatches(script)}, "  "), exitOK)
	}
	return c.write([]byte(script), exitOK)
}

// batchEnd is the line of the client's between batches.
const batchEnd = "\nGO\n"

// A scriptJSON is what script prints with --json.
type scriptJSON struct {
	Batches []string `json:"batches"`
}

func scriptBatches(script string) (list []string) {
	for batch := range strings.SplitSeq(script, batchEnd) {
		if batch = strings.TrimSpace(batch); batch != "" {
			list = append(list, batch)
		}
	}
	return list
}

// A purgedJSON is what purge prints with --json.
type purgedJSON struct {
	Rows int64 `json:"rows"`
}

var sqlLayouts = map[string]sqlserver.Layout{
	"classic": sqlserver.Classic, "compat": sqlserver.AsyncCompat, "async": sqlserver.Async,
	"async-inmemory": sqlserver.AsyncInMemory, "async-inmemory-durable": sqlserver.AsyncInMemoryDurable,
}

// sqlPurge is the verb purge.
func sqlPurge(c *call) int {
	f := newSQLFlags(c)
	f.connects()
	every := f.Duration("every", 0, "")
	layout := f.String("layout", "classic", "")
	table := f.String("table", "", "")
	asJSON := f.Bool("json", false, "")
	if code, done := c.parse(f.FlagSet, 0); done {
		return code
	}
	opt := sqlserver.Options{Suffix: "00000000", Table: *table, AllowCustomDatabase: true} // a purge has no keys
	var ok bool
	if opt.Layout, ok = sqlLayouts[*layout]; !ok || *every < 0 {
		fmt.Fprintf(c.stderr, "aspstate: %s: --layout is one of classic, compat, async, async-inmemory, async-inmemory-durable; --every is not below 0\n", c.name)
		return exitUsage
	}
	var err error
	if opt.ConnectionString, err = f.connectionString(c); err != nil {
		return c.fails(err)
	}
	store, err := sqlserver.New(opt)
	if err != nil {
		return c.fails(err)
	}
	defer store.Close()
	ctx, stop := untilSignal(c.ctx)
	defer stop()
	code := exitOK
	for {
		call, cancel := context.WithTimeout(ctx, f.timeout)
		n, err := store.Purge(call)
		cancel()
		switch {
		case *every > 0 && ctx.Err() != nil:
			return exitOK
		case err != nil && *every == 0:
			return c.fails(err)
		case err != nil:
			_ = c.fails(err) // the next one may do better
		case n > 0 || *every == 0:
			out := fmt.Appendf(nil, "aspstate: %s: %d expired sessions deleted\n", c.name, n)
			if *asJSON {
				out = jsonText(purgedJSON{n}, "")
			}
			code = c.write(out, exitOK)
		}
		if *every == 0 {
			return code
		}
		if err := pause(ctx, *every); err != nil {
			return exitOK
		}
	}
}

// pause waits about d, so that several machines do not stay in step.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
