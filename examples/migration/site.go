package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// A site is the whole shop: the state service, both halves with a client of it
// each, and the front.
type site struct {
	state  *state
	store  *stateserver.Store // the Go half's
	m      *middleware.Middleware
	legacy *legacyHalf
	front  *front
}

// newSite returns while the legacy half is still starting.
func newSite(l *legacyHalf) (s *site, err error) {
	s = &site{legacy: l}
	if s.state, err = startState(); err != nil {
		return nil, err
	}
	if err = s.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("migration: %w", err), s.state.close(context.Background()))
	}
	l.begin(s.state.addr)
	return s, nil
}

func (s *site) build() error {
	types, err := cartTypes()
	if err != nil {
		return err
	}
	if s.store, err = newClient(s.state.addr); err != nil {
		return err
	}
	store := &ledger{Store: s.store}
	p := &pages{served: "Go", style: "on-go"}
	p.m, err = middleware.New(store, middleware.Options{
		Session: session.Options{Types: types, Bootstrap: s.bootstrap},
		// Every page relies on what Session_Start sets, so a session is stored from
		// the first page on, and Bootstrap runs before it.
		SessionStart: func(*http.Request, *session.Session) error { return nil },
		OnError:      p.fail,
	})
	if err != nil {
		return err
	}
	s.m = p.m
	s.front = newFront(s.legacy, goPages(p))
	s.front.own = s.front.ownPages(store)
	return nil
}

// bootstrap has the legacy half run its Session_Start for a visitor whose first
// page is in Go.
func (s *site) bootstrap(ctx context.Context, id string) (string, error) {
	target := s.legacy.health().Target
	if target == nil {
		return "", errNoLegacy
	}
	id, err := middleware.Bootstrap(target.JoinPath("start.aspx").String(), middleware.Cookie{}, nil)(ctx, id)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoLegacy, err)
	}
	return id, nil
}

// handler is all that the one port serves.
func (s *site) handler() http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		frontView(r).message(w, http.StatusForbidden, "That form came from another site", "A change must be asked for from these pages themselves.")
	}))
	return headers(guard.Handler(s.front))
}

// headers are for every answer of either half: nothing here loads, frames or
// posts elsewhere.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// close waits for the sessions that are open, then ends the legacy half, then
// the service.
func (s *site) close(ctx context.Context) error {
	err := s.m.Close(ctx)
	s.legacy.close(ctx)
	err = errors.Join(err, s.store.Close(), s.state.close(ctx))
	if t, ok := s.front.proxy.Transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	return err
}
