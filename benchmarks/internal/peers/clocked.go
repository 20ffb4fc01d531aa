package peers

import (
	"bufio"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/stateservice"
)

// A Clocked is our state service whose items' clock can be moved on, so that
// nobody waits for minutes to see them expire. It sweeps ten times a second.
type Clocked struct {
	*load.Process
	clock net.Conn
	in    *bufio.Reader
}

// NewClocked runs one in a process of its own.
func NewClocked() (*Clocked, error) {
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	p, err := self("clocked", addr)
	if err != nil {
		return nil, err
	}
	clock, err := net.Dial("tcp", addr)
	if err != nil {
		p.Stop()
		return nil, err
	}
	return &Clocked{p, clock, bufio.NewReader(clock)}, nil
}

// Advance moves the clock and returns how many items there are. One caller at a
// time.
func (c *Clocked) Advance(d time.Duration) (items int, err error) {
	if _, err := fmt.Fprintln(c.clock, int64(d)); err != nil {
		return 0, err
	}
	_, err = fmt.Fscanln(c.in, &items)
	return items, err
}

// Stop ends the process.
func (c *Clocked) Stop() {
	c.clock.Close()
	c.Process.Stop()
}

func serveClocked(ln, clock net.Listener, opt stateservice.Options) error {
	var ahead atomic.Int64
	opt.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	opt.SweepInterval = 100 * time.Millisecond
	s := stateservice.New(opt)
	go func() {
		c, err := clock.Accept()
		if err != nil {
			return
		}
		in := bufio.NewReader(c)
		for {
			var d int64
			if _, err := fmt.Fscanln(in, &d); err != nil {
				return
			}
			ahead.Add(d)
			fmt.Fprintln(c, s.Stats().Items)
		}
	}()
	return s.Serve(ln)
}
