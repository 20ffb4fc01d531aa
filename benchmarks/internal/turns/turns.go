// Package turns times functions in one process, in turns of some milliseconds,
// so that a noisy machine slows all alike. Quote the ratios.
package turns

import (
	"runtime"
	"slices"
	"time"
)

// turn is how long each side runs at a time.
const turn = 3 * time.Millisecond

// Time runs all sides in turns for about total each and returns the nanoseconds
// of one call of each: the median of its turns.
func Time(total time.Duration, sides ...func()) []float64 {
	each := make([][]float64, len(sides))
	calls := make([]int, len(sides)) // of a turn
	for i, f := range sides {
		f() // warm
		n, spent := 0, time.Duration(0)
		for start := time.Now(); spent < turn; spent = time.Since(start) {
			f()
			n++
		}
		calls[i] = n
	}
	for range max(5, int(total/turn)) {
		for i, f := range sides {
			start := time.Now()
			for range calls[i] {
				f()
			}
			each[i] = append(each[i], float64(time.Since(start))/float64(calls[i]))
		}
	}
	ns := make([]float64, len(sides))
	for i, all := range each {
		slices.Sort(all)
		ns[i] = all[len(all)/2]
	}
	return ns
}

// Memory returns how often and how much one call allocates, by the mean of 200,
// or of fewer where that would take over a tenth of a second, but of ten at
// least. Nothing else may run.
func Memory(f func()) (allocs, bytes float64) {
	f()
	start := time.Now()
	f()
	calls := min(200, max(10, int(100*time.Millisecond/max(1, time.Since(start)))))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	n := float64(calls)
	return float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n
}
