package growth

import (
	"context"
	"math"
	"os"
	"testing"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

func TestMain(m *testing.M) {
	peers.ServeIfAsked()
	ServeIfAsked()
	os.Exit(m.Run())
}

func TestIDsAreOnesThatTheMiddlewareTakes(t *testing.T) {
	seen := make(map[string]bool)
	for _, n := range []int{0, 1, 31, 32, 1023, 1024, 999_999, 1_000_000} {
		s := id(n)
		if got, ok := (session.StandardIDs{}).Canonical(s); !ok || got != s {
			t.Errorf("id(%d) = %q", n, s)
		}
		if seen[s] {
			t.Errorf("id(%d) = %q again", n, s)
		}
		seen[s] = true
	}
}

// The generator meets everything about as often.
func TestRandom(t *testing.T) {
	var r random
	met := make([]int, 10)
	for range 10_000 {
		met[r.below(10)]++
	}
	for i, n := range met {
		if n < 800 || n > 1200 {
			t.Errorf("%d came %d times of 10,000", i, n)
		}
	}
}

// A site does what it is timed for, and says so when it does not.
func TestSite(t *testing.T) {
	for name, c := range map[string]content{"ten strings": tenStrings(), "items": manyItems(30), "bytes": largeItem(5000)} {
		t.Run(name, func(t *testing.T) {
			store := inproc.New(inproc.Options{})
			defer store.Close()
			frame, err := c.frame()
			check(t, err)
			check(t, store.Load(id(7), frame))
			s, err := newSite(store, c)
			check(t, err)
			defer s.close()
			check(t, s.serve(s.bare, id(7)))
			check(t, s.serve(s.read, id(7)))
			check(t, s.serve(s.write, id(7)))
			rec, err := store.Get(context.Background(), id(7))
			check(t, err)
			got, err := payload.Value[string](rec.Payload.Items(), key(c.set))
			check(t, err)
			if got != c.setValue || len(got) != len(c.items[c.set]) {
				t.Errorf("set %q, not %q", got, c.setValue)
			}
			if err := s.serve(s.read, id(8)); err == nil {
				t.Error("a session that is not there was read")
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Small numbers through the same code: every figure is there, and every child
// process ends.
func TestSessions(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers")
	}
	e := &env.Env{Quick: true}
	counts := []int{10, 300}
	f, err := sessionsOf(e, counts)
	check(t, err)
	var s report.Section
	f.report(counts, &s)
	complete(t, s, 2)
	if len(s.Claims) != 4 {
		t.Errorf("%d claims", len(s.Claims))
	}
}

func TestFrames(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers")
	}
	var s report.Section
	e := &env.Env{Quick: true}
	check(t, measureItems(e, &s))
	check(t, measureBytes(e, &s))
	complete(t, s, 8)
}

// complete asks for rows rows in all tables, and lines without a gap. Small
// differences between noisy turns may be below 0, which a logarithm does not
// draw; a figure that is missing is another thing.
func complete(t *testing.T, s report.Section, rows int) {
	t.Helper()
	n := 0
	for _, table := range s.Tables {
		for _, r := range table.Rows {
			n++
			if len(r.Cells) != len(table.Columns) {
				t.Errorf("%s, %s: %d cells of %d columns", table.Name, r.Label, len(r.Cells), len(table.Columns))
			}
		}
	}
	if n != rows {
		t.Errorf("%d rows", n)
	}
	if len(s.Charts) != len(s.Tables) {
		t.Errorf("%d charts", len(s.Charts))
	}
	for _, c := range s.Charts {
		if c.Sentence == "" || len(c.Series) != 6 {
			t.Errorf("%s: %d lines, %q", c.Name, len(c.Series), c.Sentence)
		}
		for _, l := range c.Series {
			if len(l.X) != len(l.Y) || len(l.X) < 2 {
				t.Errorf("%s, %s: %d and %d", c.Name, l.Name, len(l.X), len(l.Y))
			}
			for i, y := range l.Y {
				if math.IsNaN(y) || math.IsInf(y, 0) {
					t.Errorf("%s, %s, %v: %v", c.Name, l.Name, l.X[i], y)
				}
			}
		}
	}
}

// A side that fails ends the measurement with its name.
func TestAFailingSideIsNamed(t *testing.T) {
	_, err := inTurns(time.Millisecond, []side{{"good", func() error { return nil }}, {"bad", func() error { return errNoPage }}})
	if err == nil || err.Error() != "bad: the request failed" {
		t.Errorf("%v", err)
	}
}

func TestSpelling(t *testing.T) {
	for ns, want := range map[float64]string{0.3: "0.30 ns", 12.34: "12.3 ns", 1234: "1.23 µs", 45_678: "45.7 µs", 123_456_789: "123 ms", 2e9: "2.00 s"} {
		if got := duration(ns); got != want {
			t.Errorf("%v: %q, want %q", ns, got, want)
		}
	}
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 1_000_000: "1,000,000"} {
		if got := number(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
