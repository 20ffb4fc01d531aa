// Package growth measures what a request costs as things grow: the number of
// sessions, the items of a session, the bytes of a session. Everything is a
// whole request through the middleware, with its store in the process or on a
// state service in a process of its own.
//
// All sizes are built first and then run in turns, so that a noisy machine slows
// all alike. The session of each request is chosen by a generator that every
// side shares; what the bare handler takes with the same choosing is subtracted.
package growth

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
	"github.com/aspsession/aspsession/benchmarks/internal/turns"
)

// Measure runs the section. The program must call ServeIfAsked first of all, as
// it does peers.ServeIfAsked.
func Measure(e *env.Env) (report.Section, error) {
	s := report.Section{Name: "growth", Title: "What it costs to grow", Text: text}
	for _, part := range []func(*env.Env, *report.Section) error{measureSessions, measureItems, measureBytes} {
		if err := part(e, &s); err != nil {
			return report.Section{}, fmt.Errorf("growth: %w", err)
		}
		runtime.GC()
	}
	return s, nil
}

const text = `Whole requests through the middleware, one at a time: ReadOnly that reads one item, and ReadWrite that sets one and saves. ` +
	`All sizes are built first, then run in turns; figures are medians of the turns, above the bare handler. ` +
	`Each request is of a session chosen at random, so that with many sessions nearly every one meets memory that no processor cache holds; ` +
	`with few it meets caches that are warm. "One memory read" is what a single dependent read costs at random among as many KiB as there are sessions, and is the limit there. ` +
	`Each in-process store of a number of sessions is in a process of its own, so that the garbage collector marks that many sessions and no others; ` +
	`the medians leave out most turns in which it ran, and the processor time, which is the mean of all threads, has it. ` +
	`Over the service both sides share one processor, so that a request is the work of both and two switches between them, and no waking of an idle processor.`

// A side is one thing that is timed in turns with others.
type side struct {
	name string
	run  func() error
}

// inTurns returns the nanoseconds of one run of each side.
func inTurns(total time.Duration, sides []side) (map[string]float64, error) {
	var failed error
	runs := make([]func(), len(sides))
	for i, s := range sides {
		runs[i] = func() {
			if err := s.run(); err != nil && failed == nil {
				failed = fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	ns := make(map[string]float64)
	err := load.AllOnCPU(0, func() error {
		for i, v := range turns.Time(total, runs...) {
			ns[sides[i].name] = v
		}
		return nil
	})
	return ns, errors.Join(err, failed)
}

// A line is one series over the sizes.
type line struct {
	name string
	y    []float64
}

// chart draws lines over sizes, both axes logarithmic: a line that rises by the
// same angle as the size grows in proportion to it.
func chart(name, title, x, xUnit string, sizes []int, lines []line, sentence string) report.Chart {
	c := report.Chart{Name: name, Title: title, Kind: report.Lines, X: x, XUnit: xUnit, Y: "a request", YUnit: report.Nanoseconds,
		LogX: true, LogY: true, Sentence: sentence}
	at := make([]float64, len(sizes))
	for i, n := range sizes {
		at[i] = float64(n)
	}
	for _, l := range lines {
		c.Series = append(c.Series, report.Series{Name: l.name, X: at, Y: l.y})
	}
	return c
}

func last(v []float64) float64 { return v[len(v)-1] }

// grown is how many times the last figure is the first.
func grown(v []float64) float64 { return last(v) / v[0] }

// duration spells nanoseconds with three digits: "1.23 µs".
func duration(ns float64) string {
	for _, u := range []struct {
		name string
		ns   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if ns >= u.ns {
			return digits(ns/u.ns) + " " + u.name
		}
	}
	return digits(ns) + " ns"
}

func digits(v float64) string {
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(max(math.Abs(v), 1))))), v)
}

// number spells 1000000 as "1,000,000".
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// fromTo spells the ends of a series: "1.02 µs to 1.85 µs, 1.81x".
func fromTo(v []float64) string {
	return fmt.Sprintf("%s to %s, %.2fx", duration(v[0]), duration(last(v)), grown(v))
}

func perRound(e *env.Env, quick, full time.Duration) time.Duration {
	if e.Quick {
		return quick
	}
	return full
}

func pad(seed string, n int) string { return strings.Repeat(seed, n/len(seed)+1)[:n] }
