//go:build !linux

package load

import (
	"sync"
	"time"
)

// drive runs the operations over conns connections for d, a goroutine for each.
func drive(t Target, steps []step, conns int, key func(conn, k int) int, d time.Duration, over func() bool) (took []time.Duration, count int, spent time.Duration, err error) {
	all := make([]*Conn, conns)
	for i := range all {
		if all[i], err = t.Dial(); err != nil {
			return nil, 0, 0, err
		}
		defer all[i].Close()
	}
	var mu sync.Mutex // guards took, count and err
	var wg sync.WaitGroup
	begin := time.Now()
	for i, c := range all {
		wg.Go(func() {
			var mine []time.Duration
			var failed error
			n := 0
			for at := begin; (n == 0 || at.Sub(begin) < d && !over()) && failed == nil; n++ {
				failed = c.do(steps, key(i, n))
				now := time.Now()
				if at.Sub(begin) > warmUp(d) {
					mine = append(mine, now.Sub(at))
				}
				at = now
			}
			mu.Lock()
			defer mu.Unlock()
			took, count = append(took, mine...), count+n
			if failed != nil {
				err = failed
			}
		})
	}
	wg.Wait()
	return took, count, time.Since(begin), err
}

// OnCPU runs f: this system does not say on which processor.
func OnCPU(_ int, f func() error) error { return f() }

// AllOnCPU runs f as OnCPU does.
func AllOnCPU(_ int, f func() error) error { return f() }
