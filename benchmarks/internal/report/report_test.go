package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test -update makes it")
	assert.Equal(t, string(want), string(got))
}

var nan = math.NaN()

// odd is a small report with all that is odd in it.
func odd() Report {
	return Report{
		Time:     time.Date(2025, 3, 9, 23, 30, 0, 0, time.UTC),
		Took:     "14m3s",
		Machine:  Machine{OS: "Some Linux 9", Arch: "amd64", Kernel: "6.1.0", CPU: "Fast CPU <2> @ 3.00GHz", CPUs: 4, MemoryGiB: 15.6},
		Versions: map[string]string{"redis": "7.0.15", "Go": "1.26.0", "github.com/alexedwards/scs/v2": "v2.9.0"},
		LeftOut:  []string{"memcached: not installed", "section <waiting> failed: 1 | 2"},
		Sections: []Section{{
			Name: "request", Title: "What a request costs, above the bare handler",
			Text: "Each side reads *ten* strings.\n\nRatios first.",
			Tables: []Table{{
				Name: "cost", Title: "Time | memory",
				Columns: []Column{{"time", Nanoseconds}, {"bytes", Bytes}, {"<rate>", PerSecond}, {"beside scs", Times}, {"allocations", Count}, {"lost", Percent}, {"CPU", "s/M"}},
				Rows: []Row{
					{"plain", Cells(1234, 2048, 123456, 1.5, 1234, 4.2, 17)},
					{"a|b <script> [x](y) `z` *w*\nsecond line", Cells(-5, -2048, 0, 0.001, 0.25, -1, 0.5)},
					{"huge", Cells(1e15, 1e15, 1e12, 1e6, 1e12, 1e4, 1e9)},
					{"not measured", append(Cells(nan, nan, nan, nan, nan, nan), &nan)},
				},
				Note: "Markdown with a [link](../README.md).",
			}, {Name: "empty", Title: "Nothing here", Columns: []Column{{"time", Nanoseconds}}}},
			Charts: []Chart{barChart(), lineChart()},
			Claims: []Claim{
				{Text: "in-proc beside scs, time", Value: 24.04, Op: ">=", Want: 10, Unit: Times, Headline: true},
				{Text: "GET | beside Redis", Value: 0.8996, Op: ">=", Want: 0.9, Unit: Times, Note: "one\nthread | less", Headline: true},
			},
		}, {
			Name: "growth", Title: "Growth",
			Claims: []Claim{{Text: "cost grows", Value: 9.5, Op: "<=", Want: 10, Unit: Percent}},
		}},
	}
}

func barChart() Chart {
	return Chart{
		Name: "request-time", Title: `Time of a request & "more" <above> bare`, Kind: Bars, Y: "time", YUnit: Nanoseconds, LogY: true,
		Labels:   []string{"aspsession", "scs\x00 in memory", strings.Repeat("a very long name ", 10)},
		Series:   []Series{{Name: "read", Y: Points{350, 8000, nan}}, {Name: "write <w>", Y: Points{1350, 0, 62000}}},
		Sentence: "A read takes **350 ns**.",
	}
}

func lineChart() Chart {
	return Chart{
		Name: "growth", Title: "Growth", Kind: Lines, X: "sessions", Y: "time", YUnit: Nanoseconds, LogX: true, LogY: true,
		Series:   []Series{{Name: "inproc", X: []float64{1e3, 1e4, 1e5, 1e6}, Y: Points{900, nan, 1000, 1500}}, {Name: "service", X: []float64{1e3, 1e6}, Y: Points{41000, 43000}}},
		Sentence: "It hardly grows.",
	}
}

func TestMarkdown(t *testing.T) {
	golden(t, "results.md", []byte(Markdown(odd(), "charts")))
	assert.NotContains(t, Markdown(odd(), ""), "![", "no folder, no images")
	quick := odd()
	quick.Quick = true
	assert.Contains(t, Markdown(quick, ""), "partial run")
}

func TestPageOfNothing(t *testing.T) {
	page := Markdown(Report{}, "charts")
	assert.NotContains(t, page, "## Claims")
	assert.NotContains(t, page, "NaN")
}

func TestSVG(t *testing.T) {
	for _, c := range []Chart{barChart(), lineChart()} {
		first, err := SVG(c)
		require.NoError(t, err)
		golden(t, c.Name+".svg", first)
		again, err := SVG(c)
		require.NoError(t, err)
		assert.Equal(t, first, again, "the same bytes each time")
	}
}

// A page that shows an image of another site loads nothing for it and runs nothing.
func TestSVGStandsAlone(t *testing.T) {
	reference := regexp.MustCompile(`(?i)href|url\(|@import|<script|<image|<foreignObject|\son[a-z]+=`)
	for _, c := range manyCharts() {
		b, err := SVG(c)
		require.NoError(t, err, c.Name)
		for d := xml.NewDecoder(bytes.NewReader(b)); ; {
			if _, err = d.Token(); err != nil {
				break
			}
		}
		require.ErrorIs(t, err, io.EOF, "%s is well-formed", c.Name)
		assert.NotRegexp(t, reference, string(b))
		assert.NotContains(t, string(b), "NaN")
		assert.NotContains(t, string(b), "Inf")
		assert.Contains(t, string(b), Made)
	}
}

// manyCharts are of all shapes that sections may ask for.
func manyCharts() []Chart {
	all := []Chart{barChart(), lineChart()}
	for _, values := range [][]float64{{1}, {0, 0}, {5, 5, 5}, {1e-9, 1e12}, {-3, 4}, {999.99, 1000.01}, {1 << 10, 1 << 20, 1 << 31}, {0.3, 0.1}, {-1, -2}} {
		for _, unit := range []string{Nanoseconds, Bytes, PerSecond, Times, Count, Percent, "s/M"} {
			for _, log := range []bool{false, true} {
				c := Chart{Name: "x", Title: "t", Kind: Lines, X: "x", Y: "y", XUnit: unit, YUnit: unit, LogX: log, LogY: log}
				s := Series{Name: "one", Y: values}
				for i := range values {
					s.X = append(s.X, float64(i)*100+1)
				}
				c.Series = []Series{s}
				if c.check() != nil {
					continue // nothing above zero for a logarithmic axis
				}
				all = append(all, c)
				c.Kind, c.Labels = Bars, make([]string, len(values))
				c.Series = []Series{{Name: "one", Y: values}}
				all = append(all, c)
			}
		}
	}
	return all
}

func TestAxesCoverTheirValues(t *testing.T) {
	for _, c := range manyCharts() {
		_, ys := c.values()
		s := linear(ys, c.YUnit)
		if c.LogY {
			s = logarithmic(ys, c.YUnit)
		}
		labels := 0
		for _, tick := range s.ticks {
			if tick.Label != "" {
				labels++
			}
		}
		for _, y := range ys {
			assert.True(t, s.lo <= y*(1+1e-9) || s.lo <= y, "%v below %v", y, s.lo)
			assert.True(t, s.hi >= y*(1-1e-9) || s.hi >= y, "%v above %v", y, s.hi)
		}
		assert.Less(t, s.lo, s.hi, "%v", ys)
		assert.GreaterOrEqual(t, labels, 1, "%v %s log %v", ys, c.YUnit, c.LogY)
		assert.LessOrEqual(t, labels, 2*maxTicks, "%v %s log %v", ys, c.YUnit, c.LogY)
	}
}

func TestTicksOnFewValues(t *testing.T) {
	labels := func(values ...float64) (all []string) {
		for _, tick := range logarithmic(values, Count).exactly(values, Count).ticks {
			if tick.Label != "" {
				all = append(all, tick.Label)
			}
		}
		return all
	}
	assert.Equal(t, []string{"1", "16", "50", "200"}, labels(1, 16, 50, 200, 16))
	assert.Equal(t, []string{"1 K", "10 K", "100 K", "1 M"}, labels(1e3, 1e4, 1e5, 1e6))
	assert.Equal(t, []string{"1", "2", "5", "10"}, labels(1, 10, 9.5), "9.5 and 10 would overlap")
}

func TestJSONRoundTrip(t *testing.T) {
	b, err := Encode(odd())
	require.NoError(t, err)
	r, err := Decode(b)
	require.NoError(t, err)
	assert.Equal(t, Markdown(odd(), "charts"), Markdown(r, "charts"))
	assert.Nil(t, r.Sections[0].Tables[0].Rows[3].Cells[6], "NaN is null")
	assert.True(t, math.IsNaN(r.Sections[0].Charts[0].Series[0].Y[2]))
	again, err := Encode(r)
	require.NoError(t, err)
	assert.Equal(t, string(b), string(again))

	file := filepath.Join(t.TempDir(), "results.json")
	require.NoError(t, os.WriteFile(file, b, 0o600))
	r, err = Read(file)
	require.NoError(t, err)
	assert.Len(t, r.Sections, 2)
}

func TestReadRefuses(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "none.json"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = Decode([]byte(`{"times": 1}`))
	assert.ErrorContains(t, err, "times")
	var syntax *json.SyntaxError
	_, err = Decode([]byte(`{]`))
	assert.True(t, errors.As(err, &syntax), "%v", err)
}

func TestCheck(t *testing.T) {
	require.NoError(t, odd().Check())
	for want, breaks := range map[string]func(*Report){
		"figure 2 is infinite":        func(r *Report) { r.Sections[0].Tables[0].Rows[0].Cells = Cells(1, math.Inf(1), 3, 4, 5, 6, 7) },
		"1 figures for 7 columns":     func(r *Report) { r.Sections[0].Tables[0].Rows[0].Cells = Cells(1) },
		`table "cost": a second one`:  func(r *Report) { r.Sections[0].Tables[1].Name = "cost" },
		"the figure is +Inf":          func(r *Report) { r.Sections[1].Claims[0].Value = math.Inf(1) },
		"the figure is NaN":           func(r *Report) { r.Sections[1].Claims[0].Value = nan },
		"neither >= nor <=":           func(r *Report) { r.Sections[1].Claims[0].Op = "<" },
		`section "request": a second`: func(r *Report) { r.Sections[1].Name = "request" },
		"needs a name":                func(r *Report) { r.Sections[1].Title = "" },
		"name is that of a file":      func(r *Report) { r.Sections[0].Charts[0].Name = "../x" },
		`chart "growth": a second`:    func(r *Report) { r.Sections[0].Charts[0].Name = "growth" },
		"in the report":               func(r *Report) { r.Sections[1].Charts = []Chart{lineChart()} },
		`no kind "pie"`:               func(r *Report) { r.Sections[0].Charts[0].Kind = "pie" },
		"0 series":                    func(r *Report) { r.Sections[0].Charts[0].Series = nil },
		"bars without labels":         func(r *Report) { r.Sections[0].Charts[0].Labels = nil },
		"3 bars for 1 labels":         func(r *Report) { r.Sections[0].Charts[0].Labels = []string{"a"} },
		"1 X for 4 Y":                 func(r *Report) { r.Sections[0].Charts[1].Series[0].X = []float64{1} },
		"X is 0":                      func(r *Report) { r.Sections[0].Charts[1].Series[1].X[0] = 0 },
		"Y is +Inf":                   func(r *Report) { r.Sections[0].Charts[1].Series[1].Y[0] = math.Inf(1) },
		"X is 1e+300":                 func(r *Report) { r.Sections[0].Charts[1].Series[0].X[0] = 1e300 },
		"nothing to draw": func(r *Report) {
			r.Sections[0].Charts[1].Series = []Series{{X: []float64{1, 2}, Y: Points{0, nan}}}
		},
	} {
		r := odd()
		breaks(&r)
		assert.ErrorContains(t, r.Check(), want)
		_, err := Encode(r)
		assert.Error(t, err, want)
	}
	_, err := SVG(Chart{Name: "x"})
	assert.ErrorContains(t, err, `chart "x"`)
}

// What can be read can be written and drawn.
func FuzzDecode(f *testing.F) {
	b, err := Encode(odd())
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"sections":[{"name":"a","title":"b","charts":[{"name":"c","kind":"lines","log_y":true,"series":[{"name":"s","x":[1],"y":[0.000000000001]}]}]}]}`))
	f.Add([]byte(`{"sections":[{"name":"a","title":"b","charts":[{"name":"c","kind":"bars","y_unit":"B","labels":["x"],"series":[{"y":[1e18]},{"y":[null]}]}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			return
		}
		_ = Markdown(r, "charts")
		_ = Block(r, "RESULTS.md")
		for _, s := range r.Sections {
			for _, c := range s.Charts {
				_, err := SVG(c)
				require.NoError(t, err)
			}
		}
		_, err = Encode(r)
		require.NoError(t, err)
	})
}

func TestThisMachine(t *testing.T) {
	m := ThisMachine()
	assert.Positive(t, m.CPUs)
	assert.NotEmpty(t, m.OS)
	assert.NotEmpty(t, m.Arch)
	if host, err := os.Hostname(); err == nil && len(host) > 3 {
		assert.NotContains(t, m.String(), host)
	}
	assert.Equal(t, "Fast", field("processor : 0\nmodel name\t: Fast\nmodel name\t: Slow\n", "model name", ":"))
	assert.Equal(t, "1 CPU, linux, arm64", Machine{OS: "linux", Arch: "arm64", CPUs: 1}.String())
	assert.Equal(t, strings.TrimPrefix(runtime.Version(), "go"), Libraries(nil)["Go"])
	info := &debug.BuildInfo{GoVersion: "go1.26.3", Deps: []*debug.Module{{Path: "a/b", Version: "v1.2.3"}, {Path: "c/d", Version: "v4.0.0"}}}
	assert.Equal(t, map[string]string{"Go": "1.26.3", "a/b": "v1.2.3"}, libraries(info, []string{"a/b", "e/f"}))
}

func TestSlug(t *testing.T) {
	assert.Equal(t, "what-a-request-costs-above-the-bare-handler", slug("What a request costs, above the bare handler"))
	assert.Equal(t, "1-kb--100-kb", slug("1 KB – 100 KB"))
}
