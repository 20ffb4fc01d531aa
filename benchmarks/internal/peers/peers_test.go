package peers_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/benchmarks/internal/peers"
)

func TestMain(m *testing.M) {
	peers.ServeIfAsked()
	os.Exit(m.Run())
}

// A clock that is moved on ends the sessions, and only those that are due.
func TestClocked(t *testing.T) {
	s, err := peers.NewClocked()
	require.NoError(t, err)
	defer s.Stop()
	target := load.StateService(s.Addr, 100)
	require.NoError(t, load.Fill(target, 50))
	n, err := s.Advance(19 * time.Minute)
	require.NoError(t, err)
	require.Equal(t, 50, n)
	require.NoError(t, load.Fill(target, 5)) // renewed
	_, err = s.Advance(2 * time.Minute)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		n, err := s.Advance(0)
		return err == nil && n == 5
	}, 20*time.Second, 10*time.Millisecond)
	c, err := target.Dial()
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Get(4))
	require.ErrorContains(t, c.Get(5), "404")
}

func TestVersion(t *testing.T) {
	require.Empty(t, peers.Version("no-such-program-anywhere"))
}
