package admin

import (
	"net/http"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

// overviewPage is the first page.
type overviewPage struct {
	head
	M        stateservice.Metrics
	Census   *census
	Ended    int64
	Locks    []line
	Lives    []group
	Sizes    []group
	Apps     []group
	Charts   []chart
	Over, To string // what the charts show; "" where there is nothing yet
	Totals   []total
	Waits    []waits
	Refused  []refusal
}

// A total is one operation's replies since the start.
type total struct {
	Verb   string
	Counts [len(totalStatuses)]int64
}

var totalStatuses = [...]int{200, 423, 404, 409, 400}

// waits is a histogram in a line.
type waits struct {
	What              string
	Count             int64
	Half, Most, Total string
}

type refusal struct {
	Limit string
	Count int64
}

func (p *pages) overview(w http.ResponseWriter, r *http.Request) {
	var c *census // never changed once it is here
	now := p.now()
	if !p.alone(w, r, func() {
		if p.census == nil || now.Sub(p.census.at) > restFactor*p.census.took {
			p.census = take(p.s, p.now)
		}
		c = p.census
	}) {
		return
	}
	m := p.rates.metrics()
	page := overviewPage{head: p.head(r, "Overview", now), M: m, Census: c, Lives: c.lives, Sizes: c.sizes, Apps: c.apps, Ended: m.Expired + m.Removed}
	for _, row := range c.locks {
		page.Locks = append(page.Locks, p.line(row, now))
	}
	var over time.Duration
	var to time.Time
	if page.Charts, over, to = p.rates.charts(); over > 0 {
		page.Over, page.To = span(over), to.Format("15:04:05")
	}
	for _, verb := range verbs {
		t := total{Verb: verb}
		for i, status := range totalStatuses {
			t.Counts[i] = m.Ops[verb][status]
		}
		page.Totals = append(page.Totals, t)
	}
	page.Waits = []waits{histogramLine("Waiting for a lock", m.Wait), histogramLine("Holding a lock", m.Hold)}
	for _, limit := range []string{"MaxConns", "MaxItems", "MaxBytes", "MaxBody", "journal"} {
		if n := m.Refused[limit]; n > 0 {
			page.Refused = append(page.Refused, refusal{limit, n})
		}
	}
	p.render(w, http.StatusOK, "overview", page)
}

// histogramLine says how long half of the durations took at most, and 95 % of
// them, as far as the buckets tell.
func histogramLine(what string, h stateservice.Histogram) waits {
	n := h.Count()
	l := waits{What: what, Count: n, Half: "–", Most: "–", Total: span(h.Sum)}
	if n > 0 {
		l.Half, l.Most = atMost(h, (n+1)/2), atMost(h, (n*95+99)/100)
	}
	return l
}

// atMost is the bound of the bucket that has the n-th shortest.
func atMost(h stateservice.Histogram, n int64) string {
	for i, c := range h.Counts {
		if n -= c; n <= 0 {
			if bound := stateservice.HistogramBound(i); bound > 0 {
				return "≤ " + span(bound)
			}
			break
		}
	}
	return "> " + span(stateservice.HistogramBound(len(h.Counts)-2))
}
