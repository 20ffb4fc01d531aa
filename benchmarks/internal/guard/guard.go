// Package guard says when a hot path has become slower or allocates otherwise
// than it did. Each path is timed in turns with a calibration loop that does
// comparable work, by the processor time of the process, and the ratio of the two is compared
// with the one in testdata/baseline.json, so that neither the machine's speed nor
// its load matters much:
//
//	go -C benchmarks run ./cmd/guard           # fails beyond 1.5 times the baseline
//	go -C benchmarks run ./cmd/guard -update   # writes the baseline
//
// Allocations must be those of the baseline exactly, by the release of Go that it
// is of: fewer are a failure too, which -update mends. A path that seems slow is measured again, for longer each
// time, before it is reported: its best counts, because noise only adds.
package guard

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"
)

// Limit is how many times its baseline a path's ratio may be.
const Limit = 1.5

// bytesTolerance is how far the bytes of a run may be from the baseline: sizes of
// maps and pools differ a little between releases of Go.
const bytesTolerance = 0.1

// A Path is something that requests do often.
type Path struct {
	Name   string
	Beside string // its calibration loop
	// Open makes what the path needs and returns one run of it.
	Open func() (run func() error, done func(), err error)
}

// A Figure is what was measured of a path.
type Figure struct {
	Beside string  `json:"beside"`
	Ratio  float64 `json:"ratio"`  // of its time to one round of the calibration loop
	Allocs int     `json:"allocs"` // of one run
	Bytes  int     `json:"bytes"`
}

// A meter measures paths; tests have numbers of their own.
type meter interface {
	// ratio is the median of a number of turns of a length.
	ratio(p Path, turns int, each time.Duration) (float64, error)
	// allocations are those of one run.
	allocations(p Path) (allocs, bytes int, err error)
}

// An attempt at the ratio of a path. Those that seem slow wait for the next one
// until all have had theirs: what disturbed one is over by then, or disturbs all.
type attempt struct {
	turns int
	each  time.Duration
}

var attempts = []attempt{{40, time.Millisecond}, {80, time.Millisecond}, {80, 2 * time.Millisecond}, {120, 2 * time.Millisecond}}

// Run compares all paths with a baseline, prints a line for each, and returns
// what is wrong.
func Run(w io.Writer, paths []Path, b Baseline) (wrong []string, err error) {
	return run(w, paths, b, clock{})
}

func run(w io.Writer, paths []Path, b Baseline, m meter) (wrong []string, err error) {
	same := b.Go == runtime.Version()
	if !same {
		fmt.Fprintf(w, "the baseline is of %s, this is %s: allocations may differ for that, and are only printed\n", b.Go, runtime.Version())
	}
	best, slow, err := ratios(w, paths, b, m)
	if err != nil {
		return nil, err
	}
	wrong = b.mismatch(paths)
	fmt.Fprintf(w, "%-28s %-9s %9s %9s %7s %7s %7s\n", "path", "beside", "ratio", "baseline", "of it", "allocs", "bytes")
	for _, p := range paths {
		was, ok := b.of(p)
		if !ok {
			continue
		}
		now, bad, err := checkAllocations(p, was, m)
		if err != nil {
			return nil, err
		}
		r := best[p.Name]
		fmt.Fprintf(w, "%-28s %-9s %9.3f %9.3f %6.2fx %7d %7d\n", p.Name, p.Beside, r, was.Ratio, r/was.Ratio, now.Allocs, now.Bytes)
		if slices.ContainsFunc(slow, func(s Path) bool { return s.Name == p.Name }) {
			wrong = append(wrong, fmt.Sprintf("%s takes %.3g times the loop %q, in the baseline %.3g: %.2f times as slow, at most %.1f (best of %d measurements)",
				p.Name, r, p.Beside, was.Ratio, r/was.Ratio, Limit, len(attempts)))
		}
		if same {
			wrong = append(wrong, bad...)
		}
	}
	return wrong, nil
}

// ratios returns the best ratio of each path, and the paths for which that is
// beyond the limit after all attempts.
func ratios(w io.Writer, paths []Path, b Baseline, m meter) (best map[string]float64, slow []Path, err error) {
	best = make(map[string]float64)
	slow = paths
	for i, a := range attempts {
		if i > 0 && len(slow) > 0 {
			fmt.Fprintf(w, "measuring %d again, for longer\n", len(slow))
		}
		var still []Path
		for _, p := range slow {
			was, ok := b.of(p)
			if !ok {
				continue
			}
			r, err := m.ratio(p, a.turns, a.each)
			if err != nil {
				return nil, nil, err
			}
			if before, ok := best[p.Name]; ok {
				r = min(r, before)
			}
			if best[p.Name] = r; r > Limit*was.Ratio {
				still = append(still, p)
			}
		}
		slow = still
	}
	return best, slow, nil
}

func checkAllocations(p Path, was Figure, m meter) (now Figure, wrong []string, err error) {
	if now.Allocs, now.Bytes, err = m.allocations(p); err != nil {
		return now, nil, err
	}
	switch {
	case now.Allocs > was.Allocs:
		wrong = append(wrong, fmt.Sprintf("%s allocates %d times, in the baseline %d", p.Name, now.Allocs, was.Allocs))
	case now.Allocs < was.Allocs:
		wrong = append(wrong, fmt.Sprintf("%s allocates only %d times, in the baseline %d: run the guard with -update", p.Name, now.Allocs, was.Allocs))
	case math.Abs(float64(now.Bytes-was.Bytes)) > max(64, bytesTolerance*float64(was.Bytes)):
		wrong = append(wrong, fmt.Sprintf("%s allocates %d bytes, in the baseline %d", p.Name, now.Bytes, was.Bytes))
	}
	return now, wrong, nil
}

// Allocations compares only what paths allocate.
func Allocations(paths []Path, b Baseline) (wrong []string, err error) {
	wrong = b.mismatch(paths)
	for _, p := range paths {
		if was, ok := b.of(p); ok {
			_, bad, err := checkAllocations(p, was, clock{})
			if err != nil {
				return nil, err
			}
			wrong = append(wrong, bad...)
		}
	}
	return wrong, nil
}

// Measure makes a baseline: of each path the median of several passes.
func Measure(paths []Path) (Baseline, error) {
	const passes = 7
	b := Baseline{Go: runtime.Version(), Paths: make(map[string]Figure)}
	seen := make(map[string][]float64)
	for range passes {
		for _, p := range paths {
			r, err := clock{}.ratio(p, attempts[0].turns, attempts[0].each)
			if err != nil {
				return Baseline{}, err
			}
			seen[p.Name] = append(seen[p.Name], r)
		}
	}
	for _, p := range paths {
		allocs, bytes, err := clock{}.allocations(p)
		if err != nil {
			return Baseline{}, err
		}
		b.Paths[p.Name] = Figure{Beside: p.Beside, Ratio: math.Round(median(seen[p.Name])*1e4) / 1e4, Allocs: allocs, Bytes: bytes}
	}
	return b, nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
