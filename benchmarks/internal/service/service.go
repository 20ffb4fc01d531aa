// Package service measures our state service beside Redis and memcached: how
// much it answers and how fast, what a session takes of memory, and what it does
// to those who ask while very many sessions expire.
package service

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

const kilobyte = 1 << 10

// sizes are what is measured at; tests shrink them.
type sizes struct {
	rounds     int
	each, long time.Duration // of a run; of the runs that a claim is made of
	steps      []int         // sessions, of the memory table
	expiring   int           // sessions
}

func sizesOf(e *env.Env) sizes {
	rounds, long := e.Rounds()
	s := sizes{rounds, long / 4, long, []int{10_000, 100_000, 1_000_000, 2_000_000}, 1_000_000}
	if e.Quick {
		s.steps, s.expiring = s.steps[:2], 100_000
	}
	return s
}

// Measure runs it all.
func Measure(e *env.Env) (report.Section, error) { return measure(e, sizesOf(e)) }

func measure(e *env.Env, s sizes) (report.Section, error) {
	sec := report.Section{Name: "service", Title: "The state service beside Redis and memcached", Text: text}
	for _, p := range []string{"redis-server", "memcached"} {
		if v := peers.Version(p); v != "" {
			e.Version(p, v)
		}
	}
	for _, part := range []func(*env.Env, sizes, *report.Section) error{throughput, shared, memory, expiry} {
		if err := part(e, s, &sec); err != nil {
			return report.Section{}, fmt.Errorf("service: %w", err)
		}
	}
	return sec, nil
}

const text = `Each server runs as one process on one processor, and one load generator on another:
a single thread that polls the sockets itself and never sleeps, one request at a time per connection, no pipelining, the same loop for every protocol.
Every round runs all servers, one after the other; figures are medians of the rounds. To keep the run in bounds, all numbers of connections are measured with sessions of 1 KB, all sizes at 50 connections.
A *GET* reads a session; *acquire+save* locks, reads, writes and unlocks it in two requests, for which Redis and memcached
do a plain read and write that lock nothing. *echo* gives back as many bytes as a read answers, written in Go with a goroutine for each connection,
as the state service is, and *redis ECHO* is Redis doing the same: what servers that look up nothing do on this machine's loopback.

**Where the time goes.** A CPU profile of the state service under GETs at 50 connections has 85 % of its time in the kernel's read and write, some
10 % in its own code (deadlines against peers that stall under 3 %, the item's lock and lookup 4 %), and the rest in Go's scheduler. Echo in Go bounds it at many connections; it receives as much
as it sends, though, where a GET is short, so that for one connection and for large sessions it is no bound.

**What it would take to be ahead everywhere.** For a request Redis reads once and writes once; Go's net package
reads once more, in vain, before each wait, and switches goroutines. Being ahead with one processor needs a loop of our own over epoll or io_uring in place of net.Conn
and a shorter head than the protocol's 110 bytes a reply: the first costs portability and the goroutine per connection that makes the server simple, the second ASP.NET's client.
With several processors the state service and memcached use them all; Redis's commands use one.

**On p99.** Connections are served in waves: Go asks the network when nothing else can run, and who is late in one wave waits for the next, so that p99 is about twice p50.
Yielding before each read brought that from 0.77 ms to 0.44 ms, below Redis's, and answered 5 to 12 % more. But then something can always run, the network is asked by Go's monitor only,
and a connection that asks rarely beside 50 that never rest waited 7 ms for each answer (p50) where it waits 0.4 ms now. So the service does not yield.
Where a server has more threads than there are free processors, they take turns with the generator's in slices of milliseconds, and that is its p99: the table
*both processors* shows it, for memcached's two threads as for ours. A generator in Go beside the servers on the same processors measures mostly that.`

// A server is a target and the process behind it.
type server struct {
	load.Target
	process *load.Process
}

// A subject is how to start one.
type subject struct {
	name   string
	start  func() (*load.Process, error)
	target func(addr string, size int) load.Target
}

const (
	ours       = "state service"
	redis      = "redis"
	memcached  = "memcached"
	echo       = "echo"
	redisEcho  = "redis ECHO"
	oneThread  = 1
	twoThreads = 2
)

func subjects(threads, megabytes int) []subject {
	return []subject{
		{ours, peers.Service, load.StateService},
		{redis, peers.Redis, load.Redis},
		{memcached, func() (*load.Process, error) { return peers.MemcachedWith(threads, megabytes) }, load.Memcached},
		{echo, peers.Echo, load.Echo},
		{redisEcho, peers.Redis, load.RedisEcho},
	}
}

// start starts those that are installed; pinned on the first processor.
func start(e *env.Env, all []subject, pinned bool) (servers []server, err error) {
	for _, s := range all {
		var p *load.Process
		begin := func() (err error) { p, err = s.start(); return err }
		if pinned {
			err = load.OnCPU(0, begin)
		} else {
			err = begin()
		}
		if errors.Is(err, peers.ErrMissing) {
			e.LeaveOut("service: %s is %v", s.name, peers.ErrMissing)
			continue
		}
		if err != nil {
			stop(servers)
			return nil, err
		}
		servers = append(servers, server{s.target(p.Addr, kilobyte), p})
	}
	return servers, nil
}

func stop(servers []server) {
	for _, s := range servers {
		s.process.Stop()
	}
}

// stored is how many sessions there are while throughput is measured.
const stored = 10_000

// cost is one run with what the server took for it.
type cost struct {
	load.Result
	cpu float64 // seconds per million operations
}

// rounds runs all servers in turns and returns each one's rounds.
func rounds(servers []server, op load.Op, conns, items, n int, each time.Duration) ([][]cost, error) {
	all := make([][]cost, len(servers))
	for range n {
		for i, s := range servers {
			before := s.process.CPU()
			r, err := load.Run(s.Target, op, conns, items, each)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], cost{r, (s.process.CPU() - before).Seconds() / float64(r.Count) * 1e6})
		}
	}
	return all, nil
}

func perSecond(c cost) float64 { return c.PerSecond }
func p50(c cost) float64       { return float64(c.P50) }
func p99(c cost) float64       { return float64(c.P99) }
func p999(c cost) float64      { return float64(c.P999) }
func cpu(c cost) float64       { return c.cpu }

// median of one figure over the rounds.
func median(all []cost, of func(cost) float64) float64 {
	v := make([]float64, len(all))
	for i, c := range all {
		v[i] = of(c)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// ratio is the median over the rounds of one's figure to another's in the same
// round.
func ratio(a, b []cost, of func(cost) float64) float64 {
	v := make([]float64, len(a))
	for i := range a {
		v[i] = of(a[i]) / of(b[i])
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// index is where a server is, -1 where it was left out.
func index(servers []server, name string) int {
	return slices.IndexFunc(servers, func(s server) bool { return s.Name == name })
}
