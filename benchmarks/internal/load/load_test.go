package load_test

import (
	"errors"
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

// Every protocol against its server, by both ways of driving it: what was stored
// is read, what was not is an error, whatever the size does to packets.
func TestTargets(t *testing.T) {
	for _, tt := range []struct {
		name   string
		start  func() (*load.Process, error)
		target func(string, int) load.Target
		stores bool
	}{
		{"state service", peers.Service, load.StateService, true},
		{"redis", peers.Redis, load.Redis, true},
		{"redis that ends", peers.Redis, func(addr string, size int) load.Target {
			return load.RedisUntil(addr, size, time.Now().Add(time.Hour))
		}, true},
		{"redis ECHO", peers.Redis, load.RedisEcho, false},
		{"memcached", peers.Memcached, load.Memcached, true},
		{"echo", peers.Echo, load.Echo, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tt.start()
			if errors.Is(err, peers.ErrMissing) {
				t.Skip(err)
			}
			require.NoError(t, err)
			defer p.Stop()
			for _, size := range []int{1, 1 << 10, 100 << 10} {
				const items = 50
				target := tt.target(p.Addr, size)
				require.NoError(t, load.Fill(target, items))
				c, err := target.Dial()
				require.NoError(t, err)
				defer c.Close()
				require.NoError(t, c.Get(items-1))
				require.NoError(t, c.Pair(0))
				require.NoError(t, c.Put(items))
				require.NoError(t, c.Get(items))
				for _, op := range []load.Op{load.Get, load.Pair} {
					for _, conns := range []int{1, 7} {
						r, err := load.Run(target, op, conns, items, 30*time.Millisecond)
						require.NoError(t, err)
						require.Positive(t, r.Count)
						require.Positive(t, r.PerSecond)
						require.LessOrEqual(t, r.P50, r.P99)
						require.LessOrEqual(t, r.P99, r.P999)
						require.Equal(t, conns, r.Conns)
					}
				}
				if tt.stores {
					require.Error(t, c.Get(items+1), "nobody stored it")
					_, err := load.Run(target, load.Get, 2, 10*items, 100*time.Millisecond)
					require.Error(t, err, "nobody stored most of them")
					_, err = load.Run(tt.target(p.Addr, size+1), load.Get, 2, items, 100*time.Millisecond)
					require.Error(t, err, "they are of another size")
				}
			}
		})
	}
}

// Acquire and save lock and unlock: while one has the session another's acquire
// is no answer to expect.
func TestPairLocks(t *testing.T) {
	p, err := peers.Unparked()
	require.NoError(t, err)
	defer p.Stop()
	target := load.StateService(p.Addr, 100)
	require.NoError(t, load.Fill(target, 1))
	_, err = load.Run(target, load.Pair, 4, 1, time.Second)
	require.Error(t, err, "four connections at one session")
	require.ErrorContains(t, err, "423")
}

func TestRunUntil(t *testing.T) {
	p, err := peers.Echo()
	require.NoError(t, err)
	defer p.Stop()
	asked := 0
	began := time.Now()
	r, err := load.RunUntil(load.Echo(p.Addr, 10), load.Get, 1, 1, time.Minute, func() bool { asked++; return time.Since(began) > 300*time.Millisecond })
	require.NoError(t, err)
	require.Positive(t, r.Count)
	require.Less(t, time.Since(began), 30*time.Second)
}

// What a process does to a thread's processors stays in it.
func TestOnCPU(t *testing.T) {
	failed := errors.New("so")
	require.ErrorIs(t, load.OnCPU(0, func() error { return failed }), failed)
	ran := false
	require.NoError(t, load.OnCPU(1<<20, func() error { ran = true; return nil }), "there are not so many")
	require.True(t, ran)
}

func TestProcess(t *testing.T) {
	p, err := peers.Echo()
	require.NoError(t, err)
	if p.Resident() == 0 {
		t.Skip("this system does not say")
	}
	_, err = load.Run(load.Echo(p.Addr, 1<<10), load.Get, 8, 1, 300*time.Millisecond)
	require.NoError(t, err)
	require.Positive(t, p.CPU())
	p.Stop()
	_, err = load.Echo(p.Addr, 1).Dial()
	require.Error(t, err, "it has ended")
	require.Zero(t, p.Resident())
}
