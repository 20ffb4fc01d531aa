package stateservice

import (
	"math/bits"
	"time"

	"github.com/aspsession/aspsession/msasp"
)

// An op is one of the protocol's seven requests.
type op uint8

const (
	opGet op = iota
	opAcquire
	opRelease
	opSet
	opCreate
	opRemove
	opTouch
	ops
)

// The names of the operations, as metrics have them.
var opNames = [ops]string{"get", "acquire", "release", "set", "create", "remove", "touch"}

func opOf(req *msasp.Request) op {
	switch {
	case req.Verb == msasp.PUT && req.ExtraFlags.Value&uninitialized != 0:
		return opCreate
	case req.Verb == msasp.PUT:
		return opSet
	case req.Verb == msasp.DELETE:
		return opRemove
	case req.Verb == msasp.HEAD:
		return opTouch
	case req.Exclusive == msasp.ExclusiveAcquire:
		return opAcquire
	case req.Exclusive == msasp.ExclusiveRelease:
		return opRelease
	}
	return opGet
}

var statuses = [...]int{msasp.StatusOK, msasp.StatusBadRequest, msasp.StatusNotFound, msasp.StatusConflict, msasp.StatusLocked}

// counters are a shard's, guarded by its mutex: nothing is shared to count.
type counters struct {
	ops         [ops][len(statuses)]int64
	wait, hold  Histogram
	parked      int64
	parkRefused int64
	gone        int64
	expired     int64
	removed     int64
	limits      [len(limitNames)]int64
}

var limitNames = [...]string{overItems, overBytes, overBody, noJournal}

func (c *counters) count(o op, status int) {
	for i, s := range statuses {
		if s == status {
			c.ops[o][i]++
		}
	}
}

func (c *counters) limit(why string) {
	for i, name := range limitNames {
		if name == why {
			c.limits[i]++
		}
	}
}

// histogramBuckets have the upper bounds 64 µs, 256 µs, ... 4^i * 64 µs; the
// last, above 268 s, has none.
const histogramBuckets = 13

// A Histogram counts durations in buckets that each end at four times the one
// before.
type Histogram struct {
	Counts [histogramBuckets]int64 // of each bucket alone
	Sum    time.Duration
}

// HistogramBound is the upper bound of a bucket, 64 µs for 0; the last one has
// no bound, and this is 0.
func HistogramBound(bucket int) time.Duration {
	if bucket >= histogramBuckets-1 {
		return 0
	}
	return 64 * time.Microsecond << (2 * bucket)
}

func (h *Histogram) observe(d time.Duration) {
	d = max(d, 0)
	// The first bucket whose bound is not below d.
	n := (bits.Len64(uint64((max(d, 1)-1)/(64*time.Microsecond))) + 1) / 2
	h.Counts[min(n, histogramBuckets-1)]++
	h.Sum += d
}

func (h *Histogram) add(o *Histogram) {
	for i, n := range o.Counts {
		h.Counts[i] += n
	}
	h.Sum += o.Sum
}

// Count is how many durations there were.
func (h *Histogram) Count() (n int64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Metrics are a Server's counts since it started, for monitoring. Those that
// are no totals say so.
type Metrics struct {
	Stats // now
	// Ops counts replies by operation ("get", "acquire", "release", "set",
	// "create", "remove", "touch") and status. A message that cannot be parsed
	// is none of them: Malformed counts those.
	Ops       map[string]map[int]int64
	Malformed int64

	Wait Histogram // of acquires, and of requests that were parked
	Hold Histogram // of locks, by the server's clock

	ParkedNow   int64 // requests that wait now
	Parked      int64 // requests that had to
	ParkRefused int64 // requests that a limit on parking refused at once
	ParkGone    int64 // requests whose peer went while they were parked

	Expired, Removed int64 // items that ended

	// Refused counts what a limit refused: "MaxItems", "MaxBytes", "MaxBody",
	// "journal", "MaxConns".
	Refused map[string]int64

	EndsQueued  int64 // ends that wait for Options.OnEnd, now
	EndsTaken   int64
	EndsDropped int64 // without a journal: lost; with one: told again later
}

// Metrics takes a look at every shard in turn.
func (s *Server) Metrics() Metrics {
	var sum counters
	e := &s.engine
	for i := range e.shards {
		sh := &e.shards[i]
		sh.mu.Lock()
		sum.add(&sh.stats)
		sh.mu.Unlock()
	}
	m := Metrics{Stats: s.Stats(), Malformed: s.malformed.Load(), Wait: sum.wait, Hold: sum.hold, ParkedNow: e.parked.Load(), Parked: sum.parked,
		ParkRefused: sum.parkRefused, ParkGone: sum.gone, Expired: sum.expired, Removed: sum.removed,
		Ops: make(map[string]map[int]int64, ops), Refused: map[string]int64{"MaxConns": s.refused.Load()}}
	for o, name := range opNames {
		m.Ops[name] = make(map[int]int64, len(statuses))
		for i, status := range statuses {
			m.Ops[name][status] = sum.ops[o][i]
		}
	}
	for i, name := range limitNames {
		if name == noJournal {
			name = "journal"
		}
		m.Refused[name] = sum.limits[i]
	}
	if e.ends != nil {
		m.EndsQueued, m.EndsTaken, m.EndsDropped = e.ends.counts()
	}
	return m
}

func (c *counters) add(o *counters) {
	for i := range c.ops {
		for j := range c.ops[i] {
			c.ops[i][j] += o.ops[i][j]
		}
	}
	for i := range c.limits {
		c.limits[i] += o.limits[i]
	}
	c.wait.add(&o.wait)
	c.hold.add(&o.hold)
	c.parked += o.parked
	c.parkRefused += o.parkRefused
	c.gone += o.gone
	c.expired += o.expired
	c.removed += o.removed
}
