// Compare measures aspsession beside its peers in one run and writes what it
// measured: results.json, and made of it the page RESULTS.md, charts/ and the
// block of figures in the README of the repository.
//
//	go -C benchmarks run ./cmd/compare                         # everything
//	go -C benchmarks run ./cmd/compare -quick                  # under three minutes, for a look
//	go -C benchmarks run ./cmd/compare -only service,waiting   # those sections, for a look
//	go -C benchmarks run ./cmd/compare -from results.json      # writes again, measures nothing
//
// Servers that it compares with (redis-server, memcached) are started where they
// are installed; what is left out is said. A look, with -quick or -only, is
// printed and overwrites nothing unless a file is named.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/codec"
	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/growth"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
	"github.com/aspsession/aspsession/benchmarks/internal/request"
	"github.com/aspsession/aspsession/benchmarks/internal/service"
	"github.com/aspsession/aspsession/benchmarks/internal/waiting"
)

// A section is one question: -only has its name, -list what it asks.
type section struct {
	name, about string
	measure     func(*env.Env) (report.Section, error)
}

// sections are in the order of the page.
var sections = []section{
	{"request", "what a request costs above the bare handler, beside scs, gorilla and gin-contrib", request.Measure},
	{"codec", "what a session costs to open and to encode, beside gob, json and msgpack", codec.Measure},
	{"service", "the state service beside Redis and memcached", service.Measure},
	{"waiting", "ten requests at once on one session: handed over, or polled for", waiting.Measure},
	{"growth", "what it costs to grow: sessions, items, bytes", growth.Measure},
}

func main() {
	peers.ServeIfAsked()
	growth.ServeIfAsked()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		endChildren()
		fmt.Fprintln(os.Stderr, "\ncompare: interrupted; nothing is written")
		os.Exit(130)
	}()
	os.Exit(run(os.Args[1:], sections, os.Stdout, os.Stderr))
}

const usage = `Compare measures aspsession beside its peers and writes the results.

usage: go -C benchmarks run ./cmd/compare [flags]

Without flags it measures everything, for about a quarter of an hour, and writes
results.json, RESULTS.md, charts/ and the block of figures in ../README.md. Run it
on a machine that does nothing else. Progress is on stderr.

With -quick or -only it prints the page on stdout and writes the files only that
you name. It exits with 1 when a section failed, the others being kept, and with 2
when it was asked for what there is not.

`

// options are the flags, checked.
type options struct {
	quick, list bool
	only        []string
	from        string
	files       files
}

func parse(args []string, all []section, stderr io.Writer) (options, error) {
	o := options{}
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() { fmt.Fprint(stderr, usage); f.PrintDefaults() }
	f.BoolVar(&o.quick, "quick", false, "shorter runs, under three minutes in all: for a look, not for quoting")
	only := f.String("only", "", "measure these `sections`, with commas between; -list names them")
	f.BoolVar(&o.list, "list", false, "list the sections and end")
	f.StringVar(&o.from, "from", "", "measure nothing: read the results from this `file` and write the rest again")
	f.StringVar(&o.files.json, "json", "results.json", "`file` of the figures")
	f.StringVar(&o.files.markdown, "markdown", "RESULTS.md", "`file` of the page")
	f.StringVar(&o.files.charts, "charts", "charts", "`folder` of the charts, beside or below the page")
	f.StringVar(&o.files.readme, "readme", "../README.md", "`file` that has a block of figures, made anew")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag; see -h", f.Arg(0))
	}
	f.Visit(func(f *flag.Flag) { o.files.named = append(o.files.named, f.Name) })
	if o.from != "" && (o.quick || *only != "") {
		return o, errors.New("-from measures nothing: leave out -quick and -only")
	}
	for name := range strings.SplitSeq(*only, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.ContainsFunc(all, func(s section) bool { return s.name == name }) {
			return o, fmt.Errorf("-only: there is no section %q; there are %s", name, names(all))
		}
		o.only = append(o.only, name)
	}
	return o, nil
}

func names(all []section) string {
	var n []string
	for _, s := range all {
		n = append(n, s.name)
	}
	return strings.Join(n, ", ")
}

// run is the command; it returns the exit code.
func run(args []string, all []section, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		fmt.Fprintln(stderr, "compare:", err)
		return code
	}
	o, err := parse(args, all, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return fail(2, err)
	case o.list:
		for _, s := range all {
			fmt.Fprintf(stdout, "%-10s %s\n", s.name, s.about)
		}
		return 0
	}
	var r report.Report
	failed := 0
	if o.from != "" {
		if r, err = report.Read(o.from); err != nil {
			return fail(1, err)
		}
	} else {
		// What cannot be written is better known before a quarter of an hour.
		if err := o.files.check(o.partial()); err != nil {
			return fail(1, err)
		}
		r, failed = measure(o, all, stderr)
	}
	if err := o.files.write(r, o.from == "", stdout); err != nil {
		return fail(1, err)
	}
	if failed > 0 {
		return fail(1, fmt.Errorf("%d sections failed; the page says why", failed))
	}
	return 0
}

func (o options) partial() bool { return o.quick || len(o.only) > 0 }

// measure runs the sections asked for. One that fails is left out with its error.
func measure(o options, all []section, stderr io.Writer) (r report.Report, failed int) {
	p := newProgress(stderr)
	defer p.stop()
	e := &env.Env{Quick: o.quick, Progress: p}
	begin := time.Now()
	r = report.Report{Time: begin.UTC().Truncate(time.Second), Quick: o.quick, Only: o.only, Machine: report.ThisMachine()}
	for _, s := range all {
		if len(o.only) > 0 && !slices.Contains(o.only, s.name) {
			continue
		}
		p.section(s.name)
		e.Say("%s", s.about)
		began := time.Now()
		result, err := s.safely(e)
		if err != nil {
			failed++
			e.LeaveOut("section %s failed: %v", s.name, err)
			continue
		}
		r.Sections = append(r.Sections, result)
		for _, c := range result.Claims {
			holds := "FALLS SHORT of"
			if c.Holds() {
				holds = "holds,"
			}
			e.Say("%s: %s, %s %s", c.Text, c.Measured(), holds, c.Wanted())
		}
		e.Say("done in %s", clock(time.Since(began)))
	}
	r.Took = time.Since(begin).Round(time.Second).String()
	r.LeftOut = e.LeftOut()
	r.Versions = e.Versions()
	for of, version := range report.Libraries(libraries) {
		r.Versions[of] = version
	}
	return r, failed
}

// safely measures a section; a panic is an error, and so is a result that cannot
// be written.
func (s section) safely(e *env.Env) (result report.Section, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if result, err = s.measure(e); err != nil {
		return report.Section{}, err
	}
	if result.Name != s.name {
		return report.Section{}, fmt.Errorf("it calls itself %q", result.Name)
	}
	return result, result.Check()
}

// libraries are the modules compared with, whose versions the page names.
var libraries = []string{
	"github.com/alexedwards/scs/v2",
	"github.com/alexedwards/scs/goredisstore",
	"github.com/boj/redistore",
	"github.com/gin-contrib/sessions",
	"github.com/gin-gonic/gin",
	"github.com/gomodule/redigo",
	"github.com/gorilla/sessions",
	"github.com/gorilla/securecookie",
	"github.com/redis/go-redis/v9",
	"github.com/vmihailenco/msgpack/v5",
}
