package middleware_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware/lifecycletest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/inproc"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// bareStore is a store with none of the optional interfaces, behind a network.
type bareStore struct{ session.Store }

func (b bareStore) Capabilities() session.Capabilities {
	c := b.Store.Capabilities()
	c.Local = false
	return c
}

// openStores are stores of every kind that the life cycle treats differently.
func openStores(t *testing.T) map[string]func(t *testing.T) session.Store {
	t.Helper()
	memory := func(t *testing.T) session.Store {
		s := inproc.New(inproc.Options{})
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
	// Nobody waits long for a lock that a row leaves behind.
	service := stateService(t, stateservice.Options{ParkTimeout: 20 * time.Millisecond})
	return map[string]func(t *testing.T) session.Store{
		"inproc":                  memory,
		"bare":                    func(t *testing.T) session.Store { return bareStore{memory(t)} },
		"stateserver":             func(t *testing.T) session.Store { return stateClient(t, service, true) },
		"stateserver, not strict": func(t *testing.T) session.Store { return stateClient(t, service, false) },
	}
}

// stateService is our state service on a loopback port.
func stateService(t testing.TB, opt stateservice.Options) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	opt.Logger = slog.New(slog.DiscardHandler)
	s := stateservice.New(opt)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, stateservice.ErrServerClosed)
	})
	return ln.Addr().String()
}

func stateClient(t testing.TB, addr string, strict bool) *stateserver.Store {
	t.Helper()
	s, err := stateserver.New(stateserver.Options{Addr: addr, AppID: "/LM/W3SVC/1/ROOT", Strict: strict})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestTheWholeLifeCycle(t *testing.T) {
	for name, store := range openStores(t) {
		t.Run(name, func(t *testing.T) { lifecycletest.Run(t, lifecycletest.Harness{Store: store}) })
	}
}
