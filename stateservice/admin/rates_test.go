package admin

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

func counts(acquired, locked, missing int64) *stateservice.Metrics {
	return &stateservice.Metrics{Ops: map[string]map[int]int64{"acquire": {200: acquired, 423: locked, 404: missing}}}
}

var begin = time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)

func TestRates(t *testing.T) {
	var r rates
	r.note(begin, counts(0, 0, 0))
	charts, over, _ := r.charts()
	require.Zero(t, over, "there is nothing to tell of one sample")
	require.Len(t, charts, len(verbs))
	require.False(t, charts[0].Busy)

	r.note(begin.Add(10*time.Second), counts(100, 0, 0))  // 10 a second
	r.note(begin.Add(20*time.Second), counts(200, 50, 0)) // 15
	r.note(begin.Add(40*time.Second), counts(200, 50, 100))
	charts, over, to := r.charts()
	require.Equal(t, 40*time.Second, over)
	require.Equal(t, begin.Add(40*time.Second), to)
	c := charts[0]
	require.Equal(t, chart{Verb: "acquire", Now: "5", Peak: "15", Busy: true, Areas: []area{
		// 46 high is the peak; each covers what is not its own of the one before.
		{"fail", "M0 48L0.0 17.3L60.0 17.3L60.0 2.0L120.0 2.0L120.0 32.7L240.0 32.7L240 48Z"},
		{"held", "M0 48L0.0 17.3L60.0 17.3L60.0 2.0L120.0 2.0L120.0 48.0L240.0 48.0L240 48Z"},
		{"done", "M0 48L0.0 17.3L60.0 17.3L60.0 17.3L120.0 17.3L120.0 48.0L240.0 48.0L240 48Z"},
	}}, c)
	require.Equal(t, "0", charts[1].Now)
	require.Empty(t, charts[1].Areas)
}

// Samples stay apart and bounded, whoever asks and how often.
func TestSamples(t *testing.T) {
	var r rates
	at := begin
	r.note(at, counts(0, 0, 0))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range int64(20_000) {
		at = at.Add(time.Duration(random.Int64N(int64(3 * time.Second))))
		if i%100 == 0 {
			r.note(at.Add(-time.Minute), counts(i, 0, 0)) // it was overtaken
		}
		r.note(at, counts(i, 0, 0))
		require.LessOrEqual(t, len(r.samples), 3+2*int(history/spacing))
	}
	require.Less(t, at.Sub(r.samples[len(r.samples)-1].at), closest)
	require.Greater(t, at.Sub(r.samples[0].at), history-time.Minute)
	for i, s := range r.samples[1:] {
		apart := s.at.Sub(r.samples[i].at)
		require.GreaterOrEqual(t, apart, closest)
		if i > 0 {
			require.GreaterOrEqual(t, s.at.Sub(r.samples[i-1].at), spacing)
		}
	}
	// After a long silence there is one step over all of it.
	r.note(at.Add(48*time.Hour), counts(30_000, 0, 0))
	_, over, _ := r.charts()
	require.Len(t, r.samples, 2)
	require.Less(t, 48*time.Hour-over, time.Second+closest)
}

// A top has what sorting everything gives, in every order, and no more memory
// than it needs.
func TestTop(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	n := newNamer()
	var all []row
	for i := range 5000 {
		r := row{Info: stateservice.Info{Key: fmt.Sprint("k", i), Size: random.IntN(40), Waiters: random.IntN(3)}}
		if random.IntN(10) > 0 {
			r.Expires = begin.Add(time.Duration(random.IntN(100)) * time.Minute)
		}
		if random.IntN(10) == 0 {
			r.Locked, r.LockAge = true, time.Duration(random.IntN(20))*time.Second
		}
		r.name = n.name(r.Key)
		all = append(all, r)
	}
	for sort, order := range orders {
		for _, most := range []int{1, 5, 1000, 6000} {
			some := top{most: most, order: order}
			for _, r := range all {
				some.add(r)
				require.LessOrEqual(t, len(some.rows), 2*most)
			}
			want := slices.Clone(all)
			slices.SortFunc(want, some.compare)
			require.Equal(t, want[:min(most, len(want))], some.sorted(), "%s, %d", sort, most)
		}
	}
	require.Equal(t, []string{"expires", "key", "lock", "size"}, slices.Sorted(func(yield func(string) bool) {
		for s := range orders {
			if !yield(s) {
				return
			}
		}
	}))
}

func TestHistogramLine(t *testing.T) {
	var h stateservice.Histogram
	require.Equal(t, waits{"Holding", 0, "–", "–", "0 µs"}, histogramLine("Holding", h))
	h.Counts[2], h.Counts[5], h.Sum = 94, 6, 3*time.Second
	require.Equal(t, waits{"Holding", 100, "≤ 1 ms", "≤ 65 ms", "3 s"}, histogramLine("Holding", h))
	h.Counts[len(h.Counts)-1] = 1000
	require.True(t, strings.HasPrefix(histogramLine("Holding", h).Half, "> 4 min"))
}

// While one walks over the sessions another waits, and no longer than he likes.
func TestAlone(t *testing.T) {
	p := newPages(nil, Options{}, nil)
	r := httptest.NewRequest("GET", "/", nil)
	inside := false
	require.True(t, p.alone(httptest.NewRecorder(), r, func() {
		inside = true
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		w := httptest.NewRecorder()
		require.False(t, p.alone(w, r.WithContext(ctx), func() { t.Error("two at a time") }))
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
	}))
	require.True(t, inside)
	require.Panics(t, func() { p.alone(httptest.NewRecorder(), r, func() { panic("x") }) })
	require.True(t, p.alone(httptest.NewRecorder(), r, func() {}), "a panic does not keep others out")
}
