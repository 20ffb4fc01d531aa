package stateservice_test

import (
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var scaleFlag = flag.Int("scale", 0, "how many sessions TestScale keeps; 1000000 takes a minute")

// What many idle sessions cost in memory, and what their expiring at once costs
// those who ask meanwhile.
func TestScale(t *testing.T) {
	if *scaleFlag == 0 {
		t.Skip("a measurement: -scale 1000000")
	}
	server := startChild(t, "server")
	storeAll(t, server.addr)
	t.Logf("%s items, resident %s", server.tell(""), resident(server.pid))
	storeAll(t, server.addr)
	t.Logf("all of them stored again, resident %s", resident(server.pid))

	var pages []*page
	for range 4 {
		pages = append(pages, newPage(t, server.addr)) // of 20 minutes as well, but used
	}
	rest := latencies(t, pages, func() bool { return false }, 3*time.Second)
	t.Logf("at rest:  %v", rest)
	// They are as old as can be, but for the pages, which are used in between.
	server.tell("19m")
	latencies(t, pages, func() bool { return false }, 100*time.Millisecond)
	server.tell("2m")
	began := time.Now()
	var done atomic.Bool
	go func() {
		for !done.Load() {
			time.Sleep(10 * time.Millisecond)
			if server.tell("") == "4" {
				done.Store(true)
			}
		}
	}()
	expiring := latencies(t, pages, done.Load, 60*time.Second)
	t.Logf("expiring: %v, for %v", expiring, time.Since(began))
	t.Logf("p99 %.2f times that at rest; resident %s", float64(expiring.p99)/float64(rest.p99), resident(server.pid))
}

// storeAll stores as many items of 1 KB as the flag says.
func storeAll(t *testing.T, addr string) {
	const conns = 8
	var wg sync.WaitGroup
	for n := range conns {
		c := caller{nc: dialLong(t, addr)}
		wg.Go(func() {
			body := fill(kilobyte)
			var raw strings.Builder
			const at = 32 // in one packet
			for i := n; i < *scaleFlag; {
				raw.Reset()
				k := 0
				for ; k < at && i < *scaleFlag; k++ {
					raw.WriteString(fillIn(strings.Replace(put, "55", "1024", 1)+"Timeout: 20\r\n"+end, fmt.Sprintf("s%023d", i)) + body)
					i += conns
				}
				if err := c.ask([]byte(raw.String()), k*len("HTTP/1.1 200 OK\r\n"+version40+empty)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func dialLong(t testing.TB, addr string) net.Conn {
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { nc.Close() })
	return nc
}

func resident(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "unknown here"
	}
	for line := range strings.Lines(string(b)) {
		if rss, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rss)
		}
	}
	return "unknown"
}

type quantiles struct {
	n                   int
	p50, p99, p999, max time.Duration
}

func (q quantiles) String() string {
	return fmt.Sprintf("n=%d p50=%v p99=%v p99.9=%v max=%v", q.n, q.p50, q.p99, q.p999, q.max)
}

func quantilesOf(all []time.Duration) quantiles {
	slices.Sort(all)
	n := len(all)
	return quantiles{n, all[n/2], all[n*99/100], all[n*999/1000], all[n-1]}
}

// latencies of GETs, one after the other on each page's connection, until over
// or for so long.
func latencies(t *testing.T, pages []*page, over func() bool, most time.Duration) quantiles {
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	end := time.Now().Add(most)
	for _, p := range pages {
		wg.Go(func() {
			var own []time.Duration
			for now := time.Now(); now.Before(end) && !over(); {
				if err := p.caller.ask(p.get, p.got); err != nil {
					t.Error(err)
					return
				}
				then := time.Now()
				own = append(own, then.Sub(now))
				now = then
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	wg.Wait()
	return quantilesOf(all)
}

// How long a lock is on its way from who gives it back to who waits for it, in
// loopback echoes between two processes.
func BenchmarkHandOver(b *testing.B) {
	server, echo := startChild(b, "server"), startChild(b, "echo")
	w := dial(b, server.addr)
	require.Equal(b, "200", status(w.ask(set(fill(kilobyte)))))
	peers := [2]*wire{dial(b, server.addr), dial(b, server.addr)}
	e := dial(b, echo.addr)
	buf := make([]byte, 64)
	held := field(peers[0].ask(take()), "LockCookie")
	var overs, echoes []time.Duration
	for n := 0; b.Loop(); n++ {
		holder, next := peers[n%2], peers[(n+1)%2]
		got := make(chan time.Time, 1)
		next.send(take())
		time.Sleep(300 * time.Microsecond) // it is parked by now
		var rep string
		go func() {
			rep = next.reply()
			got <- time.Now()
		}()
		began := time.Now()
		holder.send(request("GET", key, "Exclusive: release", "LockCookie: "+held))
		at := <-got
		overs = append(overs, at.Sub(began))
		require.Equal(b, "200", status(rep))
		held = field(rep, "LockCookie")
		require.Equal(b, "200", status(holder.reply()))

		began = time.Now()
		_, err := e.nc.Write(buf)
		require.NoError(b, err)
		_, err = e.nc.Read(buf)
		require.NoError(b, err)
		echoes = append(echoes, time.Since(began))
	}
	o, ec := quantilesOf(overs), quantilesOf(echoes)
	b.ReportMetric(float64(o.p50)/float64(ec.p50), "p50/echo")
	b.ReportMetric(float64(o.p99)/float64(ec.p50), "p99/echo")
	b.ReportMetric(float64(ec.p50), "echo-ns")
}
