// Package codec measures the forms in which a session is stored: payload, which
// is ASP.NET's own, beside what Go programs use, and nrbf, .NET's object streams.
//
// A payload is opened lazily: its index is read, and a value when it is asked
// for. encoding/gob, encoding/json and msgpack make a map of everything at once;
// they are given a map[string]any, as session libraries do, and start anew for
// each session, since nothing else of a stream is there to continue.
//
// Everything of one size runs in turns of milliseconds; a copy of the same bytes
// is the physical limit.
package codec

import (
	"fmt"
	"math"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
	"github.com/aspsession/aspsession/benchmarks/internal/turns"
)

// A task is what is done with a session.
type task string

// The tasks. Encode is of a session whose values are set, into a buffer that has
// been used before; so is the end of the others.
const (
	open    task = "open"
	readOne task = "open, read one"
	readAll task = "open, read all"
	change  task = "open, change one, encode"
	setAll  task = "set all, encode"
	encode  task = "encode"
)

var tasks = []task{open, readOne, readAll, change, setAll, encode}

// Names of codecs.
const (
	payloadName = "payload"
	gobName     = "gob"
	jsonName    = "json"
	msgpackName = "msgpack"
	nrbfName    = "nrbf"
	copyName    = "memcpy"
)

// A run is one codec at one task.
type run struct {
	codec  string
	task   task
	stored int // bytes
	do     func() error
	out    func() []byte // what was encoded last; nil where no test asks
}

// A figure is what a run costs, in nanoseconds, allocations and bytes.
type figure struct {
	run
	ns, allocs, bytes float64
}

type figures []figure

// of is NaN throughout for what there is not.
func (all figures) of(codec string, t task) figure {
	for _, f := range all {
		if f.codec == codec && f.task == t {
			return f
		}
	}
	return figure{ns: math.NaN(), allocs: math.NaN(), bytes: math.NaN()}
}

// measure runs all in turns, each for about total; a run that fails ends it.
func measure(e *env.Env, total time.Duration, name string, runs []run) (figures, error) {
	var failed error
	var sides []func()
	all := make(figures, len(runs))
	for i, r := range runs {
		side := func() {
			if err := r.do(); err != nil && failed == nil {
				failed = fmt.Errorf("codec: %s, %s: %s: %w", name, r.codec, r.task, err)
			}
		}
		all[i].run = r
		all[i].allocs, all[i].bytes = turns.Memory(side)
		all[i].allocs, all[i].bytes = math.Round(all[i].allocs), math.Round(all[i].bytes) // a share of one is the runtime's
		sides = append(sides, side)
	}
	for i, ns := range turns.Time(total, sides...) {
		all[i].ns = ns
		e.Say("codec: %-16s %-8s %-26s %12.0f ns %6.0f allocations", name, all[i].codec, all[i].task, ns, all[i].allocs)
	}
	return all, failed
}

// Measure runs it all.
func Measure(e *env.Env) (report.Section, error) {
	total := 300 * time.Millisecond
	if e.Quick {
		total = 45 * time.Millisecond
	}
	return measureAll(e, total, bodies())
}

func measureAll(e *env.Env, total time.Duration, bodies []body) (report.Section, error) {
	var sizes []sized
	for _, b := range bodies {
		runs, err := b.runs()
		if err != nil {
			return report.Section{}, err
		}
		all, err := measure(e, total, b.name, runs)
		if err != nil {
			return report.Section{}, err
		}
		sizes = append(sizes, sized{b, all})
	}
	runs, err := cartRuns()
	if err != nil {
		return report.Section{}, err
	}
	cart, err := measure(e, total, "cart", runs)
	if err != nil {
		return report.Section{}, err
	}
	return render(sizes, cart), nil
}
