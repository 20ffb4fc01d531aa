package request

import (
	"fmt"
	"math"
	"strings"

	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// allocLimits are what a session in memory may allocate above the bare handler.
var allocLimits = map[string]float64{unused: 2, read: 8, write: 14}

var kinds = []string{read, write, unused}

// render makes a section of the figures; network may lack the sites over Redis.
func render(memory, network figures, echo figure) report.Section {
	return report.Section{
		Name:  "request",
		Title: "What a session costs a request",
		Text: strings.Join([]string{
			"A whole request through each library, above the same handler without a session, with the library's own defaults. The session is ten strings of 20 to 38 characters; " +
				"*read* reads one and checks it, *write* stores another value each time, *unused* is a page behind the middleware that leaves the session alone. " +
				"The response goes to a writer that throws it away: no HTTP server is in the figures.",
			"*Ours is* says how many times faster ours is at the same kind of request: in memory and beside cookies ours in memory (in gin for gin's), over Redis ours over Redis, by what each costs above the bare handler. " +
				"Ours reads with ReadOnly, writes with ReadWrite, which locks the session in the store for the time of the request, and leaves it alone with Lazy. " +
				"None of the others locks: of two overlapping requests that write, one loses its change. Nor do they renew the session's life when it is read, as ours does. " +
				"gorilla has no middleware, so a page that does not use the session is the bare handler; gin-contrib's does nothing until the session is used, and an unused session ends while its visitor reads on. " +
				"redistore, which both use, asks Redis for a PING before each use of a connection.",
			"Allocations are above the bare handler's. The physical limits are rows of the same run: the bare handler, and a round trip of 512 bytes to another process over loopback.",
		}, "\n\n"),
		Tables: []report.Table{memoryTable(memory), networkTable(network, echo), manyTable(network, echo)},
		Charts: charts(memory, network),
		Claims: claims(memory, network),
	}
}

// label of a row; a bare handler has one page.
func (f figure) label() string {
	if f.site.router == "" {
		return f.site.name
	}
	return f.site.label(f.page)
}

func memoryTable(all figures) report.Table {
	t := report.Table{
		Name: "memory", Title: "In one process, or in a cookie",
		Columns: []report.Column{
			{Title: "a request", Unit: report.Nanoseconds}, {Title: "above bare", Unit: report.Nanoseconds}, {Title: "ours is", Unit: report.Times},
			{Title: "times bare", Unit: report.Times}, {Title: "allocations"}, {Title: "allocated", Unit: report.Bytes}, {Title: "stored or sent", Unit: report.Bytes}, {Title: "round trips"},
		},
		Note: "*Times bare* is how far from the limit a request is: the handler that has no session. *Stored or sent* is the session as its store keeps it, or as the cookie carries it with every request; gin-contrib's memory keeps Go values.",
	}
	for _, f := range all {
		bare, _ := all.of(f.site.router, unused)
		if f.site.router == "" {
			bare = f
		}
		faster := math.NaN()
		if ours, ok := all.ours(f); ok {
			faster = ratio(f.above, ours.above)
		}
		t.Rows = append(t.Rows, report.Row{Label: f.label(), Cells: report.Cells(f.ns, f.above, faster, ratio(f.ns, bare.ns), f.allocs, f.bytes, f.stored, 0)})
	}
	return t
}

func networkTable(all figures, echo figure) report.Table {
	t := report.Table{
		Name: "network", Title: "Over a socket, one visitor",
		Columns: []report.Column{
			{Title: "a request", Unit: report.Nanoseconds}, {Title: "p99", Unit: report.Nanoseconds}, {Title: "above bare", Unit: report.Nanoseconds}, {Title: "ours is", Unit: report.Times},
			{Title: "times a round trip", Unit: report.Times}, {Title: "allocations"}, {Title: "allocated", Unit: report.Bytes}, {Title: "on the wire", Unit: report.Bytes}, {Title: "round trips"},
		},
		Note: "*Times a round trip* is how far from the limit a request is: one echo of 512 bytes. *On the wire* counts bytes both ways; *round trips* those to the store, counted on the connection.",
	}
	none := math.NaN()
	t.Rows = append(t.Rows, report.Row{Label: echoName, Cells: report.Cells(echo.ns, echo.p99, none, none, 1, none, none, 2*echoSize, 1)})
	for _, f := range all {
		faster := none
		if ours, ok := all.ours(f); ok {
			faster = ratio(f.above, ours.above)
		}
		t.Rows = append(t.Rows, report.Row{Label: f.label(), Cells: report.Cells(f.ns, f.p99, f.above, faster, ratio(f.ns, echo.ns), f.allocs, f.bytes, f.wire, f.trips)})
	}
	return t
}

func manyTable(all figures, echo figure) report.Table {
	t := report.Table{
		Name: "network-many", Title: fmt.Sprintf("Over a socket, %d visitors at once", manyConns),
		Columns: []report.Column{{Title: "requests", Unit: report.PerSecond}, {Title: "p99", Unit: report.Nanoseconds}, {Title: "ours is", Unit: report.Times}, {Title: "times off a round trip", Unit: report.Times}},
		Note:    "*Times off a round trip* is how many echoes of 512 bytes the machine does in the time of one request.",
	}
	t.Rows = append(t.Rows, report.Row{Label: echoName, Cells: report.Cells(echo.perSecond, echo.manyP99, math.NaN(), 1)})
	for _, f := range all {
		faster := math.NaN()
		if ours, ok := all.ours(f); ok {
			faster = ratio(ours.perSecond, f.perSecond)
		}
		t.Rows = append(t.Rows, report.Row{Label: f.label(), Cells: report.Cells(f.perSecond, f.manyP99, faster, ratio(echo.perSecond, f.perSecond))})
	}
	return t
}

// charts has a group for each site and a bar for each kind.
func charts(memory, network figures) []report.Chart {
	pick := func(all figures, kinds []string, of func(figure) float64) (labels []string, series []report.Series) {
		for _, f := range all {
			if f.site.router != "" && (len(labels) == 0 || labels[len(labels)-1] != f.site.name) {
				labels = append(labels, f.site.name)
			}
		}
		for _, kind := range kinds {
			s := report.Series{Name: kind}
			for _, name := range labels {
				y := math.NaN()
				if f, ok := all.of(name, kind); ok {
					y = of(f)
				}
				s.Y = append(s.Y, y)
			}
			series = append(series, s)
		}
		return labels, series
	}
	all := []report.Chart{{
		Name: "request-memory", Title: "A request in one process, above the bare handler", Kind: report.Bars,
		X: "library", Y: "above the bare handler", YUnit: report.Nanoseconds, LogY: true,
		Sentence: memorySentence(memory),
	}, {
		Name: "request-network", Title: "A request whose session is in another process", Kind: report.Bars,
		X: "library", Y: "a request, one visitor", YUnit: report.Nanoseconds,
		Sentence: networkSentence(network),
	}, {
		Name: "request-many", Title: fmt.Sprintf("%d visitors at once, sessions in another process", manyConns), Kind: report.Bars,
		X: "library", Y: "requests", YUnit: report.PerSecond,
		Sentence: manySentence(network),
	}}
	all[0].Labels, all[0].Series = pick(memory, kinds, func(f figure) float64 {
		if f.above <= 0 { // less than the noise, and no place on a logarithmic axis
			return math.NaN()
		}
		return f.above
	})
	all[1].Labels, all[1].Series = pick(network, []string{read, write}, func(f figure) float64 { return f.ns })
	all[2].Labels, all[2].Series = pick(network, []string{read, write}, func(f figure) float64 { return f.perSecond })
	return all
}

// each writes a clause for each kind.
func each(kinds []string, clause func(kind string) string) string {
	var parts []string
	for _, k := range kinds {
		if s := clause(k); s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func memorySentence(all figures) string {
	return "Above the bare handler a session in memory costs " + each(kinds, func(kind string) string {
		ours, _ := all.of(oursMemory, kind)
		scs, _ := all.of(scsInMemory, kind)
		return fmt.Sprintf("%s (%s; scs %s, %s times as much)", report.Spell(ours.above, report.Nanoseconds), kind,
			report.Spell(scs.above, report.Nanoseconds), report.Spell(ratio(scs.above, ours.above), report.Count))
	}) + "."
}

func networkSentence(all figures) string {
	return "With one visitor a request takes " + each([]string{read, write}, func(kind string) string {
		service, _ := all.of(oursStateService, kind)
		s := fmt.Sprintf("%s over the state service", report.Spell(service.ns, report.Nanoseconds))
		redis, ok := all.of(oursOverRedis, kind)
		scs, _ := all.of(scsOverRedis, kind)
		if ok {
			s += fmt.Sprintf(", %s over Redis, %s with scs over Redis", report.Spell(redis.ns, report.Nanoseconds), report.Spell(scs.ns, report.Nanoseconds))
		}
		return s + " (" + kind + ")"
	}) + "; ours locks the session when it writes, scs never."
}

func manySentence(all figures) string {
	return fmt.Sprintf("%d visitors at once get ", manyConns) + each([]string{read, write}, func(kind string) string {
		service, _ := all.of(oursStateService, kind)
		s := fmt.Sprintf("%s over the state service", report.Spell(math.Round(service.perSecond), report.PerSecond))
		redis, ok := all.of(oursOverRedis, kind)
		scs, _ := all.of(scsOverRedis, kind)
		if ok {
			s += fmt.Sprintf(", %s over Redis, %s with scs over Redis", report.Spell(math.Round(redis.perSecond), report.PerSecond), report.Spell(math.Round(scs.perSecond), report.PerSecond))
		}
		return s + " (" + kind + ")"
	}) + "."
}

// claims are the promises whose figures were measured.
func claims(memory, network figures) []report.Claim {
	var all []report.Claim
	claim := func(headline bool, value float64, op string, want float64, unit, text, note string) {
		if math.IsNaN(value) {
			return
		}
		c := report.Claim{Text: text, Value: value, Op: op, Want: want, Unit: unit, Headline: headline}
		if !c.Holds() {
			c.Note = note
		}
		all = append(all, c)
	}
	for _, kind := range kinds {
		ours, _ := memory.of(oursMemory, kind)
		scs, _ := memory.of(scsInMemory, kind)
		claim(true, ratio(scs.above, ours.above), ">=", 10, report.Times, "in memory, "+kind+": faster than scs, above the bare handler", "")
		claim(false, ratio(scs.allocs, ours.allocs), ">=", 20, report.Times, "in memory, "+kind+": fewer allocations than scs", "")
		claim(false, ours.allocs, "<=", allocLimits[kind], report.Count, "in memory, "+kind+": allocations above the bare handler", "")
	}
	for _, kind := range []string{read, write} {
		ours, ok := network.of(oursOverRedis, kind)
		scs, _ := network.of(scsOverRedis, kind)
		if !ok {
			continue
		}
		note := "ours renews the session's life when it is read, which scs does not, and costs Redis four commands more in one script"
		if kind == write {
			note = "ours takes a lock in Redis and gives it back, each in a script of several commands, where scs has a plain GET and SET and locks nothing"
		}
		claim(false, ratio(scs.above, ours.above), ">=", 1, report.Times, "over Redis, "+kind+", one visitor: faster than scs over Redis", note)
		claim(true, ratio(ours.perSecond, scs.perSecond), ">=", 1, report.Times, fmt.Sprintf("over Redis, %s, %d visitors: more requests than scs over Redis", kind, manyConns), note)
		claim(false, ratio(scs.allocs, ours.allocs), ">=", 1, report.Times, "over Redis, "+kind+": fewer allocations than scs over Redis", "")
	}
	return all
}
