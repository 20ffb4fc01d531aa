package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// How bad a finding is, and how sure it is to be the cause of others: what
// stopped the examination explains what could not be seen behind it.
type severity int

const (
	stops  severity = iota // nothing behind it could be tried
	fault                  // the site and Go would not share
	vague                  // something is wrong, and this is only how it shows
	notice                 // worth knowing; the sessions are shared
)

// A finding is one thing wrong, with its likeliest cause. It holds no secret.
type finding struct {
	Fault    string `json:"fault"` // a name for programs
	Step     string `json:"step"`
	Notice   bool   `json:"notice,omitempty"`
	Found    string `json:"found"`
	Cure     string `json:"cure"`
	severity severity
}

// A step is one thing that a request would do.
type step struct {
	Name   string `json:"step"`
	Result string `json:"result"` // ok, failed, skipped
	Found  string `json:"found"`
}

// A report is what doctor says, the likeliest fault first.
type report struct {
	Healthy  bool      `json:"healthy"`
	Findings []finding `json:"findings"`
	Steps    []step    `json:"steps"`
}

// find adds a finding. What an earlier step found under its name is not told
// again; one step may find several: items, settings.
func (r *report) find(s severity, step, name, found, cure string) {
	found = oneLine(found)
	if slices.ContainsFunc(r.Findings, func(f finding) bool {
		return f.Fault == name && f.severity <= s && (f.Step != step || f.Found == found)
	}) {
		return
	}
	r.Findings = append(r.Findings, finding{Fault: name, Step: step, Notice: s == notice, Found: found, Cure: oneLine(cure), severity: s})
}

func (r *report) ok(name, format string, args ...any) {
	r.Steps = append(r.Steps, step{name, "ok", oneLine(fmt.Sprintf(format, args...))})
}

// failed is a step with its finding.
func (r *report) failed(s severity, name, code, found, cure string) {
	r.Steps = append(r.Steps, step{name, "failed", oneLine(found)})
	r.find(s, name, code, found, cure)
}

func (r *report) skipped(name, why string) {
	r.Steps = append(r.Steps, step{name, "skipped", why})
}

// finish orders the findings and decides.
func (r *report) finish() int {
	slices.SortStableFunc(r.Findings, func(a, b finding) int { return int(a.severity) - int(b.severity) })
	r.Healthy = !slices.ContainsFunc(r.Findings, func(f finding) bool { return f.severity != notice })
	if r.Healthy {
		return exitOK
	}
	return exitData
}

func (r *report) json() []byte {
	if r.Findings == nil {
		r.Findings = []finding{}
	}
	b, _ := json.MarshalIndent(r, "", "  ") // texts alone
	return append(b, '\n')
}

func (r *report) text() []byte {
	var b strings.Builder
	switch {
	case r.Healthy:
		b.WriteString("Healthy: everything that a request would do here works.\n")
	default:
		fmt.Fprintf(&b, "Most likely: %s\n", r.Findings[0].Fault)
	}
	for _, f := range r.Findings {
		if f.Notice {
			fmt.Fprintf(&b, "\nnotice: %s\n", f.Fault)
		} else {
			fmt.Fprintf(&b, "\nfault: %s\n", f.Fault)
		}
		fmt.Fprintf(&b, "  Found: %s\n  Cure:  %s\n", visible(f.Found), visible(f.Cure))
	}
	b.WriteString("\nSteps:\n")
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "  %-8s %-8s %s\n", s.Result, s.Name, visible(s.Found))
	}
	return []byte(b.String())
}

// oneLine keeps what joined errors say apart.
func oneLine(s string) string { return strings.Join(strings.Split(strings.TrimSpace(s), "\n"), "; ") }
