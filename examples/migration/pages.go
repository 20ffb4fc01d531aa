package main

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// pages is one half of the shop in Go: the Go half itself, or the stand-in for
// the legacy half.
type pages struct {
	served, style string // what its pages say and look like
	m             *middleware.Middleware
}

// A handler is the work of a page. An error is told to the visitor by fail.
type handler func(w http.ResponseWriter, r *http.Request, s *session.Session) error

// page serves GET with a session to read, side by side with the visitor's other
// requests, and POST with exclusive access. A page without post answers GET only.
func (p *pages) page(get, post handler) http.Handler {
	read := p.m.ReadOnly(p.run(get))
	var write http.Handler
	allow := "GET, HEAD"
	if post != nil {
		write, allow = p.m.Wrap(p.run(post)), allow+", POST"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet, r.Method == http.MethodHead:
			read.ServeHTTP(w, r)
		case r.Method == http.MethodPost && write != nil:
			write.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", allow)
			p.view("", r).message(w, http.StatusMethodNotAllowed, "That is not what this page is for", "It answers to its own buttons and links.")
		}
	})
}

func (p *pages) run(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r, middleware.From(r)); err != nil {
			p.fail(w, r, err)
		}
	})
}

func (p *pages) view(title string, r *http.Request) page {
	return page{Title: title, Path: lower(r.URL.Path), Style: p.style, Served: p.served}
}

// errNoLegacy: a session could not begin, because the legacy half did not run its
// Session_Start.
var errNoLegacy = errors.New("migration: the legacy half does not answer")

// fail answers a request whose session could not be opened, read or saved.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is left to answer
	}
	slog.WarnContext(r.Context(), "migration: request failed", "half", p.served, "method", r.Method, "page", r.URL.Path, "error", err)
	say := p.view("", r).message
	passing := func(err error) bool {
		return errors.Is(err, session.ErrLocked) || errors.Is(err, session.ErrQueueFull) || errors.Is(err, session.ErrClosed) || errors.Is(err, session.ErrUnavailable)
	}
	switch {
	case errors.Is(err, errNoLegacy):
		w.Header().Set("Retry-After", "5")
		say(w, http.StatusServiceUnavailable, "Your visit cannot begin yet",
			"A new session starts in the ASP.NET half, whose Session_Start sets what every page relies on, and that half does not answer. Visitors who have a session already go on with these Go pages. The front page says what happened.")
	case errors.Is(err, session.ErrLockLost):
		say(w, http.StatusConflict, "The session changed meanwhile",
			"It ended, or its lock was broken, while this request was at work. Nothing was saved; please try again.")
	case passing(err):
		w.Header().Set("Retry-After", "5")
		say(w, http.StatusServiceUnavailable, "The session is busy",
			"Another request holds it, or the shop is stopping. Please try again.")
	default:
		say(w, http.StatusInternalServerError, "The session could not be read or saved",
			"Nothing was changed. The reason is in the log of the shop.")
	}
}
