package report

import (
	"errors"
	"fmt"
	"math"
	"regexp"
)

// maxSeries is how many colours and marks can be told apart in a chart.
const maxSeries = 8

var fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// Check says all that is wrong with a report: names that are missing or taken, figures
// that have no column, and infinite ones, which are divisions by zero.
func (r Report) Check() error {
	var errs []error
	names, titles, charts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range r.Sections {
		errs = append(errs, s.Check())
		if names[s.Name] || titles[slug(s.Title)] {
			errs = append(errs, fmt.Errorf("report: section %q: a second one of this name or title", s.Name))
		}
		names[s.Name], titles[slug(s.Title)] = true, true
		for _, c := range s.Charts {
			if charts[c.Name] {
				errs = append(errs, fmt.Errorf("report: section %q: chart %q: a second one of this name in the report", s.Name, c.Name))
			}
			charts[c.Name] = true
		}
	}
	return errors.Join(errs...)
}

// Check says all that is wrong with a section.
func (s Section) Check() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("report: section %q: %s", s.Name, fmt.Sprintf(format, args...)))
	}
	if s.Name == "" || s.Title == "" {
		bad("it needs a name and a title (%q)", s.Title)
	}
	tables, charts := map[string]bool{}, map[string]bool{}
	for _, t := range s.Tables {
		if tables[t.Name] {
			bad("table %q: a second one of this name", t.Name)
		}
		tables[t.Name] = true
		for _, row := range t.Rows {
			if len(row.Cells) != len(t.Columns) {
				bad("table %q, row %q: %d figures for %d columns", t.Name, row.Label, len(row.Cells), len(t.Columns))
			}
			for i, c := range row.Cells {
				if c != nil && math.IsInf(*c, 0) {
					bad("table %q, row %q, figure %d is infinite", t.Name, row.Label, i+1)
				}
			}
		}
	}
	for _, c := range s.Charts {
		if charts[c.Name] {
			bad("chart %q: a second one of this name", c.Name)
		}
		charts[c.Name] = true
		if err := c.check(); err != nil {
			bad("chart %q: %v", c.Name, err)
		}
	}
	for _, c := range s.Claims {
		if c.Op != ">=" && c.Op != "<=" {
			bad("claim %q: the operator is %q, neither >= nor <=", c.Text, c.Op)
		}
		for _, v := range []float64{c.Value, c.Want} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				bad("claim %q: the figure is %v: leave out what was not measured", c.Text, v)
			}
		}
	}
	return errors.Join(errs...)
}

func (c Chart) check() error {
	switch {
	case !fileName.MatchString(c.Name):
		return errors.New("the name is that of a file: lower-case letters, digits and hyphens")
	case c.Kind != Lines && c.Kind != Bars:
		return fmt.Errorf("no kind %q", c.Kind)
	case len(c.Series) == 0 || len(c.Series) > maxSeries:
		return fmt.Errorf("%d series, not 1 to %d", len(c.Series), maxSeries)
	case c.Kind == Bars && len(c.Labels) == 0:
		return errors.New("bars without labels")
	}
	figures := 0
	for _, s := range c.Series {
		if c.Kind == Lines && len(s.X) != len(s.Y) {
			return fmt.Errorf("series %q: %d X for %d Y", s.Name, len(s.X), len(s.Y))
		}
		if c.Kind == Bars && len(s.Y) != len(c.Labels) {
			return fmt.Errorf("series %q: %d bars for %d labels", s.Name, len(s.Y), len(c.Labels))
		}
		for _, x := range s.X {
			if !inRange(x) || c.LogX && x <= 0 {
				return fmt.Errorf("series %q: X is %v", s.Name, x)
			}
		}
		for _, y := range s.Y {
			if !math.IsNaN(y) && !inRange(y) {
				return fmt.Errorf("series %q: Y is %v", s.Name, y)
			}
			if c.drawn(y) {
				figures++
			}
		}
	}
	if figures == 0 {
		return errors.New("there is nothing to draw")
	}
	return nil
}

// inRange reports whether an axis can show a figure: what is measured lies between
// 1e-12 and 1e18, or is zero.
func inRange(v float64) bool {
	a := math.Abs(v)
	return a == 0 || a >= 1e-12 && a <= 1e18
}

// drawn reports whether a figure has a place on the Y axis: one that was not
// measured has none, and zero has none on a logarithmic axis.
func (c Chart) drawn(y float64) bool { return !math.IsNaN(y) && (!c.LogY || y > 0) }
