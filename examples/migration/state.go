package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// A state is the state service that both halves share, here in the same process.
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
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := &state{server: stateservice.New(stateservice.Options{Logger: logger}), served: make(chan error, 1), addr: ln.Addr().String()}
	go func() { s.served <- s.server.Serve(ln) }()
	return s, nil
}

// newClient is one half's own connection to a state service. The application id
// must be the one that ASP.NET has: see web.config.
func newClient(addr string) (*stateserver.Store, error) {
	c, err := stateserver.New(stateserver.Options{Addr: addr, AppID: legacy.AppID, Strict: true})
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
