// Package report is what cmd/compare measured, in a form that is drawn and
// written without knowing what it means: results.json is a Report, and RESULTS.md,
// the charts and the block in the README are made of it alone:
//
//	r, err := report.Read("results.json")
//	page := report.Markdown(r, "charts")           // RESULTS.md
//	chart, err := report.SVG(r.Sections[0].Charts[0])
//
// Titles, labels, columns and the Text of a Claim are plain text and escaped.
// Where a comment says Markdown, it is written as it stands.
package report

import (
	"encoding/json"
	"math"
	"time"
)

// A Report is one run of cmd/compare.
type Report struct {
	Time     time.Time         `json:"time"`
	Took     string            `json:"took"` // as "14m3s"
	Quick    bool              `json:"quick,omitempty"`
	Only     []string          `json:"only,omitempty"` // the sections asked for; none: all
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"`           // of Go, of servers and of libraries
	LeftOut  []string          `json:"left_out,omitempty"` // plain text
	Sections []Section         `json:"sections"`
}

// Partial reports whether it is less than a whole run, which must not replace one.
func (r Report) Partial() bool { return r.Quick || len(r.Only) > 0 }

// A Machine is where it ran. It names no host, user or path.
type Machine struct {
	OS        string  `json:"os"` // as the system calls itself
	Arch      string  `json:"arch"`
	Kernel    string  `json:"kernel,omitempty"`
	CPU       string  `json:"cpu,omitempty"` // its model
	CPUs      int     `json:"cpus"`
	MemoryGiB float64 `json:"memory_gib,omitempty"`
	HugePages string  `json:"huge_pages,omitempty"` // Linux's setting of transparent ones
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

// A Row's figures belong to the columns; nil, or NaN, is one that was not measured.
type Row struct {
	Label string     `json:"label"`
	Cells []*float64 `json:"cells"`
}

// MarshalJSON writes NaN as null, which JSON has.
func (r Row) MarshalJSON() ([]byte, error) {
	type row Row
	cells := make([]*float64, len(r.Cells))
	for i, c := range r.Cells {
		if c != nil && !math.IsNaN(*c) {
			cells[i] = c
		}
	}
	return json.Marshal(row{r.Label, cells})
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
	X        string   `json:"x"` // what the axis shows
	Y        string   `json:"y"`
	XUnit    string   `json:"x_unit,omitempty"`
	YUnit    string   `json:"y_unit,omitempty"`
	LogX     bool     `json:"log_x,omitempty"`
	LogY     bool     `json:"log_y,omitempty"`
	Labels   []string `json:"labels,omitempty"` // of Bars: one for each group
	Series   []Series `json:"series"`           // at most eight
	Sentence string   `json:"sentence"`         // Markdown: what it shows, with its figures
}

// A Kind of chart.
type Kind string

// The kinds: points joined by lines, or groups of bars. Bars lie, so that labels
// of any length can be read: Y runs to the right, and each bar says its figure.
const (
	Lines Kind = "lines"
	Bars  Kind = "bars"
)

// A Series is one line, or the bars of one colour. Bars have no X.
type Series struct {
	Name string    `json:"name"`
	X    []float64 `json:"x,omitempty"`
	Y    Points    `json:"y"`
}

// Points are figures in a chart; NaN, null in JSON, is one that was not measured.
type Points []float64

// MarshalJSON writes NaN as null.
func (p Points) MarshalJSON() ([]byte, error) { return json.Marshal(Cells(p...)) }

// UnmarshalJSON reads null as NaN.
func (p *Points) UnmarshalJSON(b []byte) error {
	var cells []*float64
	if err := json.Unmarshal(b, &cells); err != nil {
		return err
	}
	*p = make(Points, len(cells))
	for i, c := range cells {
		(*p)[i] = math.NaN()
		if c != nil {
			(*p)[i] = *c
		}
	}
	return nil
}

// A Claim is a promise with the figure that keeps it or does not.
type Claim struct {
	Text     string  `json:"text"`  // as "GET at 50 connections beside Redis"
	Value    float64 `json:"value"` // what was measured
	Op       string  `json:"op"`    // ">=" or "<="
	Want     float64 `json:"want"`
	Unit     string  `json:"unit,omitempty"`
	Note     string  `json:"note,omitempty"`     // Markdown, one line; where it falls short: what was found
	Headline bool    `json:"headline,omitempty"` // stands in the README of the repository, too
}

// Holds reports whether the figure keeps the promise.
func (c Claim) Holds() bool {
	if c.Op == "<=" {
		return c.Value <= c.Want
	}
	return c.Value >= c.Want
}
