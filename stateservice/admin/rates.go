package admin

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/stateservice"
)

// Rates are differences between samples of the service's counters. Nobody takes
// samples on a timer: each load of the page and each scrape of the metrics is
// one, and a rate is the mean of the time between two.

const (
	history = time.Hour
	spacing = 10 * time.Second // of samples that are kept
	closest = time.Second      // of any two: shorter ones make noise
)

// verbs are the operations in the order of the page.
var verbs = [...]string{"acquire", "get", "set", "release", "touch", "create", "remove"}

// Replies come in three series.
const (
	done = iota // 200
	held        // 423: somebody else has the lock
	fail        // 404, 409, 400
	seriesCount
)

func seriesOf(status int) int {
	switch status {
	case http.StatusOK:
		return done
	case msasp.StatusLocked:
		return held
	}
	return fail
}

type sample struct {
	at     time.Time
	counts [len(verbs)][seriesCount]int64
}

// rates keeps the samples of the last hour, some 720 of them at most.
type rates struct {
	s   *stateservice.Server
	now func() time.Time

	mu      sync.Mutex // guards samples
	samples []sample
}

// metrics looks at the counters, and keeps them as a sample.
func (r *rates) metrics() stateservice.Metrics {
	m := r.s.Metrics()
	r.note(r.now(), &m)
	return m
}

// note takes a sample. The latest is replaced until it is far enough from the
// one before, so that the page is always up to date.
func (r *rates) note(at time.Time, m *stateservice.Metrics) {
	s := sample{at: at}
	for v, verb := range verbs {
		for status, n := range m.Ops[verb] {
			s.counts[v][seriesOf(status)] += n
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.samples)
	switch {
	case n > 0 && at.Sub(r.samples[n-1].at) < closest:
		return
	case n > 1 && at.Sub(r.samples[n-2].at) < spacing:
		r.samples[n-1] = s
	default:
		r.samples = append(r.samples, s)
	}
	old := 0
	for old < len(r.samples)-2 && at.Sub(r.samples[old+1].at) >= history {
		old++
	}
	r.samples = slices.Delete(r.samples, 0, old)
}

// A chart is one operation's rates, as areas on top of one another in a box of
// chartWidth by chartHeight.
type chart struct {
	Verb      string
	Now, Peak string // a second, all replies
	Busy      bool   // there is anything to see
	Areas     []area
}

type area struct{ Class, Path string }

const (
	chartWidth  = 240
	chartHeight = 48
)

// charts draws all there is. over is from the first sample to the last.
func (r *rates) charts() (charts []chart, over time.Duration, to time.Time) {
	r.mu.Lock()
	samples := slices.Clone(r.samples)
	r.mu.Unlock()
	first, last := samples[0].at, samples[len(samples)-1].at
	over = last.Sub(first)
	for v, verb := range verbs {
		c := chart{Verb: verb}
		// Cumulated over the series: what each area reaches up to.
		heights := make([][seriesCount]float64, len(samples)-1)
		peak, now := 0.0, 0.0
		for i := range heights {
			seconds, sum := samples[i+1].at.Sub(samples[i].at).Seconds(), 0.0
			for s := range seriesCount {
				sum += float64(samples[i+1].counts[v][s]-samples[i].counts[v][s]) / seconds
				heights[i][s] = sum
			}
			peak, now = max(peak, sum), sum
		}
		c.Now, c.Peak, c.Busy = short(now), short(peak), peak > 0
		for s := seriesCount - 1; s >= 0 && peak > 0; s-- { // the highest first: the others cover it
			var path strings.Builder
			path.WriteString("M0 " + strconv.Itoa(chartHeight))
			for i, h := range heights {
				y := number(chartHeight - h[s]/peak*(chartHeight-2))
				path.WriteString("L" + number(place(samples[i].at, first, over)) + " " + y)
				path.WriteString("L" + number(place(samples[i+1].at, first, over)) + " " + y)
			}
			path.WriteString("L" + strconv.Itoa(chartWidth) + " " + strconv.Itoa(chartHeight) + "Z")
			c.Areas = append(c.Areas, area{[...]string{"done", "held", "fail"}[s], path.String()})
		}
		charts = append(charts, c)
	}
	return charts, over, last
}

func place(at, first time.Time, over time.Duration) float64 {
	return chartWidth * at.Sub(first).Seconds() / over.Seconds()
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
