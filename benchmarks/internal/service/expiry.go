package service

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

const (
	live       = 1_000 // sessions that do not expire, and are read meanwhile
	readers    = 16    // connections
	mostExpiry = time.Minute
)

// An expiring is the GETs at rest and while sessions expire.
type expiring struct {
	rest, during load.Result
	took         time.Duration // until the last was gone
}

func (x expiring) times() float64 { return float64(x.during.P99) / float64(x.rest.P99) }

// expiry measures GETs of live sessions while all others expire at one moment.
func expiry(e *env.Env, s sizes, sec *report.Section) error {
	table := report.Table{Name: "expiry", Title: fmt.Sprintf("GET over %d connections while %s of 1 KB expire at one moment", readers, sessions(s.expiring)),
		Columns: []report.Column{
			{Title: "p99 at rest", Unit: report.Nanoseconds}, {Title: "p99 expiring", Unit: report.Nanoseconds}, {Title: "p99", Unit: report.Times},
			{Title: "p99.9 at rest", Unit: report.Nanoseconds}, {Title: "p99.9 expiring", Unit: report.Nanoseconds},
			{Title: "at rest", Unit: report.PerSecond}, {Title: "expiring", Unit: report.PerSecond}, {Title: "gone after", Unit: report.Nanoseconds},
		},
		Note: "Nobody waited for a timeout: the state service ran with a clock of sessions that was moved on by 21 minutes, and the sessions that are read were renewed before the last two. " +
			"It sweeps ten times a second here (default every 20 s), in steps of some microseconds, a quarter of a processor at most. " +
			"Redis's sessions have one absolute end each, at the same moment. The processor is the server's alone, and saturated at rest already.",
	}
	for _, one := range []struct {
		name    string
		measure func(sizes) (expiring, error)
	}{{ours, expireOurs}, {redis, expireRedis}} {
		x, err := one.measure(s)
		if errors.Is(err, peers.ErrMissing) {
			continue // it was said
		}
		if err != nil {
			return err
		}
		e.Say("expiring: %-13s p99 %v at rest, %v while %d expire, in %v", one.name, x.rest.P99, x.during.P99, s.expiring, x.took.Round(time.Millisecond))
		table.Rows = append(table.Rows, report.Row{Label: one.name, Cells: report.Cells(float64(x.rest.P99), float64(x.during.P99), x.times(),
			float64(x.rest.P999), float64(x.during.P999), x.rest.PerSecond, x.during.PerSecond, float64(x.took))})
		if one.name == ours {
			sec.Claims = append(sec.Claims, report.Claim{Text: fmt.Sprintf("p99 of a GET while %s expire beside p99 at rest", sessions(s.expiring)), Value: x.times(), Op: "<=", Want: 3, Unit: report.Times})
		}
	}
	sec.Tables = append(sec.Tables, table)
	return nil
}

func expireOurs(s sizes) (x expiring, err error) {
	var server *peers.Clocked
	if err := load.OnCPU(0, func() (err error) { server, err = peers.NewClocked(); return err }); err != nil {
		return x, err
	}
	defer server.Stop()
	t := load.StateService(server.Addr, kilobyte)
	if err := load.Fill(t, s.expiring+live); err != nil {
		return x, err
	}
	if x.rest, err = load.Run(t, load.Get, readers, live, s.long); err != nil {
		return x, err
	}
	if _, err := server.Advance(19 * time.Minute); err != nil {
		return x, err
	}
	if err := load.Fill(t, live); err != nil {
		return x, err
	}
	if _, err := server.Advance(2 * time.Minute); err != nil {
		return x, err
	}
	return during(x, t, func() (int, error) { return server.Advance(0) })
}

func expireRedis(s sizes) (x expiring, err error) {
	var server *load.Process
	if err := load.OnCPU(0, func() (err error) { server, err = peers.Redis(); return err }); err != nil {
		return x, err
	}
	defer server.Stop()
	t := load.Redis(server.Addr, kilobyte)
	var end time.Time
	for slack := time.Duration(1); ; slack *= 4 { // on a machine that has better to do it takes longer
		end = time.Now().Add(slack*(2*time.Second+time.Duration(s.expiring)*20*time.Microsecond) + s.long)
		if err := load.FillFrom(load.RedisUntil(server.Addr, kilobyte, end), live, s.expiring+live); err != nil {
			return x, err
		}
		if err := load.Fill(t, live); err != nil {
			return x, err
		}
		if x.rest, err = load.Run(t, load.Get, readers, live, s.long); err != nil {
			return x, err
		}
		if time.Now().Before(end) {
			break
		}
		if slack >= 16 {
			return x, errors.New("redis: the sessions expired before they were all stored")
		}
	}
	nc, err := net.Dial("tcp", server.Addr)
	if err != nil {
		return x, err
	}
	defer nc.Close()
	in := bufio.NewReader(nc)
	time.Sleep(time.Until(end))
	return during(x, t, func() (n int, err error) {
		if _, err := fmt.Fprint(nc, "DBSIZE\r\n"); err != nil {
			return 0, err
		}
		_, err = fmt.Fscanf(in, ":%d\r\n", &n)
		return n, err
	})
}

// during reads until only the live sessions are left.
func during(x expiring, t load.Target, left func() (int, error)) (expiring, error) {
	var gone atomic.Bool
	begin, ended := time.Now(), make(chan error, 1)
	go func() {
		for {
			n, err := left()
			if err != nil || n <= live || time.Since(begin) > mostExpiry {
				if err == nil && n > live {
					err = fmt.Errorf("%s: %d sessions are left after %v", t.Name, n-live, mostExpiry)
				}
				x.took = time.Since(begin)
				gone.Store(true)
				ended <- err
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	var err error
	x.during, err = load.RunUntil(t, load.Get, readers, live, 2*mostExpiry, gone.Load)
	return x, errors.Join(err, <-ended)
}
