package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// quiet is how long a section may say nothing before a log is told that it runs.
const quiet = 30 * time.Second

// A progress writes each line with the time since the start and the section, once
// where the line names it, too. On a
// terminal a last line tells each second how long the section takes; in a log a
// line says so when nothing else was said for long. Safe for concurrent use.
type progress struct {
	mu       sync.Mutex // guards all below
	w        io.Writer
	terminal bool
	begin    time.Time
	name     string
	since    time.Time // when the section began
	said     time.Time // when it said something
	rest     string    // of a line that has not ended

	done    chan struct{}
	stopped sync.WaitGroup
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, begin: time.Now(), done: make(chan struct{})}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	p.stopped.Go(func() {
		every := time.NewTicker(time.Second)
		defer every.Stop()
		for {
			select {
			case <-p.done:
				return
			case now := <-every.C:
				p.tick(now)
			}
		}
	})
	return p
}

// stop ends the last line.
func (p *progress) stop() {
	close(p.done)
	p.stopped.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// section begins the next one.
func (p *progress) section(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.since = name, time.Now()
	p.said = p.since
}

// Write takes what a section says.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.said = time.Now()
	text := p.rest + string(b)
	for {
		line, after, ended := strings.Cut(text, "\n")
		if !ended {
			p.rest = text
			return len(b), nil
		}
		line = strings.TrimPrefix(line, p.name+": ")
		fmt.Fprintf(p.w, "%7s %-8s %s\n", clock(p.said.Sub(p.begin)), p.name, line)
		text = after
	}
}

func (p *progress) tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.name == "":
	case p.terminal:
		fmt.Fprintf(p.w, "\r\x1b[K%7s %-8s … for %s", clock(now.Sub(p.begin)), p.name, clock(now.Sub(p.since)))
	case now.Sub(p.said) >= quiet:
		p.said = now
		fmt.Fprintf(p.w, "%7s %-8s … for %s\n", clock(now.Sub(p.begin)), p.name, clock(now.Sub(p.since)))
	}
}

// clear removes the line that tells the time.
func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// clock is minutes and seconds.
func clock(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
