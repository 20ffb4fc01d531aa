package guard

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAllocations: no path allocates otherwise than the baseline says.
func TestAllocations(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	b, err := Stored()
	if err != nil {
		t.Fatal(err)
	}
	if b.Go != runtime.Version() {
		t.Skipf("the baseline is of %s, this is %s", b.Go, runtime.Version())
	}
	wrong, err := Allocations(Paths(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// TestPathsDoWhatTheyAreTimedFor: each path and each loop runs, again and again.
func TestPathsDoWhatTheyAreTimedFor(t *testing.T) {
	names := make(map[string]bool)
	for _, p := range Paths() {
		if names[p.Name] {
			t.Errorf("two paths %s", p.Name)
		}
		names[p.Name] = true
		if err := opened(p, func(m *timed) {
			for range 50 {
				m.do(m.run)
				m.do(m.loop)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}

// made has the numbers of a path: a ratio for each attempt, the last one for all
// after it.
type made struct {
	ratios        map[string][]float64
	allocs, bytes int
	asked         map[string]int
	err           error
}

func (m *made) ratio(p Path, _ int, _ time.Duration) (float64, error) {
	all := m.ratios[p.Name]
	if all == nil {
		all = []float64{2}
	}
	r := all[min(m.asked[p.Name], len(all)-1)]
	m.asked[p.Name]++
	return r, m.err
}

func (m *made) allocations(Path) (allocs, bytes int, err error) { return m.allocs, m.bytes, m.err }

func TestRun(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		ratios []float64 // the baseline is 2
		allocs int       // 3
		bytes  int       // 1000
		err    error
		asked  int
		wrong  string // "" for nothing
	}{
		{name: "as it was", ratios: []float64{2}, allocs: 3, bytes: 1000, asked: 1},
		{name: "at the limit", ratios: []float64{3}, allocs: 3, bytes: 1000, asked: 1},
		{name: "much faster", ratios: []float64{.2}, allocs: 3, bytes: 1000, asked: 1},
		{name: "noise that passes", ratios: []float64{9, 3.1, 2.1}, allocs: 3, bytes: 1000, asked: 3},
		{name: "noise until the last", ratios: []float64{9, 9, 9, 2.9}, allocs: 3, bytes: 1000, asked: 4},
		{name: "slower", ratios: []float64{4, 3.5, 3.2, 4}, allocs: 3, bytes: 1000, asked: 4,
			wrong: `a takes 3.2 times the loop "compute", in the baseline 2: 1.60 times as slow, at most 1.5 (best of 4 measurements)`},
		{name: "one allocation more", ratios: []float64{2}, allocs: 4, bytes: 1000, asked: 1, wrong: "a allocates 4 times, in the baseline 3"},
		{name: "one less", ratios: []float64{2}, allocs: 2, bytes: 1000, asked: 1, wrong: "a allocates only 2 times, in the baseline 3: run the guard with -update"},
		{name: "a few bytes", ratios: []float64{2}, allocs: 3, bytes: 1100, asked: 1},
		{name: "many bytes", ratios: []float64{2}, allocs: 3, bytes: 1101, asked: 1, wrong: "a allocates 1101 bytes, in the baseline 1000"},
		{name: "many bytes less", ratios: []float64{2}, allocs: 3, bytes: 899, asked: 1, wrong: "a allocates 899 bytes, in the baseline 1000"},
		{name: "it does not run", ratios: []float64{2}, err: broken, asked: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &made{ratios: map[string][]float64{"a": c.ratios}, allocs: c.allocs, bytes: c.bytes, asked: make(map[string]int), err: c.err}
			var out strings.Builder
			wrong, err := run(&out, []Path{{Name: "a", Beside: compute}, {Name: "b", Beside: compute}},
				Baseline{Go: runtime.Version(), Paths: map[string]Figure{
					"a": {Beside: compute, Ratio: 2, Allocs: 3, Bytes: 1000},
					"b": {Beside: compute, Ratio: 2, Allocs: c.allocs, Bytes: c.bytes},
				}}, m)
			if !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			if m.asked["a"] != c.asked || err == nil && m.asked["b"] != 1 {
				t.Errorf("measured %v times", m.asked)
			}
			var want []string
			if c.wrong != "" {
				want = []string{c.wrong}
			}
			if !slices.Equal(wrong, want) {
				t.Errorf("%q, want %q", wrong, want)
			}
			if err == nil && !strings.Contains(out.String(), "\na  ") {
				t.Errorf("printed %q", out.String())
			}
		})
	}
}

// What only one side has is wrong, and is not measured.
func TestPathsAndBaselineAreTheSame(t *testing.T) {
	m := &made{asked: make(map[string]int)}
	wrong, err := run(new(strings.Builder), []Path{{Name: "new", Beside: compute}, {Name: "moved", Beside: compute}},
		Baseline{Go: "go1.0", Paths: map[string]Figure{"gone": {Beside: compute, Ratio: 1}, "moved": {Beside: allocate, Ratio: 1}}}, m)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"gone is in the baseline only: run the guard with -update",
		`moved is timed beside "compute", in the baseline beside "allocate": run the guard with -update`,
		"new is not in the baseline: run the guard with -update",
	}
	if !slices.Equal(wrong, want) || len(m.asked) > 0 {
		t.Errorf("%q, measured %v", wrong, m.asked)
	}
}

func TestBaselineIsStoredAsItWas(t *testing.T) {
	b, err := Stored()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "baseline.json")
	if err := b.Write(file); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(file); err != nil || string(again) != string(stored) {
		t.Errorf("written it is\n%s, %v", again, err)
	}
}

// Another release of Go may allocate otherwise: that is no fault of a path.
func TestAnotherGoMayAllocateOtherwise(t *testing.T) {
	m := &made{allocs: 4, bytes: 2000, asked: make(map[string]int)}
	var out strings.Builder
	wrong, err := run(&out, []Path{{Name: "a", Beside: compute}},
		Baseline{Go: "go1.0", Paths: map[string]Figure{"a": {Beside: compute, Ratio: 2, Allocs: 3, Bytes: 1000}}}, m)
	if err != nil || len(wrong) > 0 || !strings.Contains(out.String(), "the baseline is of go1.0") {
		t.Errorf("%q, %v, printed %q", wrong, err, out.String())
	}
}

var kept []byte

// The meter of real time: twice the work is about twice the ratio, an allocation
// is counted, and a path that fails says so with its name.
func TestClock(t *testing.T) {
	if Race {
		t.Skip("the race detector changes both")
	}
	work := func(n int) Path {
		return simple("work", compute, func() (func() error, error) {
			loop, _, err := calibration(compute)
			return func() error {
				for range n {
					_ = loop()
				}
				kept = make([]byte, 100)
				return nil
			}, err
		})
	}
	r, err := clock{}.ratio(work(20), 20, time.Millisecond)
	if err != nil || r < 10 || r > 40 {
		t.Errorf("20 rounds of the loop take %v of it: %v", r, err)
	}
	if allocs, bytes, err := (clock{}).allocations(work(1)); allocs != 1 || bytes != 112 || err != nil {
		t.Errorf("%d allocations of %d bytes: %v", allocs, bytes, err)
	}
	broken := errors.New("broken")
	bad := simple("bad", compute, func() (func() error, error) { return func() error { return broken }, nil })
	if _, err := (clock{}).ratio(bad, 1, time.Microsecond); !errors.Is(err, broken) || !strings.Contains(err.Error(), "bad") {
		t.Errorf("%v", err)
	}
	if _, _, err := (clock{}).allocations(Path{Name: "beside nothing", Beside: "none", Open: bad.Open}); err == nil {
		t.Error("a loop that there is not was found")
	}
}
