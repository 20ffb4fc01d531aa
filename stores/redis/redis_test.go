package redis_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/storetest"
)

const (
	app  = "MyApp"
	anID = "2ne4zzc4yrcakgqbxgtomtfb"
)

var quiet = slog.New(slog.DiscardHandler)

var layouts = []redis.Layout{redis.LayoutC, redis.LayoutB, redis.LayoutA}

var (
	_ session.Waiter       = (*redis.Store)(nil)
	_ session.Checkpointer = (*redis.Store)(nil)
	_ session.Renewer      = (*redis.Store)(nil)
	_ session.Lister       = (*redis.Store)(nil)
)

// open opens a store that is closed with the test.
func open(t testing.TB, addr string, opt redis.Options) *redis.Store {
	t.Helper()
	if opt.Client == nil && opt.Redis.Addrs == nil {
		opt.Redis.Addrs = []string{addr}
	}
	if opt.App == "" {
		opt.App = app
	}
	if opt.Logger == nil {
		opt.Logger = quiet
	}
	s, err := redis.Open(context.Background(), opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// age makes all keys older by d: everything that this store does with time it
// leaves to Redis.
func age(t testing.TB, client *goredis.Client, d time.Duration) {
	t.Helper()
	ctx := context.Background()
	keys, err := client.Keys(ctx, "*").Result()
	require.NoError(t, err)
	for _, key := range keys {
		left, err := client.PTTL(ctx, key).Result()
		require.NoError(t, err)
		require.Positive(t, left, "every key has a TTL")
		if left > d {
			require.NoError(t, client.PExpire(ctx, key, left-d).Err())
		} else {
			require.NoError(t, client.Del(ctx, key).Err())
		}
	}
}

func TestStore(t *testing.T) {
	for _, layout := range layouts {
		t.Run("miniredis/"+layout.String(), func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) storetest.Harness {
				m := miniredis.RunT(t)
				opt := redis.Options{Layout: layout}
				return storetest.Harness{Store: open(t, m.Addr(), opt), Second: open(t, m.Addr(), opt), Advance: m.FastForward}
			})
		})
		t.Run("server/"+layout.String(), func(t *testing.T) {
			t.Parallel()
			addr := redistest.Server(t)
			client := redistest.Client(t, addr)
			storetest.Run(t, func(t *testing.T) storetest.Harness {
				opt := redis.Options{Layout: layout}
				require.NoError(t, client.FlushAll(context.Background()).Err())
				old := opt // another client's protocol
				old.Redis.Protocol = 2
				return storetest.Harness{Store: open(t, addr, opt), Second: open(t, addr, old),
					Advance: func(d time.Duration) { age(t, client, d) }}
			})
		})
	}
}

// What a store started it stops: connections, subscriptions, goroutines.
func TestCloseLeavesNothing(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	require.NoError(t, client.Ping(ctx).Err())
	before := runtime.NumGoroutine() // and one more that looks
	for range 3 {
		opt := redis.Options{App: app, Logger: quiet}
		opt.Redis.Addrs = []string{addr}
		s, err := redis.Open(ctx, opt)
		require.NoError(t, err)
		require.NoError(t, client.FlushDB(ctx).Err())
		stored(t, s, anID, "n", 1)
		rec, err := s.Acquire(ctx, anID, time.Minute)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- s.Wait(ctx, anID, rec.Lock, time.Minute) }()
		require.Eventually(t, func() bool { return len(client.PubSubChannels(ctx, "*").Val()) == 1 }, 20*time.Second, time.Millisecond)
		require.NoError(t, s.Close(), "a waiter is woken")
		if err := <-done; err != nil {
			require.ErrorIs(t, err, session.ErrUnavailable)
		}
		_, err = s.Get(ctx, anID)
		require.ErrorIs(t, err, session.ErrUnavailable)
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 20*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { // the server notices in its own time
		clients, err := client.ClientList(ctx).Result()
		return err == nil && !strings.Contains(clients, "subscribe")
	}, 20*time.Second, 5*time.Millisecond)
}

// An application whose name means something to SCAN lists its own sessions.
func TestListOfAnOddName(t *testing.T) {
	addr := redistest.Server(t)
	ctx := context.Background()
	for _, layout := range layouts {
		for _, name := range []string{`/a*[b]?\^-`, "/", "/aXbY^-", "App"} {
			stored(t, open(t, addr, redis.Options{App: name, Layout: layout}), anID, "n", 1)
		}
		s := open(t, addr, redis.Options{App: `/a*[b]?\^-`, Layout: layout})
		var ids []string
		require.NoError(t, s.List(ctx, func(i session.Info) bool { ids = append(ids, i.ID); return true }))
		require.Equal(t, []string{anID}, ids)
		require.ErrorIs(t, open(t, addr, redis.Options{App: "/", Layout: layout}).List(done(), nil), context.Canceled)
	}
}

func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
