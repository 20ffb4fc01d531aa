package interop_test

import (
	"fmt"
	"os"
	"testing"
)

// TestMain stops what the tests share.
func TestMain(m *testing.M) {
	if config := os.Getenv(childEnv); config != "" {
		if err := serveSite(config); err != nil {
			fmt.Fprintln(os.Stderr, "Go site:", err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(crash) != "" {
		os.Exit(m.Run()) // a child of TestNothingOutlivesACrash stops nothing
	}
	code := m.Run()
	for _, w := range worlds {
		w.stop()
	}
	os.Exit(code)
}
