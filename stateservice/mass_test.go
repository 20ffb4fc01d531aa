package stateservice_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/disk"
)

// Many sessions that expire at once do not fill the journal: Sets go on.
func TestMassExpiryRefusesSets(t *testing.T) {
	c := newClock()
	j, err := disk.Open(t.TempDir()+"/d", disk.Options{MaxQueue: 6 << 20, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	hook := stateservice.EndFunc(func(context.Context, stateservice.End) error { return nil })
	s, err := stateservice.Open(stateservice.Options{Journal: j, OnEnd: hook, Now: c.Now, SweepInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(ln)
	t.Cleanup(func() { s.Close(); j.Close() })
	w := dial(t, ln.Addr().String())
	w.nc.SetDeadline(time.Now().Add(2 * time.Minute))
	body := fill(1024)
	const n = 12_000
	for i := range n {
		rep := w.ask(save(fmt.Sprint("k", i), body))
		for status(rep) != "200" {
			require.NoError(t, j.Sync())
			rep = w.ask(save(fmt.Sprint("k", i), body))
		}
	}
	require.NoError(t, j.Sync())
	c.Advance(21 * time.Minute)
	refused, sets := 0, 0
	begin := time.Now()
	for s.Metrics().Expired < n || time.Since(begin) < time.Second {
		sets++
		if status(w.ask(save(fmt.Sprint("new", sets%100), body))) != "200" {
			refused++
		}
		require.Less(t, time.Since(begin), time.Minute)
	}
	t.Logf("%d sessions expired within %v; %d of %d Sets refused; journal %+v; %+v", n, time.Since(begin), refused, sets, j.Stats(), s.Metrics().Refused)
	require.Zero(t, refused)
}
