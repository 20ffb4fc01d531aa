// Package request measures what a session costs a whole request, above the same
// handler without one: ours and the libraries that Go programs use, each on its
// stores, as it comes out of the box.
//
// Every visitor has a session of ten strings, made by the library itself. Every
// handler writes the same page to a response writer that throws it away; one that
// reads checks what it got, one that writes stores another value each time. A
// request that fails ends the measurement.
//
// In one process all run in turns of milliseconds; over sockets in alternating
// rounds, first with one connection, then with 16 visitors at once.
package request

import (
	"math"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

// Names of sites that others refer to.
const (
	bareName         = "bare handler"
	ginName          = "gin's bare handler"
	oursMemory       = "aspsession in memory"
	oursGin          = "aspsession in gin"
	oursStateService = "aspsession over the state service"
	oursOverRedis    = "aspsession over Redis"
	scsInMemory      = "scs in memory"
	scsOverRedis     = "scs over Redis"
	echoName         = "loopback round trip"
)

// A figure is what one page of one site costs. NaN is what was not measured.
type figure struct {
	site  *site
	page  page
	ns    float64 // one request; over a socket with one connection
	above float64 // ns above the bare handler
	// Allocations of a request, above the bare handler's.
	allocs, bytes float64
	stored        float64 // bytes that the store keeps, or the cookie sends

	// Over a socket.
	p99, perSecond, manyP99 float64 // nanoseconds; the latter two with many connections
	wire, trips             float64 // bytes both ways and round trips of a request
}

type figures []figure

// of is the figure of a site's page of a kind: of several, the first.
func (all figures) of(site, kind string) (figure, bool) {
	for _, f := range all {
		if f.site.name == site && f.page.kind == kind {
			return f, true
		}
	}
	return figure{}, false
}

// subtract counts costs above those of the site without sessions.
func (all figures) subtract() {
	bare := make(map[string]figure)
	for _, f := range all {
		if f.site.router == "" {
			bare[f.site.name] = f
		}
	}
	for i, f := range all {
		b, ok := bare[f.site.router]
		if !ok {
			all[i].above = math.NaN()
			continue
		}
		all[i].above = f.ns - b.ns
		all[i].allocs -= b.allocs
		all[i].bytes -= b.bytes
	}
}

// ours is the figure of ours that f stands beside.
func (all figures) ours(f figure) (figure, bool) {
	if f.site.peer == "" {
		return figure{}, false
	}
	return all.of(f.site.peer, f.page.kind)
}

// ratio is how many times b is in a; NaN where that says nothing.
func ratio(a, b float64) float64 {
	if !(a > 0) || !(b > 0) {
		return math.NaN()
	}
	return a / b
}

// An effort is how long the measurement may take.
type effort struct {
	turns  time.Duration // of each page in one process
	rounds int           // over sockets
	each   time.Duration // round of each page
}

// Measure runs it all.
func Measure(e *env.Env) (report.Section, error) {
	rounds, each := e.Rounds()
	by := effort{turns: time.Second, rounds: rounds, each: each / 2} // there are many pages
	if e.Quick {
		by.turns = 100 * time.Millisecond
	}
	return by.measure(e)
}

func (by effort) measure(e *env.Env) (report.Section, error) {
	memory, err := inProcess(e, by)
	if err != nil {
		return report.Section{}, err
	}
	network, echo, err := overSockets(e, by, memory)
	if err != nil {
		return report.Section{}, err
	}
	return render(memory, network, echo), nil
}
