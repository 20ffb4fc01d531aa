package service

import (
	"fmt"
	"math"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

const million = 1_000_000

// memory fills the servers, one after the other.
func memory(e *env.Env, s sizes, sec *report.Section) error {
	table := report.Table{Name: "memory", Title: "Resident memory per session of 1 KB"}
	chart := report.Chart{Name: "service-memory", Title: "Resident memory per session of 1 KB", Kind: report.Lines,
		X: "sessions", Y: "bytes a session", YUnit: report.Bytes, LogX: true}
	for _, n := range s.steps {
		table.Columns = append(table.Columns, report.Column{Title: sessions(n), Unit: "bytes"})
	}
	table.Columns = append(table.Columns, report.Column{Title: "stored a second", Unit: report.PerSecond})
	// memcached with more than is needed: it is not to drop any.
	for _, one := range subjects(oneThread, s.steps[len(s.steps)-1]/1000*2+1024)[:3] {
		servers, err := start(e, []subject{one}, false)
		if err != nil {
			return err
		}
		if len(servers) == 0 {
			continue // it was said
		}
		each, rate, err := fill(servers[0], s.steps)
		stop(servers)
		if err != nil {
			return err
		}
		e.Say("memory of a session: %-13s %.0f bytes; %.0f/s stored", one.name, each, rate)
		table.Rows = append(table.Rows, report.Row{Label: one.name, Cells: report.Cells(append(each, rate)...)})
		x := make([]float64, len(s.steps))
		for i, n := range s.steps {
			x[i] = float64(n)
		}
		chart.Series = append(chart.Series, report.Series{Name: one.name, X: x, Y: each})
		if one.name == ours {
			sec.Claims = append(sec.Claims, memoryClaims(s.steps, each)...)
		}
	}
	if math.IsNaN(chart.Series[0].Y[0]) {
		e.LeaveOut("service: memory of a session: the system does not say what a process takes")
		return nil
	}
	last := len(s.steps) - 1
	chart.Sentence = fmt.Sprintf("A session takes %s of the state service among %s and %s among %s",
		size(chart.Series[0].Y[0]), sessions(s.steps[0]), size(chart.Series[0].Y[last]), sessions(s.steps[last]))
	for _, one := range chart.Series[1:] {
		chart.Sentence += fmt.Sprintf("; of %s %s", one.Name, size(one.Y[last]))
	}
	chart.Sentence += "."
	table.Note = "What the process has grown by since it was empty, divided by the sessions. The state service keeps lock, timeout and the id's whole key; " +
		"an id is 24 characters in all of them, its key 71 bytes here and 32 there. Stored over four connections, 32 requests at a time."
	sec.Tables = append(sec.Tables, table)
	sec.Charts = append(sec.Charts, chart)
	return nil
}

func sessions(n int) string { return report.Spell(float64(n), report.Count) + " sessions" }

// size is in bytes, all of them: in KiB they would look alike.
func size(v float64) string { return fmt.Sprintf("%.0f bytes", v) }

// fill stores to each step and returns the bytes of a session there, NaN where
// the system does not say; and how many were stored in a second.
func fill(s server, steps []int) (each []float64, rate float64, err error) {
	// What the first requests take is no session's.
	if err := load.Fill(s.Target, 1); err != nil {
		return nil, 0, err
	}
	empty := s.process.Resident()
	from := 0
	var spent time.Duration
	for _, n := range steps {
		begin := time.Now()
		if err := load.FillFrom(s.Target, from, n); err != nil {
			return nil, 0, err
		}
		spent += time.Since(begin)
		from = n
		bytes := math.NaN()
		if empty > 0 {
			bytes = float64(s.process.Resident()-empty) / float64(n)
		}
		each = append(each, bytes)
	}
	// Nothing was dropped: the first and the last are there.
	c, err := s.Dial()
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	for _, key := range []int{0, from / 2, from - 1} {
		if err := c.Get(key); err != nil {
			return nil, 0, fmt.Errorf("%s with %d sessions: %w", s.Name, from, err)
		}
	}
	return each, float64(from) / spent.Seconds(), nil
}

func memoryClaims(steps []int, each []float64) (all []report.Claim) {
	last := len(steps) - 1
	for i, n := range steps {
		if n == million && each[i] > 0 {
			all = append(all, report.Claim{Text: "Resident memory of 1,000,000 sessions of 1 KB", Value: each[i] * million, Op: "<=", Want: 1.5e9, Unit: report.Bytes, Headline: true})
		}
	}
	// Where the system's counts are too coarse for the first step, nothing is said.
	if growth := each[last] / each[0]; last > 0 && each[0] > 0 && growth > 0 {
		all = append(all, report.Claim{Text: fmt.Sprintf("Memory of one session among %s beside one among %s", sessions(steps[last]), sessions(steps[0])), Value: growth, Op: "<=", Want: 1.1, Unit: report.Times})
	}
	return all
}
