// Package waiting measures requests that wait for one another: ten of 5 ms each,
// on one session, all at once. A site that shares sessions runs them one after
// the other; what is measured is how soon the next one runs when one is done.
package waiting

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

const (
	requests = 10 // these two are in the texts as well
	work     = 5 * time.Millisecond
	appID    = "/LM/W3SVC/1/ROOT"
	body     = 1 << 10 // of the session, bytes
)

// A way is one way to wait. It starts the ten requests on the session of an id
// and returns when all are done.
type way struct {
	name   string
	addr   string // of the state service
	poll   bool   // every half a second: few rounds will do
	runner func(addr string) (runner, error)
}

// A runner runs requests of one session.
type runner interface {
	// request runs the i-th of the ten, the page in its turn.
	request(i int, page func()) error
	close() error
}

const (
	parked   = "parked by the service"
	oneGo    = "all on one middleware"
	twoGo    = "on two middlewares"
	unparked = "our client alone, no parking"
	polling  = "ASP.NET's polling, no parking"
	both     = "ASP.NET's polling, parked by the service"
)

// counts are how many rounds there are; tests take fewer.
type counts struct{ rounds, polled, echoes int }

// Measure runs all the ways.
func Measure(e *env.Env) (report.Section, error) {
	c := counts{rounds: 100, polled: 12, echoes: 2000}
	if e.Quick {
		c = counts{rounds: 20, polled: 3, echoes: 500}
	}
	return measure(e, c, everyway)
}

// everyway is all of them; tests leave some out.
func everyway(park, plain string) []way {
	return []way{
		{oneGo, park, false, servers(1)},
		{twoGo, park, false, servers(2)},
		{parked, park, false, servers(requests)},
		{unparked, plain, false, servers(requests)},
		{both, park, false, pollers},
		{polling, plain, true, pollers},
	}
}

// A round is what became of ten requests.
type round struct {
	total time.Duration   // from the first one's start to the last one's end
	waits []time.Duration // of each, from its start to its page's
	hands []time.Duration // from the end of a page to the start of the next
}

func measure(e *env.Env, c counts, ways func(park, plain string) []way) (report.Section, error) {
	park, err := peers.Service()
	if err != nil {
		return report.Section{}, fmt.Errorf("waiting: %w", err)
	}
	defer park.Stop()
	plain, err := peers.Unparked()
	if err != nil {
		return report.Section{}, fmt.Errorf("waiting: %w", err)
	}
	defer plain.Stop()
	echo, err := echoes(c.echoes)
	if err != nil {
		return report.Section{}, fmt.Errorf("waiting: %w", err)
	}
	all := ways(park.Addr, plain.Addr)
	rounds := make([][]round, len(all))
	for n := range max(c.rounds, c.polled) {
		for i, w := range all {
			if w.poll && n >= c.polled || !w.poll && n >= c.rounds {
				continue
			}
			r, err := run(w)
			if err != nil {
				return report.Section{}, fmt.Errorf("waiting: %s: %w", w.name, err)
			}
			rounds[i] = append(rounds[i], r)
		}
	}
	return section(e, all, rounds, echo), nil
}

// run runs ten requests at once, and is an error where two pages ran at a time.
func run(w way) (r round, err error) {
	who, err := w.runner(w.addr)
	if err != nil {
		return r, err
	}
	defer func() {
		if failed := who.close(); err == nil {
			err = failed
		}
	}()
	var pages pages
	type answer struct {
		began, page time.Time
		err         error
	}
	answers, start := make(chan answer, requests), make(chan struct{})
	for i := range requests {
		go func() {
			<-start
			a := answer{began: time.Now()}
			a.err = who.request(i, func() { a.page = pages.run() })
			answers <- a
		}()
	}
	begin := time.Now()
	close(start)
	for range requests {
		a := <-answers
		if a.err != nil {
			err = a.err
			continue
		}
		r.waits = append(r.waits, a.page.Sub(a.began))
	}
	r.total = time.Since(begin)
	if err != nil {
		return r, err
	}
	r.hands, err = pages.hands()
	return r, err
}

// echoes is how long a round trip between two processes takes, without anything
// to do; the median.
func echoes(n int) (time.Duration, error) {
	p, err := peers.Echo()
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	c, err := load.Echo(p.Addr, 64).Dial()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if err := c.Get(0); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
	}
	return at(took, .5), nil
}

// at is a quantile.
func at(v []time.Duration, q float64) time.Duration {
	v = slices.Sorted(slices.Values(v))
	return v[min(int(q*float64(len(v))), len(v)-1)]
}

const text = `Ten requests of 5 ms each want one session exclusively, all at once. The page counts itself up in the session, so that each one is saved. The state service runs in a
process of its own; the requests go through the whole middleware, each on a middleware and a connection of its own, as if ten web servers had got one each: so every hand-over goes through the service,
which is the hardest case. In the first two rows all requests, or five each, share a middleware; there our client hands the session
on inside the process, and the service sees one waiter for each.

- *%s*: the service holds back the reply of who meets a lock, until it is his.
- *%s*: the service refuses at once, as aspnet_state.exe does; our client asks again, after 2 ms at first.
- *%s*: a client that does what SessionStateModule of .NET Framework 4.8 does: it acquires, sleeps 500 ms where it is told that the session is locked, and asks again.
- *%s*: the same client, which knows nothing of parking, at a service that parks.

A **hand-over** is the time from the end of one page to the start of the next: saving and releasing, and the next one's hearing of it. The **wait** of a request is from its start to its page's.
The limit is one echo of 64 bytes between two processes over loopback: a hand-over takes at least two ways, the saving one's to the service and the waiting one's from it. Without any hand-over ten pages take 50 ms.`

func section(e *env.Env, all []way, rounds [][]round, echo time.Duration) report.Section {
	table := report.Table{Name: "overlapping", Title: "Ten overlapping requests of 5 ms on one session", Columns: []report.Column{
		{Title: "all ten", Unit: report.Nanoseconds}, {Title: "wait p99", Unit: report.Nanoseconds},
		{Title: "hand-over p50", Unit: report.Nanoseconds}, {Title: "p99", Unit: report.Nanoseconds}, {Title: "p50, of an echo", Unit: report.Times}, {Title: "hand-overs"},
	}}
	chart := report.Chart{Name: "waiting", Title: "From the end of one page to the start of the next", Kind: report.Bars,
		X: "how the next one waits", Y: "hand-over", YUnit: report.Nanoseconds, LogY: true, Series: []report.Series{{Name: "p50"}, {Name: "p99"}}}
	p50 := make(map[string]time.Duration)
	for i, w := range all {
		var totals, waits, hands []time.Duration
		for _, r := range rounds[i] {
			totals, waits, hands = append(totals, r.total), append(waits, r.waits...), append(hands, r.hands...)
		}
		total, wait, half, most := at(totals, .5), at(waits, .99), at(hands, .5), at(hands, .99)
		p50[w.name] = half
		e.Say("%-42s all ten %8v, wait p99 %8v, hand-over p50 %8v p99 %8v", w.name, total.Round(time.Millisecond/10), wait.Round(time.Millisecond/10), half.Round(time.Microsecond), most.Round(time.Microsecond))
		table.Rows = append(table.Rows, report.Row{Label: w.name, Cells: report.Cells(float64(total), float64(wait), float64(half), float64(most), float64(half)/float64(echo), float64(len(hands)))})
		chart.Labels = append(chart.Labels, w.name)
		chart.Series[0].Y = append(chart.Series[0].Y, float64(half))
		chart.Series[1].Y = append(chart.Series[1].Y, float64(most))
	}
	table.Note = fmt.Sprintf("Medians over the rounds of all ten; quantiles over all requests and hand-overs. The echo took %s.", report.Spell(float64(echo), report.Nanoseconds))
	s := report.Section{Name: "waiting", Title: "Waiting for one another", Tables: []report.Table{table},
		Text: strings.TrimSpace(fmt.Sprintf(text, parked, unparked, polling, both))}
	ours, there := p50[parked]
	theirs, too := p50[polling]
	if there && too {
		times := float64(theirs) / float64(ours)
		chart.Sentence = fmt.Sprintf("Parked requests are handed the session after %s (median), those that poll as ASP.NET does after %s: %s as late.",
			report.Spell(float64(ours), report.Nanoseconds), report.Spell(float64(theirs), report.Nanoseconds), report.Spell(times, report.Times))
		s.Claims = []report.Claim{{Text: "Hand-over with parking, times faster than with ASP.NET's polling (medians)", Value: times, Op: ">=", Want: 100, Unit: report.Times, Headline: true}}
	}
	s.Charts = []report.Chart{chart}
	return s
}
