package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// appID is what IIS calls the first site's root application. Both sides must
// agree on it.
const appID = "/LM/W3SVC/1/ROOT"

// A state is the state service that both sides share, here in the same process.
// In a real move it is `aspstate serve`, or the aspnet_state.exe that the old
// site has already.
type state struct {
	server *stateservice.Server
	served chan error
	addr   string
}

func startState() (*state, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("migration: state service: %w", err)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	s := &state{server: stateservice.New(stateservice.Options{Logger: logger}), served: make(chan error, 1), addr: ln.Addr().String()}
	go func() { s.served <- s.server.Serve(ln) }()
	return s, nil
}

// client is one side's own connection to the service.
func (s *state) client() (*stateserver.Store, error) {
	c, err := stateserver.New(stateserver.Options{Addr: s.addr, AppID: appID, Strict: true})
	if err != nil {
		return nil, fmt.Errorf("migration: %w", err)
	}
	return c, nil
}

func (s *state) close(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if serr := <-s.served; !errors.Is(serr, stateservice.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// An oldSite is the legacy side's client of the service: no middleware, only
// what goes over the wire.
type oldSite struct{ store *stateserver.Store }

// knows renews a session and reports whether it is there.
func (o oldSite) knows(ctx context.Context, id string) (bool, error) {
	err := o.store.Touch(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// read returns the stored bytes, after whoever has them locked.
func (o oldSite) read(ctx context.Context, id string) ([]byte, error) {
	for {
		rec, err := o.store.Get(ctx, id)
		if err == nil {
			return rec.Payload.Append(nil) // unchanged, and so as they came
		}
		if !errors.Is(err, session.ErrLocked) {
			return nil, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// put stores the capture under an id, in place of what is there. Whoever holds
// the lock has lost it.
func (o oldSite) put(ctx context.Context, id string) error {
	p, err := payload.Open(captured, payload.Limits{})
	if err != nil {
		return err
	}
	for {
		rec, err := o.store.Acquire(ctx, id, time.Minute)
		var locked *session.LockedError
		switch {
		case err == nil:
			return o.store.Save(ctx, id, rec.Lock, p)
		case errors.Is(err, session.ErrNotFound):
			return o.store.Save(ctx, id, session.Lock{}, p)
		case errors.As(err, &locked):
			err = o.store.Release(ctx, id, locked.Holder)
		}
		if err != nil && !errors.Is(err, session.ErrLockLost) {
			return err
		}
	}
}
