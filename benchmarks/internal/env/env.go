// Package env is what a section of cmd/compare is given.
package env

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// An Env is one run's. It is safe for concurrent use.
type Env struct {
	// Quick asks for shorter runs: all sections together take under three minutes.
	Quick bool
	// Progress is where the run says what it does and sees. Default nowhere.
	Progress io.Writer

	mu       sync.Mutex // guards all below
	leftOut  []string
	versions map[string]string
}

// Say prints a line of progress.
func (e *Env) Say(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.Progress != nil {
		fmt.Fprintf(e.Progress, format+"\n", args...)
	}
}

// LeaveOut says what is not measured, and why.
func (e *Env) LeaveOut(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	e.Say("left out: %s", text)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leftOut = append(e.leftOut, text)
}

// LeftOut is all that was not measured.
func (e *Env) LeftOut() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.leftOut...)
}

// Version notes the version of a peer.
func (e *Env) Version(of, version string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.versions == nil {
		e.versions = make(map[string]string)
	}
	e.versions[of] = version
}

// Versions are those noted.
func (e *Env) Versions() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make(map[string]string)
	for of, v := range e.versions {
		all[of] = v
	}
	return all
}

// Rounds says how often sides over sockets are run in turns, and for how long
// each time: quote the median.
func (e *Env) Rounds() (rounds int, each time.Duration) {
	if e.Quick {
		return 3, 300 * time.Millisecond
	}
	return 5, 2 * time.Second
}
