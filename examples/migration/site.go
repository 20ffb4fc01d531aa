package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// captured is the session every visitor starts with. Read only.
//
//go:embed testdata/captured-session.bin
var captured []byte

const cookieName = "ASP.NET_SessionId"

// A site is both halves, each with a client of its own on one state service.
type site struct {
	state *state
	store *stateserver.Store // the Go side's
	old   oldSite
	m     *middleware.Middleware
}

func newSite() (s *site, err error) {
	s = new(site)
	if s.state, err = startState(); err != nil {
		return nil, err
	}
	if s.store, err = s.state.client(); err == nil {
		s.old.store, err = s.state.client()
	}
	if err == nil {
		s.m, err = middleware.New(s.store, middleware.Options{OnError: s.fail})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("migration: %w", err), s.state.close(context.Background()))
	}
	return s, nil
}

// close waits for the sessions that are open, then for the service.
func (s *site) close(ctx context.Context) error {
	return errors.Join(s.m.Close(ctx), s.store.Close(), s.old.store.Close(), s.state.close(ctx))
}

// handler is all that one port serves. In a real move /legacy/ would be a
// reverse proxy to the old site.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /start", s.start)
	mux.HandleFunc("GET /style.css", stylesheet)
	mux.Handle("GET /legacy/{$}", s.known(http.HandlerFunc(s.legacy)))
	mux.Handle("POST /reset", s.known(http.HandlerFunc(s.reset)))

	mux.Handle("GET /{$}", s.known(s.m.Wrap(s.page(s.home))))
	mux.Handle("GET /summary", s.known(s.m.ReadOnly(s.page(s.summary))))
	mux.Handle("POST /name", s.known(s.m.Wrap(s.page(s.setName))))
	mux.Handle("POST /visits", s.known(s.m.Wrap(s.page(s.countVisit))))
	mux.Handle("POST /items", s.known(s.m.Wrap(s.page(s.addItem))))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		message(w, http.StatusNotFound, "There is no such page", "Forms answer to their buttons only; the pages are in the menu above.")
	})

	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message(w, http.StatusForbidden, "That form came from another site", "A change must be asked for from these pages themselves.")
	}))
	return headers(guard.Handler(mux))
}

// visitor returns the id of the session that the request's cookie names, if the
// service has it: the first of that name in whatever case, as the middleware has
// it.
func (s *site) visitor(r *http.Request) (id string, ok bool, err error) {
	for _, c := range r.Cookies() {
		if !strings.EqualFold(c.Name, cookieName) {
			continue
		}
		if id, ok = (session.StandardIDs{}).Canonical(c.Value); ok {
			ok, err = s.old.knows(r.Context(), id)
		}
		return id, ok, err
	}
	return "", false, nil
}

// known sends visitors without a session to /start, before the middleware sees
// them: it would take any well-formed id, as ASP.NET does.
func (s *site) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch _, ok, err := s.visitor(r); {
		case err != nil:
			s.fail(w, r, err)
			return
		case ok:
			next.ServeHTTP(w, r)
			return
		}
		if r.URL.Query().Get("done") == "start" {
			// Another redirect would go round for ever.
			message(w, http.StatusBadRequest, "The session cookie did not come back",
				"This demo knows its visitors by the cookie "+cookieName+". Please allow cookies for this address, then start again.")
			return
		}
		http.Redirect(w, r, "/start", http.StatusSeeOther)
	})
}

// start does what signing in on the old site did: it puts a session into the
// store and tells the browser its id. Who has one keeps it.
func (s *site) start(w http.ResponseWriter, r *http.Request) {
	id, ok, err := s.visitor(r)
	if ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if err == nil {
		id, err = session.StandardIDs{}.New()
	}
	if err == nil {
		err = s.old.put(r.Context(), id)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	// The attributes are ASP.NET's.
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/?done=start", http.StatusSeeOther)
}

// reset puts the capture back under the same id. A request still at work on the
// old one is told that its lock is lost.
func (s *site) reset(w http.ResponseWriter, r *http.Request) {
	id, _, err := s.visitor(r)
	if err == nil {
		err = s.old.put(r.Context(), id)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/?done=reset", http.StatusSeeOther)
}

// page makes a handler of a function that may fail.
func (s *site) page(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// fail answers a request whose session could not be opened, read or saved.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is left to answer
	}
	slog.ErrorContext(r.Context(), "migration: request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	switch {
	case errors.Is(err, session.ErrLockLost):
		message(w, http.StatusConflict, "The session changed meanwhile", "It was reset, or its lock was broken, while this request was at work. Nothing was saved; please try again.")
	case errors.Is(err, session.ErrLocked), errors.Is(err, session.ErrQueueFull), errors.Is(err, session.ErrClosed), errors.Is(err, session.ErrUnavailable):
		message(w, http.StatusServiceUnavailable, "The session is busy", "Another request holds it, or the demo is stopping. Please try again.")
	default:
		message(w, http.StatusInternalServerError, "The session could not be loaded or saved", "The reason is in the log of the demo. A reset puts the captured session back.")
	}
}

// open reads stored bytes apart from the middleware.
func open(data []byte) (*payload.Payload, error) { return payload.Open(data, payload.Limits{}) }
