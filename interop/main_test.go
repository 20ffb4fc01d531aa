package interop_test

import (
	"os"
	"testing"
)

// TestMain stops what the tests share.
func TestMain(m *testing.M) {
	if os.Getenv(crash) != "" {
		os.Exit(m.Run()) // a child of TestNothingOutlivesACrash stops nothing
	}
	code := m.Run()
	for _, w := range worlds {
		w.stop()
	}
	os.Exit(code)
}
