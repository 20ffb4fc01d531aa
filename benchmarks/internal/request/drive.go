package request

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
)

// A side is driven by visitors that each make one request after the other.
type side struct {
	name    string
	visitor func() (visit func() error, leave func(), err error)
}

// A drive is one run of a side.
type drive struct{ perSecond, p99 float64 } // p99 in nanoseconds

// run has as many visitors as conns at once make requests for d.
func (s side) run(conns int, d time.Duration) (drive, error) {
	visits := make([]func() error, conns)
	for i := range visits {
		visit, leave, err := s.visitor()
		if err != nil {
			return drive{}, fmt.Errorf("%s: %w", s.name, err)
		}
		defer leave()
		if err := visit(); err != nil { // connects
			return drive{}, fmt.Errorf("%s: %w", s.name, err)
		}
		visits[i] = visit
	}
	took := make([][]time.Duration, conns)
	errs := make([]error, conns)
	var wg sync.WaitGroup
	begin := time.Now()
	for i, visit := range visits {
		wg.Go(func() {
			for at := begin; at.Sub(begin) < d; {
				if errs[i] = visit(); errs[i] != nil {
					return
				}
				now := time.Now()
				took[i] = append(took[i], now.Sub(at))
				at = now
			}
		})
	}
	wg.Wait()
	spent := time.Since(begin)
	for _, err := range errs {
		if err != nil {
			return drive{}, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return drive{float64(len(all)) / spent.Seconds(), float64(all[len(all)*99/100])}, nil
}

// run drives all sides in alternating rounds and returns the medians.
func (by effort) run(e *env.Env, conns int, sides []side) ([]drive, error) {
	results := make([][]drive, len(sides))
	for round := range by.rounds {
		e.Say("request: %d at once, round %d of %d", conns, round+1, by.rounds)
		for i, s := range sides {
			r, err := s.run(conns, by.each)
			if err != nil {
				return nil, err
			}
			results[i] = append(results[i], r)
		}
	}
	medians := make([]drive, len(sides))
	for i, rs := range results {
		medians[i] = drive{
			median(rs, func(r drive) float64 { return r.perSecond }),
			median(rs, func(r drive) float64 { return r.p99 }),
		}
	}
	return medians, nil
}

func median[R any, T cmp.Ordered](rs []R, of func(R) T) T {
	all := make([]T, len(rs))
	for i, r := range rs {
		all[i] = of(r)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// echoVisitor sends as much as a session is to an echo server and waits for it:
// what any request whose session is elsewhere takes at least.
func echoVisitor(addr string) (visit func() error, leave func(), err error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	b := make([]byte, echoSize)
	visit = func() error {
		if _, err := c.Write(b); err != nil {
			return err
		}
		_, err := io.ReadFull(c, b)
		return err
	}
	return visit, func() { _ = c.Close() }, nil
}
