package waiting

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// pages are what the requests of one session run, each in its turn.
type pages struct {
	mu     sync.Mutex // guards all below
	inside int
	broken bool // two ran at a time
	spans  []span
}

type span struct{ start, end time.Time }

// run is a page, and says when it started.
func (p *pages) run() time.Time {
	s := span{start: time.Now()}
	p.mu.Lock()
	p.inside++
	p.broken = p.broken || p.inside > 1
	p.mu.Unlock()
	time.Sleep(work)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside--
	s.end = time.Now()
	p.spans = append(p.spans, s)
	return s.start
}

// hands are the times between the pages.
func (p *pages) hands() ([]time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return nil, errors.New("two pages had the session at a time")
	}
	if len(p.spans) != requests {
		return nil, fmt.Errorf("%d pages ran, not %d", len(p.spans), requests)
	}
	var all []time.Duration
	for i, s := range p.spans[1:] { // in the order of their ends, which is that of their turns
		all = append(all, s.start.Sub(p.spans[i].end))
	}
	return all, nil
}
