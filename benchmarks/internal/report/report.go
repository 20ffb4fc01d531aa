// Package report is what cmd/compare measured, in a form that is drawn and
// written without knowing what it means: results.json is a Report, RESULTS.md and
// the charts are made of it.
package report

import "time"

// A Report is one run of cmd/compare.
type Report struct {
	Time     time.Time         `json:"time"`
	Took     string            `json:"took"` // as "14m3s"
	Quick    bool              `json:"quick,omitempty"`
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // of Go, of servers and of libraries
	LeftOut  []string          `json:"left_out,omitempty"`
	Sections []Section         `json:"sections"`
}

// A Machine is where it ran.
type Machine struct {
	OS, Arch, Kernel, CPU string
	CPUs                  int
	MemoryGiB             float64
}

// A Section is one question and its answer.
type Section struct {
	Name   string  `json:"name"`  // one word, as -only has it
	Title  string  `json:"title"` // as a heading
	Text   string  `json:"text"`  // Markdown: what was done, and how to read it
	Tables []Table `json:"tables,omitempty"`
	Charts []Chart `json:"charts,omitempty"`
	Claims []Claim `json:"claims,omitempty"`
}

// A Table has a row for each subject.
type Table struct {
	Name    string   `json:"name"` // one word, unique in the section
	Title   string   `json:"title"`
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
	Note    string   `json:"note,omitempty"` // Markdown, below it
}

// A Column of figures.
type Column struct {
	Title string `json:"title"`
	Unit  string `json:"unit,omitempty"` // see Unit
}

// Units that are spelled for people; any other unit stands behind the plain number.
const (
	Nanoseconds = "ns" // 1234 is "1.23 µs"
	Bytes       = "B"  // 2048 is "2.0 KiB"
	PerSecond   = "/s" // 123456 is "123,456/s"
	Times       = "x"  // 1.5 is "1.50x"
	Count       = ""   // 1234 is "1,234"
	Percent     = "%"  // 4.2 is "4.2%"
)

// A Row's figures belong to the columns; nil is one that was not measured.
type Row struct {
	Label string     `json:"label"`
	Cells []*float64 `json:"cells"`
}

// Cells makes them of numbers; NaN is nil.
func Cells(v ...float64) []*float64 {
	cells := make([]*float64, len(v))
	for i, f := range v {
		if f == f {
			cells[i] = &f
		}
	}
	return cells
}

// A Chart is drawn as NAME.svg.
type Chart struct {
	Name     string   `json:"name"` // a file name without extension, unique in the report
	Title    string   `json:"title"`
	Kind     Kind     `json:"kind"`
	X        string   `json:"x"`
	Y        string   `json:"y"`
	XUnit    string   `json:"x_unit,omitempty"`
	YUnit    string   `json:"y_unit,omitempty"`
	LogX     bool     `json:"log_x,omitempty"`
	LogY     bool     `json:"log_y,omitempty"`
	Labels   []string `json:"labels,omitempty"` // of Bars: one for each group
	Series   []Series `json:"series"`
	Sentence string   `json:"sentence"` // what it shows, with its figures
}

// A Kind of chart.
type Kind string

// The kinds: points joined by lines, or groups of bars.
const (
	Lines Kind = "lines"
	Bars  Kind = "bars"
)

// A Series is one line, or the bars of one colour. Bars have no X.
type Series struct {
	Name string    `json:"name"`
	X    []float64 `json:"x,omitempty"`
	Y    []float64 `json:"y"`
}

// A Claim is a promise with the figure that keeps it or does not.
type Claim struct {
	Text  string  `json:"text"`  // as "GET at 50 connections beside Redis"
	Value float64 `json:"value"` // what was measured
	Op    string  `json:"op"`    // ">=" or "<="
	Want  float64 `json:"want"`
	Unit  string  `json:"unit,omitempty"`
	Note  string  `json:"note,omitempty"` // where it falls short: what was found
}

// Holds reports whether the figure keeps the promise.
func (c Claim) Holds() bool {
	if c.Op == "<=" {
		return c.Value <= c.Want
	}
	return c.Value >= c.Want
}
