// Package load drives a server on a socket with one request at a time per
// connection, no pipelining, and says how many it answered and how long each
// took. Every target is driven by the same loop.
package load

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Conn is one connection to a target. Its methods wait for the answer and
// check that it is the one expected.
type Conn interface {
	// Get reads the item of a key.
	Get(key int) error
	// Pair reads the item and writes it back: acquire and save where the target
	// locks, else read and write.
	Pair(key int) error
	// Put stores an item.
	Put(key int) error
	Close() error
}

// A Target is a server with its protocol.
type Target struct {
	Name string
	Dial func() (Conn, error)
}

// An Op is what is measured.
type Op string

// The operations.
const (
	Get  Op = "get"
	Pair Op = "pair"
)

// A Result is one run.
type Result struct {
	Target      string        `json:"target"`
	Op          Op            `json:"op"`
	Conns       int           `json:"conns"`
	PerSecond   float64       `json:"per_second"`
	P50         time.Duration `json:"p50_ns"`
	P99         time.Duration `json:"p99_ns"`
	P999        time.Duration `json:"p999_ns"`
	CPUPerMilli float64       `json:"server_cpu_seconds_per_million,omitempty"`
}

// Fill stores keys 0 to n-1.
func Fill(t Target, n int) error {
	const workers = 16
	errs := make(chan error, workers)
	for w := range workers {
		go func() {
			c, err := t.Dial()
			if err != nil {
				errs <- err
				return
			}
			defer c.Close()
			for k := w; k < n; k += workers {
				if err := c.Put(k); err != nil {
					errs <- fmt.Errorf("%s: storing item %d: %w", t.Name, k, err)
					return
				}
			}
			errs <- nil
		}()
	}
	var first error
	for range workers {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Run drives a target over conns connections for d. Each connection has keys of
// its own among the first n, so that no lock is contended.
func Run(t Target, op Op, conns, n int, d time.Duration) (Result, error) {
	all := make([]Conn, conns)
	for i := range all {
		c, err := t.Dial()
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", t.Name, err)
		}
		defer c.Close()
		all[i] = c
	}
	lat := make([][]time.Duration, conns)
	errs := make([]error, conns)
	var wg sync.WaitGroup
	begin := time.Now()
	for i, c := range all {
		wg.Go(func() {
			mine := make([]time.Duration, 0, 1<<16)
			do := c.Get
			if op == Pair {
				do = c.Pair
			}
			step := max(n/conns, 1)
			for k, at := 0, begin; at.Sub(begin) < d; k++ {
				if err := do((i*step + k%step) % n); err != nil {
					errs[i] = fmt.Errorf("%s %s: %w", t.Name, op, err)
					return
				}
				now := time.Now()
				mine = append(mine, now.Sub(at))
				at = now
			}
			lat[i] = mine
		})
	}
	wg.Wait()
	spent := time.Since(begin)
	for _, err := range errs {
		if err != nil {
			return Result{}, err
		}
	}
	every := slices.Concat(lat...)
	slices.Sort(every)
	at := func(q float64) time.Duration { return every[min(int(q*float64(len(every))), len(every)-1)] }
	return Result{Target: t.Name, Op: op, Conns: conns, PerSecond: float64(len(every)) / spent.Seconds(), P50: at(.5), P99: at(.99), P999: at(.999)}, nil
}
