// Compare measures aspsession beside its peers in one run, and prints what it
// sees:
//
//	go -C benchmarks run ./cmd/compare            # everything, some minutes
//	go -C benchmarks run ./cmd/compare -quick
//	go -C benchmarks run ./cmd/compare -only service
//
// Servers that it compares with (redis-server, memcached) are started where they
// are installed; what is left out is said.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
)

// A run is everything that was measured.
type run struct {
	Time      time.Time     `json:"time"`
	Go        string        `json:"go"`
	CPUs      int           `json:"cpus"`
	LeftOut   []string      `json:"left_out,omitempty"`
	Service   []load.Result `json:"service,omitempty"`
	OverRedis []Request     `json:"over_redis,omitempty"`

	quick bool
}

func (r *run) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func main() {
	quick := flag.Bool("quick", false, "shorter runs, under three minutes")
	only := flag.String("only", "", "comma list of parts: service, redis")
	out := flag.String("json", "", "write the figures to this file")
	serving := flag.String("serve", "", "be a server for a measuring process: service, echo")
	addr := flag.String("addr", "", "with -serve: where")
	flag.Parse()
	if *serving != "" {
		fail(serve(*serving, *addr))
		return
	}
	r := &run{Time: time.Now().UTC(), Go: runtime.Version(), CPUs: runtime.NumCPU(), quick: *quick}
	for _, part := range []struct {
		name string
		f    func() error
	}{{"service", r.service}, {"redis", r.overRedis}} {
		if *only == "" || strings.Contains(","+*only+",", ","+part.name+",") {
			fail(part.f())
		}
	}
	if *out != "" {
		b, err := json.MarshalIndent(r, "", "  ")
		fail(err)
		fail(os.WriteFile(*out, append(b, '\n'), 0o644))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}
