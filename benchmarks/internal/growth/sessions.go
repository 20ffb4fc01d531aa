package growth

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
	"github.com/aspsession/aspsession/benchmarks/internal/turns"
)

// sessionCounts are how many sessions there are.
var sessionCounts = []int{1_000, 10_000, 100_000, 1_000_000}

// sessionFigures has a figure for each count.
type sessionFigures struct {
	memory                      []float64 // one memory read
	bare, echo                  float64
	read, write, cpu            []float64 // in the process
	overRead, overWrite, theirs []float64 // over the service; theirs is its processor time
}

func measureSessions(e *env.Env, s *report.Section) error {
	f, err := sessionsOf(e, sessionCounts)
	if err != nil {
		return err
	}
	f.report(sessionCounts, s)
	return nil
}

func sessionsOf(e *env.Env, counts []int) (*sessionFigures, error) {
	f := new(sessionFigures)
	for _, n := range counts {
		f.memory = append(f.memory, memoryRead(n<<10))
	}
	debug.FreeOSMemory()
	if err := f.inProcess(e, counts); err != nil {
		return nil, err
	}
	return f, f.overService(e, counts)
}

// memoryRead is the nanoseconds of one read at a random place among size bytes,
// where the place depends on what was read before.
func memoryRead(size int) float64 {
	b := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		b[i] = 1 // the page is there, and not the system's page of zeros
	}
	var r random
	const reads = 1000
	ns := turns.Time(100*time.Millisecond, func() {
		for range reads {
			r += random(b[r.below(size)])
		}
	})
	return ns[0] / reads
}

func (f *sessionFigures) inProcess(e *env.Env, counts []int) error {
	stores := make([]*memory, len(counts))
	for i, n := range counts {
		e.Say("growth: %s sessions in a process's memory", number(n))
		m, err := startMemory(n)
		if err != nil {
			return err
		}
		defer m.stop()
		stores[i] = m
	}
	// A turn of a store that another has pushed out of the caches begins with
	// misses: it is to be long beside those.
	rounds, each := 40, 50*time.Millisecond
	if e.Quick {
		rounds, each = 10, 40*time.Millisecond
	}
	e.Say("growth: requests in the process, in %d rounds", rounds)
	for range rounds {
		for _, op := range []string{"bare", "read", "write"} {
			for _, m := range stores {
				if err := m.run(op, each); err != nil {
					return err
				}
			}
		}
	}
	f.bare = stores[0].median("bare")
	for _, m := range stores {
		bare := m.median("bare")
		f.read = append(f.read, m.median("read")-bare)
		f.write = append(f.write, m.median("write")-bare)
		f.cpu = append(f.cpu, m.cpu())
	}
	return nil
}

func (f *sessionFigures) overService(e *env.Env, counts []int) error {
	c := tenStrings()
	frame, err := c.frame()
	if err != nil {
		return err
	}
	echo, err := onOneCPU(peers.Echo)
	if err != nil {
		return err
	}
	defer echo.Stop()
	loopback, err := load.Echo(echo.Addr, len(frame)).Dial()
	if err != nil {
		return err
	}
	defer loopback.Close()

	var r random
	sides := []side{{"echo", func() error { return loopback.Get(0) }}}
	began := make([]time.Duration, len(counts))
	services := make([]*service, len(counts))
	requests := make([]int, len(counts))
	for i, n := range counts {
		e.Say("growth: %s sessions on a state service", number(n))
		s, err := startService()
		if err != nil {
			return err
		}
		defer s.stop()
		if err := s.fill(n, frame); err != nil {
			return err
		}
		site, err := newSite(s.store, c)
		if err != nil {
			return err
		}
		defer site.close()
		services[i] = s
		request := func(h http.Handler) func() error {
			return func() error { requests[i]++; return site.serve(h, id(r.below(n))) }
		}
		sides = append(sides, side{fmt.Sprint("read ", n), request(site.read)}, side{fmt.Sprint("write ", n), request(site.write)})
		if i == 0 {
			sides = append(sides, side{"bare", func() error { return site.serve(site.bare, id(r.below(n))) }})
		}
	}
	for i, s := range services {
		began[i] = s.process.CPU()
	}
	total := perRound(e, 700*time.Millisecond, 6*time.Second)
	e.Say("growth: requests over the service, %v each", total)
	ns, err := inTurns(total, sides)
	if err != nil {
		return err
	}
	f.echo = ns["echo"]
	for i, n := range counts {
		f.overRead = append(f.overRead, ns[fmt.Sprint("read ", n)]-ns["bare"])
		f.overWrite = append(f.overWrite, ns[fmt.Sprint("write ", n)]-ns["bare"])
		f.theirs = append(f.theirs, float64(services[i].process.CPU()-began[i])/float64(requests[i]))
	}
	return nil
}

func (f *sessionFigures) report(counts []int, s *report.Section) {
	t := report.Table{Name: "sessions", Title: "From a thousand sessions to a million, ten strings each", Columns: []report.Column{
		{Title: "in-proc, ReadOnly", Unit: report.Nanoseconds}, {Title: "in-proc, ReadWrite", Unit: report.Nanoseconds},
		{Title: "in-proc, processor time with garbage collector, mean", Unit: report.Nanoseconds},
		{Title: "one memory read", Unit: report.Nanoseconds},
		{Title: "service, ReadOnly", Unit: report.Nanoseconds}, {Title: "beside loopback echo", Unit: report.Times},
		{Title: "service, ReadWrite", Unit: report.Nanoseconds}, {Title: "beside two echoes", Unit: report.Times},
		{Title: "service's own processor time", Unit: report.Nanoseconds}}}
	for i, n := range counts {
		t.Rows = append(t.Rows, report.Row{Label: number(n) + " sessions", Cells: report.Cells(f.read[i], f.write[i], f.cpu[i], f.memory[i],
			f.overRead[i], f.overRead[i]/f.echo, f.overWrite[i], f.overWrite[i]/(2*f.echo), f.theirs[i])})
	}
	t.Note = fmt.Sprintf("The bare handler with the choosing of a session takes %s, a loopback echo of the session's bytes between two processes %s. "+
		"In-proc processor time is the mean of bare, reading and changing requests alike; from first to last it grows by %.2fx, the service's own by %.2fx.",
		duration(f.bare), duration(f.echo), grown(f.cpu), grown(f.theirs))
	s.Tables = append(s.Tables, t)
	few, many := number(counts[0]), number(counts[len(counts)-1])
	span := "from " + few + " to " + many + " sessions"
	flat := make([]float64, len(counts))
	for i := range flat {
		flat[i] = f.echo
	}
	s.Charts = append(s.Charts, chart("growth-sessions", "Cost of a request by number of sessions", "sessions", "", counts, []line{
		{"service, ReadWrite", f.overWrite}, {"service, ReadOnly", f.overRead}, {"limit: loopback echo", flat},
		{"in-proc, ReadWrite", f.write}, {"in-proc, ReadOnly", f.read}, {"limit: one memory read", f.memory},
	}, fmt.Sprintf("%s a request that reads goes over the service from %s, and one that changes from %s; in the process from %s, and from %s, where one read of memory goes from %s.",
		capital(span), fromTo(f.overRead), fromTo(f.overWrite), fromTo(f.read), fromTo(f.write), fromTo(f.memory))))
	for _, c := range []struct {
		what string
		of   []float64
		want float64
		note string
	}{
		{"over the service, reading", f.overRead, 1.10, f.atTheService()}, {"over the service, changing", f.overWrite, 1.10, f.atTheService()},
		{"in-proc, reading", f.read, 2, f.misses(f.read)}, {"in-proc, changing", f.write, 2, f.misses(f.write)},
	} {
		claim := report.Claim{Text: "cost of a request " + span + ", " + c.what, Value: grown(c.of), Op: "<=", Want: c.want, Unit: report.Times}
		if !claim.Holds() {
			claim.Note = c.note
		}
		s.Claims = append(s.Claims, claim)
	}
}

// atTheService says how much of it is the service's own work.
func (f *sessionFigures) atTheService() string {
	note := fmt.Sprintf("the service's own processor time for a request went from %s to %s: each request meets some lines of memory that nobody has touched for long",
		duration(f.theirs[0]), duration(last(f.theirs)))
	if report.ThisMachine().HugePages != "always" {
		note += ", in pages of 4 KiB whose addresses have to be looked up first. Where the system gives huge pages to all (transparent_hugepage=always) that part is gone: " +
			"run this section there to see it"
	}
	return note
}

// misses says what a growing figure consists of.
func (f *sessionFigures) misses(of []float64) string {
	more := last(of) - of[0]
	return fmt.Sprintf("the %s more are as long as %.1f dependent reads of memory that no cache holds, of %s each: a request meets the map's group, the id, the session's entry and its content; "+
		"a map by hash and an entry with the id in it were tried and are no faster", duration(more), more/last(f.memory), duration(last(f.memory)))
}
