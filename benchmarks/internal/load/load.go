// Package load drives a server on a socket with one request at a time per
// connection, no pipelining, and says how many it answered and how long each
// took. Every target is driven by the same loop.
//
// On Linux that loop is one thread that polls the sockets itself, on a processor
// of its own: see Run and OnCPU. A goroutine for each connection would measure
// how Go schedules the generator, which costs most at the 99th percentile.
package load

import (
	"fmt"
	"net"
	"slices"
	"time"
)

// A Target is a server with its protocol. All its items are of one size.
type Target struct {
	Name     string
	Addr     string
	protocol func() protocol
}

// An Op is what is measured.
type Op string

// The operations. Pair reads an item and writes it back: acquire and save where
// the target locks, else read and write.
const (
	Get  Op = "get"
	Pair Op = "pair"
	put  Op = "put"
)

func (op Op) steps() []step {
	switch op {
	case Get:
		return []step{read}
	case Pair:
		return []step{acquire, save}
	}
	return []step{store}
}

// A Result is one run.
type Result struct {
	Target    string
	Op        Op
	Conns     int
	Count     int // of operations
	PerSecond float64
	P50       time.Duration
	P99       time.Duration
	P999      time.Duration
}

// Fill stores keys 0 to n-1, many at a time.
func Fill(t Target, n int) error { return FillFrom(t, 0, n) }

// FillFrom stores keys from to n-1.
func FillFrom(t Target, from, n int) error {
	const workers, batch = 4, 32
	errs := make(chan error, workers)
	for w := range workers {
		go func() {
			c, err := t.Dial()
			if err != nil {
				errs <- err
				return
			}
			defer c.Close()
			for k := from + w*batch; k < n; k += workers * batch {
				if err := c.store(k, min(k+batch, n)); err != nil {
					errs <- fmt.Errorf("%s: storing items from %d: %w", t.Name, k, err)
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
// its own among the first n, so that no lock is contended. The first tenth of d,
// at most 50 ms, warms up: it is counted, and its latencies are not.
//
// A latency is from before the request is written until the loop has the whole
// answer, and so has the time in it that an answer lies with the loop because
// others came at the same moment. That is the same for all targets.
func Run(t Target, op Op, conns, n int, d time.Duration) (Result, error) {
	return RunUntil(t, op, conns, n, d, func() bool { return false })
}

// RunUntil is Run, ended before d where over says so; it is asked often.
func RunUntil(t Target, op Op, conns, n int, d time.Duration, over func() bool) (Result, error) {
	step := max(n/conns, 1)
	key := func(conn, k int) int { return (conn*step + k%step) % n }
	took, count, spent, err := drive(t, op.steps(), conns, key, d, over)
	if err != nil {
		return Result{}, fmt.Errorf("%s %s: %w", t.Name, op, err)
	}
	if len(took) == 0 {
		return Result{}, fmt.Errorf("%s %s: nothing was answered in %v", t.Name, op, spent)
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[min(int(q*float64(len(took))), len(took)-1)] }
	return Result{Target: t.Name, Op: op, Conns: conns, Count: count, PerSecond: float64(count) / spent.Seconds(), P50: at(.5), P99: at(.99), P999: at(.999)}, nil
}

// warmUp is for how long latencies are not taken.
func warmUp(d time.Duration) time.Duration { return min(d/10, 50*time.Millisecond) }

// patience is how long a server may take that answers nothing.
const patience = 30 * time.Second

// A Conn is one connection to a target, for one caller at a time. Its methods
// wait for the answer and check that it is the one expected.
type Conn struct {
	nc net.Conn
	exchange
}

// Dial connects.
func (t Target) Dial() (*Conn, error) {
	nc, err := net.DialTimeout("tcp", t.Addr, 5*time.Second)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return &Conn{nc, exchange{protocol: t.protocol()}}, nil
}

// Close closes it.
func (c *Conn) Close() error { return c.nc.Close() }

// Get reads the item of a key, Pair reads it and writes it back, Put stores it.
func (c *Conn) Get(key int) error  { return c.do(Get.steps(), key) }
func (c *Conn) Pair(key int) error { return c.do(Pair.steps(), key) }
func (c *Conn) Put(key int) error  { return c.do(put.steps(), key) }

func (c *Conn) do(steps []step, key int) error {
	for _, s := range steps {
		c.ask(s, key)
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.await(s); err != nil {
			return err
		}
	}
	return nil
}

// store stores keys from to to-1 in one write.
func (c *Conn) store(from, to int) error {
	for k := from; k < to; k++ {
		c.ask(store, k)
	}
	if err := c.flush(); err != nil {
		return err
	}
	for range to - from {
		if err := c.await(store); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) flush() error {
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	return err
}

func (c *Conn) await(s step) error {
	for {
		whole, err := c.answered(s)
		if whole || err != nil {
			return err
		}
		n, err := c.nc.Read(c.room())
		c.in = c.in[:len(c.in)+n]
		if n == 0 && err != nil {
			return err
		}
	}
}
