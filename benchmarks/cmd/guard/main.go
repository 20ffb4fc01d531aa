// Guard fails where a hot path has become more than 1.5 times as slow beside a
// calibration loop as it was, or allocates otherwise than it did:
//
//	go -C benchmarks run ./cmd/guard
//	go -C benchmarks run ./cmd/guard -update   # what it sees is right from now on
//
// See package guard.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/aspsession/aspsession/benchmarks/internal/guard"
)

func main() {
	update := flag.Bool("update", false, "write the baseline to "+guard.File)
	flag.Parse()
	if err := run(*update); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(update bool) error {
	if guard.Race {
		fmt.Println("guard: skipped, because the race detector changes times and allocations")
		return nil
	}
	if update {
		b, err := guard.Measure(guard.Paths())
		if err != nil {
			return err
		}
		return b.Write(guard.File)
	}
	b, err := guard.Stored()
	if err != nil {
		return err
	}
	wrong, err := guard.Run(os.Stdout, guard.Paths(), b)
	if err != nil {
		return err
	}
	for _, w := range wrong {
		fmt.Println("guard:", w)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("guard: %d of %d paths are not as they were", len(wrong), len(guard.Paths()))
	}
	return nil
}
