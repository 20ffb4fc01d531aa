package echosession_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware/lifecycletest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// The same over a state service, which cannot save and keep the lock in one step.
func TestLifeCycleOverAStateService(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	service := stateservice.New(stateservice.Options{
		Logger:      slog.New(slog.DiscardHandler),
		ParkTimeout: 20 * time.Millisecond, // nobody waits long for a lock that a row leaves behind
	})
	done := make(chan error, 1)
	go func() { done <- service.Serve(ln) }()
	t.Cleanup(func() {
		require.NoError(t, service.Close())
		require.ErrorIs(t, <-done, stateservice.ErrServerClosed)
	})
	lifecycletest.Run(t, lifecycletest.Harness{
		Store: func(t *testing.T) session.Store {
			s, err := stateserver.New(stateserver.Options{Addr: ln.Addr().String(), AppID: "/LM/W3SVC/1/ROOT", Strict: true})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s
		},
		Wrap: wrap,
		Skip: map[string]string{
			"ReadWrite/new/set, flush/Hold fails ErrUnavailable":   flushIsSilent,
			"ReadWrite/new/set, flush/Hold is lost ErrUnavailable": flushIsSilent,
		},
	})
}
