package guard

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"time"
)

// clock is the meter of real time.
type clock struct{}

func (clock) ratio(p Path, turns int, each time.Duration) (ratio float64, err error) {
	err = opened(p, func(t *timed) { ratio = t.ratio(turns, each) })
	return ratio, err
}

func (clock) allocations(p Path) (allocs, bytes int, err error) {
	err = opened(p, func(t *timed) { allocs, bytes = t.allocations() })
	return allocs, bytes, err
}

// opened opens a path and its loop for f.
func opened(p Path, f func(*timed)) error {
	fail := func(err error) error { return fmt.Errorf("guard: %s: %w", p.Name, err) }
	loop, ended, err := calibration(p.Beside)
	if err != nil {
		return fail(err)
	}
	defer ended()
	run, done, err := p.Open()
	if err != nil {
		return fail(err)
	}
	defer done()
	t := &timed{run: run, loop: loop}
	if f(t); t.failed != nil {
		return fail(t.failed)
	}
	return nil
}

// timed measures a path beside its calibration loop.
type timed struct {
	run, loop func() error
	failed    error // the first
}

// ratio runs loop, path, loop, path and so on: each turn of the path is compared
// with the turns of the loop before and after it, so that a machine that slows
// down slows both. Garbage is collected between turns and never in one, where it
// would be there by chance: what it costs is told by the allocations. Two
// processors, however many there are: what follows a collection costs more on many.
func (t *timed) ratio(turns int, each time.Duration) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	n, k := t.calls(t.run, each), t.calls(t.loop, each)
	ratios := make([]float64, 0, turns)
	before := t.time(t.loop, k)
	for range turns {
		took := t.time(t.run, n)
		after := t.time(t.loop, k)
		ratios = append(ratios, took/((before+after)/2))
		before = after
	}
	return median(ratios)
}

// calls is how often f runs in a time. It warms it up too.
func (t *timed) calls(f func() error, d time.Duration) int {
	for n := 1; ; n *= 2 {
		if each := t.time(f, n); each*float64(n) >= float64(d)/2 {
			return max(1, int(float64(d)/each))
		}
	}
}

// time is the nanoseconds of one call.
func (t *timed) time(f func() error, n int) float64 {
	runtime.GC()
	start := now()
	for range n {
		t.do(f)
	}
	return float64(now()-start) / float64(n)
}

func (t *timed) do(f func() error) {
	if err := f(); err != nil && t.failed == nil {
		t.failed = err
	}
}

// allocations are those of one run, by the mean of many on one processor without
// a collection, which would empty pools. Nothing else may run.
func (t *timed) allocations() (allocs, bytes int) {
	const runs = 200
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range 20 {
		t.do(t.run)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		t.do(t.run)
	}
	runtime.ReadMemStats(&after)
	mean := func(n uint64) int { return int(math.Round(float64(n) / runs)) }
	return mean(after.Mallocs - before.Mallocs), mean(after.TotalAlloc - before.TotalAlloc)
}
