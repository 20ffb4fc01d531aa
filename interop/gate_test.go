package interop_test

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
)

// A gate stops who comes through it until the test opens it.
type gate struct {
	came, opened chan struct{}
	once         sync.Once
	url          string
}

func newGate(t *testing.T) *gate {
	g := &gate{came: make(chan struct{}, 8), opened: make(chan struct{})}
	g.url = listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { g.pass(r.Context()) }))
	t.Cleanup(g.open)
	return g
}

// pass is where a Go page stops.
func (g *gate) pass(ctx context.Context) {
	select {
	case g.came <- struct{}{}:
	default: // more came than anybody waits for
	}
	select {
	case <-g.opened:
	case <-ctx.Done():
	}
}

// until is what holds hold.aspx.
func (g *gate) until() string { return "?until=" + url.QueryEscape(g.url) }

// wait returns once somebody stands at the gate.
func (g *gate) wait(t *testing.T) {
	t.Helper()
	eventually(t, "somebody at the gate", func() bool {
		select {
		case <-g.came:
			return true
		default:
			return false
		}
	})
}

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }
