package service

import (
	"fmt"
	"math"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// A cell is one measurement of all servers.
type cell struct {
	op          load.Op
	size, conns int
}

// claimed is the one that the claims are about.
var claimed = cell{load.Get, kilobyte, 50}

// cells are all sizes at 50 connections, and all connections at 1 KB.
func cells(op load.Op) []cell {
	return []cell{
		{op, kilobyte, 1}, {op, kilobyte, 16}, {op, kilobyte, 50}, {op, kilobyte, 200},
		{op, 10 * kilobyte, 50}, {op, 100 * kilobyte, 50},
	}
}

var opNames = map[load.Op]string{load.Get: "GET", load.Pair: "acquire+save"}

// throughput measures every cell: a table for each operation and size.
func throughput(e *env.Env, s sizes, sec *report.Section) error {
	servers, err := start(e, subjects(oneThread, 2048), true)
	if err != nil {
		return err
	}
	defer stop(servers)
	size := 0
	for _, op := range []load.Op{load.Get, load.Pair} {
		tables := make(map[int]int) // by size
		chart := report.Chart{Name: "service-" + string(op), Title: opNames[op] + " of 1 KB, operations per second", Kind: report.Lines,
			X: "connections", Y: "operations", YUnit: report.PerSecond, LogX: true, Series: make([]report.Series, len(servers))}
		for _, c := range cells(op) {
			if c.size != size { // the items of the last one are replaced
				size = c.size
				for i := range servers {
					if servers[i].Target, err = resized(servers[i], size); err != nil {
						return err
					}
				}
			}
			each := s.each
			if c == claimed {
				each = s.long
			}
			all, err := rounds(servers, c.op, c.conns, items(size), s.rounds, each)
			if err != nil {
				return err
			}
			at, there := tables[size]
			if !there {
				at = len(sec.Tables)
				tables[size] = at
				sec.Tables = append(sec.Tables, report.Table{Name: fmt.Sprintf("%s-%dk", op, size/kilobyte),
					Title: fmt.Sprintf("%s, sessions of %d KB", opNames[op], size/kilobyte), Columns: columns,
					Note: "Ratios are medians over the rounds of the figures of one round. CPU is the server's, in seconds per million operations."})
			}
			sec.Tables[at].Rows = append(sec.Tables[at].Rows, rowsOf(e, servers, all, c)...)
			for i, one := range all {
				if size == kilobyte {
					chart.Series[i].Name = servers[i].Name
					chart.Series[i].X = append(chart.Series[i].X, float64(c.conns))
					chart.Series[i].Y = append(chart.Series[i].Y, median(one, perSecond))
				}
			}
			if r := index(servers, redis); c == claimed && r >= 0 {
				o := index(servers, ours)
				sec.Claims = append(sec.Claims, claims(ratio(all[o], all[r], perSecond), ratio(all[o], all[r], p99))...)
			}
		}
		last := len(chart.Series[0].Y) - 2 // 50 connections
		chart.Sentence = "At 50 connections the state service does " + report.Spell(chart.Series[0].Y[last], report.PerSecond)
		for _, one := range chart.Series[1:] {
			chart.Sentence += ", " + one.Name + " " + report.Spell(one.Y[last], report.PerSecond)
		}
		chart.Sentence += "."
		sec.Charts = append(sec.Charts, chart)
	}
	return nil
}

var columns = []report.Column{
	{Title: "operations", Unit: report.PerSecond}, {Title: "p50", Unit: report.Nanoseconds}, {Title: "p99", Unit: report.Nanoseconds},
	{Title: "p99.9", Unit: report.Nanoseconds}, {Title: "CPU", Unit: "s"},
	{Title: "of Redis", Unit: report.Times}, {Title: "p99 of Redis's", Unit: report.Times}, {Title: "of echo", Unit: report.Times},
}

// items is how many sessions of a size are stored, at most 200 MB of them.
func items(size int) int { return min(stored, 200<<20/size) }

func resized(s server, size int) (load.Target, error) {
	for _, one := range subjects(0, 0) {
		if one.name == s.Name {
			t := one.target(s.process.Addr, size)
			if s.Name == echo || s.Name == redisEcho {
				return t, nil
			}
			return t, load.Fill(t, items(size))
		}
	}
	return load.Target{}, fmt.Errorf("no server %q", s.Name)
}

func rowsOf(e *env.Env, servers []server, all [][]cost, c cell) (rows []report.Row) {
	r, limit := index(servers, redis), index(servers, echo)
	for i, one := range all {
		ofRedis, p99OfRedis, ofEcho := math.NaN(), math.NaN(), math.NaN()
		if r >= 0 && i != r {
			ofRedis, p99OfRedis = ratio(one, all[r], perSecond), ratio(one, all[r], p99)
		}
		if limit >= 0 && i != limit {
			ofEcho = ratio(one, all[limit], perSecond)
		}
		row := report.Row{Label: fmt.Sprintf("%s, %s", servers[i].Name, connections(c.conns)), Cells: report.Cells(
			median(one, perSecond), median(one, p50), median(one, p99), median(one, p999), median(one, cpu), ofRedis, p99OfRedis, ofEcho)}
		rows = append(rows, row)
		ms := func(of func(cost) float64) time.Duration {
			return time.Duration(median(one, of)).Round(time.Microsecond)
		}
		e.Say("%-12s %3d KB %3d conns  %-13s %9.0f/s  p50 %8v  p99 %8v  p99.9 %8v  %5.1f CPU s per million",
			opNames[c.op], c.size/kilobyte, c.conns, servers[i].Name, median(one, perSecond), ms(p50), ms(p99), ms(p999), median(one, cpu))
	}
	return rows
}

func connections(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}

func claims(ops, tail float64) []report.Claim {
	through := report.Claim{Text: "The state service beside Redis: GETs per second at 50 connections", Value: ops, Op: ">=", Want: 0.9, Unit: report.Times, Headline: true}
	late := report.Claim{Text: "The state service's p99 beside Redis's, GET at 50 connections", Value: tail, Op: "<=", Want: 1.11, Unit: report.Times}
	const found = "What it is behind is one read in vain for each wait and the turns of goroutines in waves: see *Where the time goes* and *On p99*."
	if !through.Holds() {
		through.Note = found
	}
	if !late.Holds() {
		late.Note = found
	}
	return []report.Claim{through, late}
}

// shared is the same with servers that may run on the generator's processor too.
func shared(e *env.Env, s sizes, sec *report.Section) error {
	servers, err := start(e, subjects(twoThreads, 512)[:4], false)
	if err != nil {
		return err
	}
	defer stop(servers)
	for _, one := range servers {
		if err := load.Fill(one.Target, stored); err != nil {
			return err
		}
	}
	all, err := rounds(servers, load.Get, 50, stored, s.rounds, s.each)
	if err != nil {
		return err
	}
	sec.Tables = append(sec.Tables, report.Table{Name: "shared", Title: "Both processors: GET of 1 KB while the servers may use the generator's processor too", Columns: columns,
		Rows: rowsOf(e, servers, all, claimed),
		Note: "The generator never sleeps here, so that a second thread of a server has no processor of its own: the worst case for servers with several."})
	return nil
}
