package growth

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/stores/inproc"
)

// asked holds the address on which this process is to be a Memory.
const asked = "ASPSESSION_BENCHMARK_GROWTH"

// ServeIfAsked does not return where the process was started to hold sessions.
// It stands first in main, and in TestMain.
func ServeIfAsked() {
	addr := os.Getenv(asked)
	if addr == "" {
		return
	}
	fmt.Fprintln(os.Stderr, serve(addr))
	os.Exit(1)
}

func serve(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(new(Memory)); err != nil {
		return err
	}
	server.Accept(ln)
	return nil
}

// A Memory is a process with a site on a store in its memory: what net/rpc calls.
// One call at a time.
type Memory struct {
	site   *site
	count  int
	random random
}

// Fill makes the sessions.
func (m *Memory) Fill(sessions int, _ *struct{}) error {
	c := tenStrings()
	frame, err := c.frame()
	if err != nil {
		return err
	}
	store := inproc.New(inproc.Options{})
	for i := range sessions {
		if err := store.Load(id(i), bytes.Clone(frame)); err != nil {
			return err
		}
	}
	m.count = sessions
	if m.site, err = newSite(store, c); err != nil {
		return err
	}
	runtime.GC()
	return nil
}

// A Job is requests of one kind for some time.
type Job struct {
	Op  string // bare, read or write
	For time.Duration
}

// Done is what became of a Job.
type Done struct {
	Requests int
	Spent    time.Duration
}

// Run does a job.
func (m *Memory) Run(job Job, done *Done) error {
	h := map[string]http.Handler{"bare": m.site.bare, "read": m.site.read, "write": m.site.write}[job.Op]
	start := time.Now()
	for done.Spent = 0; done.Spent < job.For; done.Spent = time.Since(start) {
		for range 100 {
			if err := m.site.serve(h, id(m.random.below(m.count))); err != nil {
				return err
			}
		}
		done.Requests += 100
	}
	return nil
}

// A memory is a Memory in a process of its own.
type memory struct {
	process *load.Process
	client  *rpc.Client
	turns   map[string][]float64
	count   int           // requests, bare ones too
	began   time.Duration // processor time before the first
}

func startMemory(sessions int) (*memory, error) {
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := load.Start(addr, []string{asked + "=" + addr}, program)
	if err != nil {
		return nil, err
	}
	m := &memory{process: p, turns: make(map[string][]float64)}
	if m.client, err = rpc.Dial("tcp", addr); err == nil {
		err = m.client.Call("Memory.Fill", sessions, new(struct{}))
	}
	if err != nil {
		m.stop()
		return nil, err
	}
	m.began = p.CPU()
	return m, nil
}

func (m *memory) stop() {
	if m.client != nil {
		_ = m.client.Close()
	}
	m.process.Stop()
}

// run is one turn.
func (m *memory) run(op string, d time.Duration) error {
	var done Done
	if err := m.client.Call("Memory.Run", Job{op, d}, &done); err != nil {
		return err
	}
	m.turns[op] = append(m.turns[op], float64(done.Spent)/float64(done.Requests))
	m.count += done.Requests
	return nil
}

// median is a request's nanoseconds.
func (m *memory) median(op string) float64 {
	all := slices.Sorted(slices.Values(m.turns[op]))
	return all[len(all)/2]
}

// cpu is a request's processor nanoseconds, of all threads.
func (m *memory) cpu() float64 {
	return float64(m.process.CPU()-m.began) / float64(m.count)
}
