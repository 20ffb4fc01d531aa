package main

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aspsession/aspsession/examples/migration/legacy"
)

// A server is what serves the legacy half: an ASP.NET application on Mono, or the
// stand-in.
type server interface {
	URL(page string) string
	Ended() <-chan struct{} // closed when it ends by itself or is stopped
	Printed() string
	Stop()
}

// How the legacy half fares.
const (
	starting = "starting"
	up       = "up"
	stands   = "stand-in"
	failed   = "failed"
)

type health struct {
	State  string
	Target *url.URL // where it answers; nil unless it is up
	// Where it failed, or Go stands in:
	Reason, Advice string
	Printed        string // the last lines
}

// A legacyHalf starts the legacy half in the background and watches it.
type legacyHalf struct {
	mode    string                                    // of flag -legacy
	start   func(stateService string) (server, error) // returns when it answers
	standIn func(stateService string) (server, error)

	service string // the state service's address
	again   chan struct{}
	quit    chan struct{}
	done    chan struct{}

	mu  sync.Mutex // guards now
	now health
}

// The modes of flag -legacy.
const (
	modeAuto   = "auto"
	modeASPNET = "aspnet"
	modeGo     = "go"
)

func startASPNET(stateService string) (server, error) {
	app, err := legacy.Start(stateService)
	if err != nil {
		return nil, err // and no server: a nil App in an interface is one
	}
	return app, nil
}

// begin starts it. close ends it.
func (h *legacyHalf) begin(stateService string) {
	h.service = stateService
	h.again, h.quit, h.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	h.now = health{State: starting}
	go h.run()
}

// run is the life of the legacy half: started, watched, and started anew when
// somebody asks for it.
func (h *legacyHalf) run() {
	defer close(h.done)
	for {
		running, now := h.try()
		if running != nil {
			ended := running.Ended() // before anybody who sees it up can stop it
			h.set(now)
			select {
			case <-ended:
				h.set(health{
					State: failed, Printed: lastLines(running.Printed()),
					Reason: "The web server of the ASP.NET half ended by itself.",
					Advice: "Its last words are below. Start it again; the sessions are in the state service, and nothing of them is lost.",
				})
				running.Stop()
			case <-h.quit:
				running.Stop()
				return
			}
		} else {
			h.set(now)
		}
		select {
		case <-h.again:
		case <-h.quit:
			return
		}
	}
}

// try starts ASP.NET, and the stand-in only where that is wanted or Mono is not
// installed: another failure must be seen.
func (h *legacyHalf) try() (server, health) {
	now := health{State: up}
	var running server
	var err error
	if h.mode != modeGo {
		running, err = h.start(h.service)
	}
	switch {
	case h.mode == modeGo:
		now = health{State: stands, Reason: "The flag -legacy go asks for it.", Advice: "Start without it to see real ASP.NET pages, where Mono is installed."}
	case h.mode == modeAuto && errors.Is(err, legacy.ErrNoMono):
		now = health{
			State: stands, Reason: "No ASP.NET here: " + strings.TrimPrefix(err.Error(), "legacy: ") + ".",
			Advice: "Until then every page of that half says that Go stands in for it.",
		}
	}
	if now.State == stands {
		running, err = h.standIn(h.service)
	}
	var target *url.URL
	if err == nil {
		target, err = url.Parse(running.URL(""))
	}
	if err != nil {
		return nil, explain(err)
	}
	now.Target = target
	return running, now
}

// explain says what happened and what to do.
func explain(err error) health {
	reason, printed, found := strings.Cut(err.Error(), "; it printed:\n")
	if !found {
		reason, printed, _ = strings.Cut(reason, "\n") // what a compiler said
	}
	now := health{State: failed, Reason: reason, Printed: lastLines(printed)}
	switch {
	case errors.Is(err, legacy.ErrNoMono):
		now.Advice = "Install the Debian packages mono-complete and mono-xsp4 for real ASP.NET pages; or start with -legacy go, and Go pages stand in for them."
	case strings.Contains(err.Error(), "in use"):
		now.Advice = "Another program has the port. Try again: another port is chosen then."
	default:
		now.Advice = "See what it printed and try again; or start with -legacy go, and Go pages stand in for the ASP.NET half."
	}
	return now
}

func lastLines(s string) string {
	const most = 12
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD")), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

func (h *legacyHalf) set(now health) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
}

func (h *legacyHalf) health() health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// retry asks for another start, once it has failed.
func (h *legacyHalf) retry() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.State == failed {
		h.now = health{State: starting}
		h.again <- struct{}{} // has room: nobody can ask twice
	}
}

// close ends the legacy half. A start cannot be broken off: one under way is
// waited for but shortly, and what it starts ends with this process.
func (h *legacyHalf) close(ctx context.Context) {
	if h.health().State == starting {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	close(h.quit)
	select {
	case <-h.done:
	case <-ctx.Done():
	}
}
