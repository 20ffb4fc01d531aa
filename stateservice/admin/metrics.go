package admin

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aspsession/aspsession/stateservice"
)

// collector turns the service's counts into metrics when it is asked for them.
type collector struct{ metrics func() stateservice.Metrics }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("aspstate_"+name, help, labels, nil)
}

var (
	sessions    = describe("sessions", "Items, expired ones that were not swept yet among them.")
	bytes       = describe("bytes", "Sum of the items' contents in bytes.")
	conns       = describe("connections", "Open connections.")
	operations  = describe("operations_total", "Replies by operation and status.", "operation", "status")
	malformed   = describe("malformed_total", "Messages that could not be parsed.")
	wait        = describe("lock_wait_seconds", "How long acquires and parked requests waited.")
	hold        = describe("lock_hold_seconds", "How long locks were held.")
	parkedNow   = describe("parked", "Requests that wait for a lock now.")
	parked      = describe("parked_total", "Requests that had to wait for a lock.")
	parkRefused = describe("park_refused_total", "Requests that a limit on parking refused at once.")
	parkGone    = describe("park_gone_total", "Requests whose client went while they were parked.")
	ended       = describe("ended_total", "Sessions that ended, by reason.", "reason")
	refused     = describe("refused_total", "What a limit refused, by limit.", "limit")
	endsQueued  = describe("ends_queued", "Ends that wait for the hook now.")
	ends        = describe("ends_total", "Ends that the hook was told of, by outcome.", "outcome")
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sessions, bytes, conns, operations, malformed, wait, hold, parkedNow, parked, parkRefused, parkGone, ended, refused, endsQueued, ends} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	m := c.metrics()
	gauge := func(d *prometheus.Desc, v int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(sessions, m.Items)
	gauge(bytes, m.Bytes)
	gauge(conns, int64(m.Conns))
	for op, statuses := range m.Ops {
		for status, n := range statuses {
			counter(operations, n, op, strconv.Itoa(status))
		}
	}
	counter(malformed, m.Malformed)
	histogram(ch, wait, m.Wait)
	histogram(ch, hold, m.Hold)
	gauge(parkedNow, m.ParkedNow)
	counter(parked, m.Parked)
	counter(parkRefused, m.ParkRefused)
	counter(parkGone, m.ParkGone)
	counter(ended, m.Expired, "expired")
	counter(ended, m.Removed, "removed")
	for limit, n := range m.Refused {
		counter(refused, n, limit)
	}
	gauge(endsQueued, m.EndsQueued)
	counter(ends, m.EndsTaken, "taken")
	counter(ends, m.EndsDropped, "dropped")
}

func histogram(ch chan<- prometheus.Metric, d *prometheus.Desc, h stateservice.Histogram) {
	buckets := make(map[float64]uint64, len(h.Counts))
	var below uint64
	for i, n := range h.Counts {
		below += uint64(n)
		if bound := stateservice.HistogramBound(i); bound > 0 {
			buckets[bound.Seconds()] = below
		}
	}
	ch <- prometheus.MustNewConstHistogram(d, below, h.Sum.Seconds(), buckets)
}
