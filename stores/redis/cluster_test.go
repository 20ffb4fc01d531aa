package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/storetest"
)

// A connection string is all that a store needs: what is behind it, TLS and the
// database number included, it finds out.
func TestTLSAndDatabase(t *testing.T) {
	addr, config := redistest.TLSServer(t)
	o, _, err := redis.ParseConnectionString(addr + ",ssl=true,defaultDatabase=5")
	require.NoError(t, err)
	o.TLSConfig.RootCAs = config.RootCAs
	s := open(t, "", redis.Options{Redis: o})
	stored(t, s, anID, "n", 1)
	o.DB = 0
	_, err = open(t, "", redis.Options{Redis: o}).Get(context.Background(), anID)
	require.ErrorIs(t, err, session.ErrNotFound)
	o.TLSConfig = nil
	o.DialerRetries, o.MaxRetries = 1, -1
	_, err = redis.Open(context.Background(), redis.Options{App: app, Redis: o, Logger: quiet})
	require.ErrorIs(t, err, session.ErrUnavailable)
}

func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.Cluster(t)
	ctx := context.Background()
	one := goredis.UniversalOptions{Addrs: cluster.Addrs()[4:5]} // a replica's address will do
	direct := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: cluster.Addrs()})
	t.Cleanup(func() { _ = direct.Close() })
	masters := func(f func(ctx context.Context, c *goredis.Client) error) {
		t.Helper()
		require.NoError(t, direct.ForEachMaster(ctx, f))
	}

	t.Run("layout A is refused", func(t *testing.T) {
		_, err := redis.Open(ctx, redis.Options{App: app, Layout: redis.LayoutA, Redis: one, Logger: quiet})
		require.ErrorIs(t, err, redis.ErrCrossSlot)
		require.ErrorIs(t, err, session.ErrUnsupported)
	})
	t.Run("database", func(t *testing.T) {
		other := one
		other.DB = 1
		_, err := redis.Open(ctx, redis.Options{App: app, Redis: other, Logger: quiet})
		require.ErrorContains(t, err, "database")
	})
	for _, layout := range []redis.Layout{redis.LayoutC, redis.LayoutB} {
		t.Run("life cycle/"+layout.String(), func(t *testing.T) { lifeCycle(t, "", redis.Options{Layout: layout, Redis: one}) })
		t.Run("storetest/"+layout.String(), func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Harness {
				opt := redis.Options{Layout: layout, Redis: one}
				masters(func(ctx context.Context, c *goredis.Client) error { return c.FlushAll(ctx).Err() })
				return storetest.Harness{Store: open(t, "", opt), Second: open(t, "", opt), Advance: func(d time.Duration) {
					var mu sync.Mutex
					masters(func(ctx context.Context, c *goredis.Client) error {
						mu.Lock()
						defer mu.Unlock()
						age(t, c, d)
						return nil
					})
				}}
			})
		})
	}
	t.Run("list", func(t *testing.T) {
		masters(func(ctx context.Context, c *goredis.Client) error { return c.FlushAll(ctx).Err() })
		s := open(t, "", redis.Options{Redis: one, ReadFallback: true})
		for i := range 1000 {
			stored(t, s, fmt.Sprintf("%s%d", anID, i), "n", i)
		}
		seen := map[string]bool{}
		require.NoError(t, s.List(ctx, func(i session.Info) bool { seen[i.ID] = true; return true }))
		require.Len(t, seen, 1000, "of all masters")
		n := 0
		require.NoError(t, s.List(ctx, func(session.Info) bool { n++; return n < 10 }))
		require.Equal(t, 10, n)
		_, err := s.Get(ctx, "nobody")
		require.ErrorIs(t, err, session.ErrNotFound, "the fallback leaves layout A out")
	})
	t.Run("fail-over", func(t *testing.T) {
		s := func() *redis.Store { return open(t, "", redis.Options{Redis: one}) }
		failOver(t, s(), s(), func(id string) {
			key := "{" + app + "_" + id + "}_WriteLock"
			owner, err := direct.MasterForKey(ctx, key)
			require.NoError(t, err)
			cluster.Node(owner.Options().Addr).Kill()
		}, func(ctx context.Context, key string) (time.Duration, error) {
			direct.ReloadState(ctx)
			return direct.PTTL(ctx, key).Result()
		})
	})
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	group := redistest.Sentinel(t)
	// Not told that these are Sentinels, nor of what.
	o := goredis.UniversalOptions{Addrs: group.Sentinels}
	failover := goredis.NewFailoverClient(&goredis.FailoverOptions{MasterName: group.MasterName, SentinelAddrs: group.Sentinels})
	t.Cleanup(func() { _ = failover.Close() })
	for _, layout := range layouts {
		t.Run("life cycle/"+layout.String(), func(t *testing.T) { lifeCycle(t, "", redis.Options{Layout: layout, Redis: o}) })
		t.Run("storetest/"+layout.String(), func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Harness {
				require.NoError(t, failover.FlushAll(context.Background()).Err())
				opt := redis.Options{Layout: layout, Redis: o}
				named := opt
				named.Redis.MasterName = group.MasterName
				return storetest.Harness{Store: open(t, "", opt), Second: open(t, "", named), Advance: func(d time.Duration) { age(t, failover, d) }}
			})
		})
	}
	t.Run("fail-over", func(t *testing.T) {
		s := func() *redis.Store { return open(t, "", redis.Options{Redis: o}) }
		failOver(t, s(), s(), func(string) { group.Master.Kill() },
			func(ctx context.Context, key string) (time.Duration, error) { return failover.PTTL(ctx, key).Result() })
	})
	t.Run("which master", func(t *testing.T) {
		host, port, err := net.SplitHostPort(group.Replica.Addr)
		require.NoError(t, err)
		for _, addr := range group.Sentinels {
			require.NoError(t, redistest.Client(t, addr).Do(context.Background(), "SENTINEL", "MONITOR", "second", host, port, 2).Err())
		}
		_, err = redis.Open(context.Background(), redis.Options{App: app, Redis: o, Logger: quiet})
		require.ErrorIs(t, err, session.ErrUnavailable)
		require.ErrorContains(t, err, `["second" "sessions"]; set MasterName`)
	})
}

// failOver counts with many workers while the master is killed. Calls may fail;
// those that succeeded are counted, and what is missing of them in the end was
// lost by Redis, which acknowledges a write before its replica has it. What a
// failed call did is not known, so the counter may also be ahead of what was
// acknowledged, by at most the number of failed saves. A lock that was taken on
// the dead master ends with its TTL.
func failOver(t *testing.T, a, b *redis.Store, kill func(id string), pttl func(ctx context.Context, key string) (time.Duration, error)) {
	const workers, lease = 6, 3 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	stored(t, a, anID, "n", 0)
	var acked, failed, unsure atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range workers {
		s := a
		if i%2 == 1 {
			s = b
		}
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				call, cancel := context.WithTimeout(ctx, time.Second)
				sure, err := countOnce(call, s, lease)
				cancel()
				if err == nil {
					acked.Add(1)
					continue
				}
				if locked := errors.Is(err, session.ErrLocked); !locked {
					failed.Add(1)
					if !sure {
						unsure.Add(1)
					}
				}
				time.Sleep(rand.N(20 * time.Millisecond))
			}
		})
	}
	require.Eventually(t, func() bool { return acked.Load() > 100 }, time.Minute, time.Millisecond)
	kill(anID)
	before := acked.Load()
	// A new master takes over, and it goes on.
	require.Eventually(t, func() bool { return acked.Load() > before+100 }, 90*time.Second, 5*time.Millisecond, "no progress after the fail-over")
	close(stop)
	wg.Wait()

	var value int
	require.Eventually(t, func() bool {
		rec, err := a.Get(ctx, anID)
		if err != nil {
			require.NotErrorIs(t, err, session.ErrBadData)
			return false
		}
		value, err = payload.Value[int](rec.Payload.Items(), "n")
		return err == nil
	}, 10*lease, 20*time.Millisecond, "a lock outlives its TTL")
	require.Eventually(t, func() bool { // this client, too, must find the new master
		left, err := pttl(ctx, "{"+app+"_"+anID+"}_WriteLock")
		return err == nil && left <= lease
	}, 30*time.Second, 20*time.Millisecond)
	require.LessOrEqual(t, int64(value), acked.Load()+unsure.Load(), "an update was done twice")
	lost := max(acked.Load()-int64(value), 0)
	t.Logf("%d updates acknowledged, counter %d: %d acknowledged and lost (written to the old master, not yet to its replica); %d calls failed, %d of them may have been done",
		acked.Load(), value, lost, failed.Load(), unsure.Load())
	// Losing is bounded: what was acknowledged after the fail-over stands.
	require.GreaterOrEqual(t, int64(value), int64(100))
}

// What a fail-over loses, made to happen: the replica stops hearing of the
// master, which goes on to acknowledge, and dies. Redis promises no more. The
// lock that died with the master is told as lost, and what was saved before stays.
func TestAcknowledgedAndLost(t *testing.T) {
	ctx := context.Background()
	master := redistest.Start(t, redistest.Binary(t, "redis"))
	link := newProxy(t, master.Addr)
	host, port, err := net.SplitHostPort(link.addr())
	require.NoError(t, err)
	replica := redistest.Server(t, "--replicaof", host, port)
	old, next := redistest.Client(t, master.Addr), redistest.Client(t, replica)
	synced := func() bool {
		return old.Get(ctx, dataKey(redis.LayoutC)).Val() == next.Get(ctx, dataKey(redis.LayoutC)).Val()
	}

	var current atomic.Value // the address that the fail-over moves
	current.Store(master.Addr)
	client := goredis.NewClient(&goredis.Options{ContextTimeoutEnabled: true, DialerRetries: 1, Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, current.Load().(string))
	}})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s := open(t, "", redis.Options{Client: client})
	stored(t, s, anID, "n", 0)
	const heard, acked = 5, 12
	count := func() {
		_, err := countOnce(ctx, s, time.Minute)
		require.NoError(t, err)
	}
	for range heard {
		count()
	}
	require.Eventually(t, func() bool {
		return next.Exists(ctx, dataKey(redis.LayoutC)).Val() == 1 && synced() && next.Exists(ctx, lockKey(redis.LayoutC)).Val() == 0
	}, 30*time.Second, 5*time.Millisecond)
	link.cut.Store(true)
	for range acked - heard {
		count()
	}
	rec, err := s.Acquire(ctx, anID, time.Minute)
	require.NoError(t, err)
	master.Kill()
	require.NoError(t, next.Do(ctx, "REPLICAOF", "NO", "ONE").Err())
	current.Store(replica)

	require.NoError(t, rec.Payload.Items().Set("n", 1000))
	require.ErrorIs(t, s.Save(ctx, anID, rec.Lock, rec.Payload), session.ErrLockLost)
	got, err := s.Get(ctx, anID)
	require.NoError(t, err)
	value, err := payload.Value[int](got.Payload.Items(), "n")
	require.NoError(t, err)
	require.Equal(t, heard, value)
	t.Logf("%d acknowledged, %d of them lost with the master", acked, acked-value)
}

// countOnce adds one under the lock. sure says that nothing was stored where it
// fails.
func countOnce(ctx context.Context, s *redis.Store, lease time.Duration) (sure bool, err error) {
	rec, err := s.Acquire(ctx, anID, lease)
	if err != nil {
		if locked, ok := errors.AsType[*session.LockedError](err); ok {
			return true, errors.Join(err, s.Wait(ctx, anID, locked.Holder, 500*time.Millisecond))
		}
		return true, err
	}
	v, err := payload.Value[int](rec.Payload.Items(), "n")
	if err == nil {
		err = rec.Payload.Items().Set("n", v+1)
	}
	if err != nil {
		return true, err
	}
	err = s.Save(ctx, anID, rec.Lock, rec.Payload)
	return errors.Is(err, session.ErrGone), err
}
