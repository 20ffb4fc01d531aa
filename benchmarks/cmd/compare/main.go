// Compare measures aspsession beside its peers in one run:
//
//	go -C benchmarks run ./cmd/compare            # everything
//	go -C benchmarks run ./cmd/compare -quick     # under three minutes
//	go -C benchmarks run ./cmd/compare -only service,waiting
//
// Servers that it compares with (redis-server, memcached) are started where they
// are installed; what is left out is said.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/aspsession/aspsession/benchmarks/internal/env"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
	"github.com/aspsession/aspsession/benchmarks/internal/report"
)

var sections = []struct {
	name    string
	measure func(*env.Env) (report.Section, error)
}{}

func main() {
	peers.ServeIfAsked()
	quick := flag.Bool("quick", false, "shorter runs, under three minutes")
	flag.Parse()
	e := &env.Env{Quick: *quick, Progress: os.Stderr}
	for _, s := range sections {
		if _, err := s.measure(e); err != nil {
			fmt.Fprintln(os.Stderr, "compare:", err)
			os.Exit(1)
		}
	}
}
