package redis_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// A counter counts round trips: commands, and pipelines as one.
type counter struct{ n, gets atomic.Int64 }

func (c *counter) client(t testing.TB, addr string) *goredis.Client {
	client := goredis.NewClient(&goredis.Options{Addr: addr, ContextTimeoutEnabled: true})
	client.AddHook(c)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func (c *counter) DialHook(next goredis.DialHook) goredis.DialHook { return next }
func (c *counter) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		c.n.Add(1)
		if cmd.Name() == "get" {
			c.gets.Add(1)
		}
		return next(ctx, cmd)
	}
}
func (c *counter) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmds)
	}
}

// Every call of the contract is one round trip once the scripts are loaded; a
// server that forgot them costs one more.
func TestRoundTrips(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			c := &counter{}
			s := open(t, addr, redis.Options{Layout: layout, Client: c.client(t, addr)})
			var rec session.Record
			var err error
			for round := range 3 {
				for _, step := range []struct {
					name string
					call func() error
				}{
					{"create", func() error { return s.Create(ctx, anID, time.Minute) }},
					{"acquire", func() error { rec, err = s.Acquire(ctx, anID, time.Minute); return err }},
					{"save", func() error {
						require.NoError(t, rec.Payload.Items().Set("n", round))
						return s.Save(ctx, anID, rec.Lock, rec.Payload)
					}},
					{"get", func() error { _, err := s.Get(ctx, anID); return err }},
					{"touch", func() error { return s.Touch(ctx, anID) }},
					{"acquire", func() error { rec, err = s.Acquire(ctx, anID, time.Minute); return err }},
					{"checkpoint", func() error {
						require.NoError(t, rec.Payload.Items().Set("m", round))
						_, err := s.Checkpoint(ctx, anID, rec.Lock, time.Minute, rec.Payload)
						return err
					}},
					{"renew", func() error { return s.Renew(ctx, anID, rec.Lock, time.Minute) }},
					{"release", func() error { return s.Release(ctx, anID, rec.Lock) }},
					{"remove", func() error { return s.Remove(ctx, anID, session.Lock{}) }},
				} {
					before := c.n.Load()
					require.NoError(t, step.call(), step.name)
					trips := c.n.Load() - before
					if round == 1 {
						require.EqualValues(t, 1, trips, step.name)
					} else {
						require.LessOrEqual(t, trips, int64(2), step.name)
					}
				}
				if round == 1 {
					require.NoError(t, client.ScriptFlush(ctx).Err())
				}
			}
		})
	}
}

// What a save in layout B sends does not depend on what else is in the session.
func TestOnlyChangesTravel(t *testing.T) {
	server := redistest.Server(t)
	ctx := context.Background()
	sent := func(layout redis.Layout, items, size int) int64 {
		p := newProxy(t, server)
		s := open(t, p.addr(), redis.Options{Layout: layout, NoWakeup: true})
		id := fmt.Sprintf("%s%d-%d", anID, items, size)
		var all []any
		for i := range items {
			all = append(all, fmt.Sprintf("item%d", i), strings.Repeat("x", 1000))
		}
		stored(t, s, id, append(all, "n", "")...)
		var bytes int64
		for range 2 { // the second time, the scripts are known
			rec, err := s.Acquire(ctx, id, time.Minute)
			require.NoError(t, err)
			require.NoError(t, rec.Payload.Items().Set("n", strings.Repeat("y", size)))
			before := p.up.Load()
			require.NoError(t, s.Save(ctx, id, rec.Lock, rec.Payload))
			bytes = p.up.Load() - before
		}
		return bytes
	}
	for _, layout := range []redis.Layout{redis.LayoutB, redis.LayoutA} {
		small, large := sent(layout, 1, 10), sent(layout, 300, 10)
		require.InDelta(t, small, large, 20, "300 items more cost nothing")
		require.Less(t, small, int64(700))
		more := sent(layout, 300, 5010)
		require.InDelta(t, 5000, more-large, 20, "a change costs what it takes")
	}
	c := sent(redis.LayoutC, 300, 10)
	require.Greater(t, c, int64(300_000), "C has one blob")
}

// A proxy is between a store and its server.
type proxy struct {
	ln     net.Listener
	server string
	up     atomic.Int64 // bytes to the server
	lose   atomic.Bool
	cut    atomic.Bool // nothing comes back any more
	lost   atomic.Int64
	wg     sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func newProxy(t testing.TB, server string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{ln: ln, server: server}
	p.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.ln.Addr().String() }

// loseNextReply has the next reply swallowed and its connection closed.
func (p *proxy) loseNextReply() { p.lose.Store(true) }

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	p.wg.Go(func() {
		defer server.Close()
		_, _ = io.Copy(writeCounter{server, &p.up}, client)
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		if p.lose.CompareAndSwap(true, false) {
			p.lost.Add(1)
			return
		}
		if p.cut.Load() {
			continue
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

type writeCounter struct {
	io.Writer
	n *atomic.Int64
}

func (w writeCounter) Write(b []byte) (int, error) {
	w.n.Add(int64(len(b)))
	return w.Writer.Write(b)
}
