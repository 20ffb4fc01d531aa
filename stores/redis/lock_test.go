package redis_test

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// stored makes a session of one item and returns the store.
func stored(t testing.TB, s *redis.Store, id string, items ...any) {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	for i := 0; i < len(items); i += 2 {
		require.NoError(t, p.Items().Set(items[i].(string), items[i+1]))
	}
	require.NoError(t, s.Save(context.Background(), id, session.Lock{}, p))
}

// The age that the provider computes of our lock, in whatever zone its server's
// clock is: never enough to break it. It must be a DateTime at all.
func TestLockIDsInEveryZone(t *testing.T) {
	s := open(t, redistest.Server(t), redis.Options{})
	ctx := context.Background()
	stored(t, s, anID, "n", 1)
	seen := map[string]bool{}
	for range 200 {
		rec, err := s.Acquire(ctx, anID, time.Minute)
		require.NoError(t, err)
		require.NoError(t, s.Release(ctx, anID, rec.Lock))
		id := rec.Lock.Text()
		require.False(t, seen[id])
		seen[id] = true
		ticks, err := strconv.ParseInt(id, 10, 64)
		require.NoError(t, err)
		require.Less(t, ticks, int64(3155378975999999999), "DateTime.MaxValue")
		for zone := -12 * time.Hour; zone <= 14*time.Hour; zone += 15 * time.Minute {
			for _, later := range []time.Duration{0, time.Minute, 9 * time.Hour} {
				local := 621_355_968_000_000_000 + (time.Now().Add(later+zone).UnixNano())/100
				require.Less(t, time.Duration(local-ticks)*100, 110*time.Second)
			}
		}
	}
}

// A page's lock, in ticks of any zone: its age comes from the life that it has
// left, and a lock without an end is broken.
func TestPagesLocks(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		s := open(t, addr, redis.Options{Layout: layout})
		stored(t, s, anID, "n", 1)
		for _, id := range []string{"639307952393805480", "1", "9223372036854775807", "not a number"} {
			require.NoError(t, client.Set(ctx, lockKey(layout), id, 70*time.Second).Err())
			for _, try := range []func() error{
				func() error { _, err := s.Acquire(ctx, anID, time.Minute); return err },
				func() error { _, err := s.Get(ctx, anID); return err },
				func() error { return s.Remove(ctx, anID, session.Lock{}) },
			} {
				var locked *session.LockedError
				require.ErrorAs(t, try(), &locked)
				require.Equal(t, id, locked.Holder.Text())
				require.InDelta(t, 40, locked.Age.Seconds(), 5)
			}
			require.NoError(t, s.Release(ctx, anID, session.TextLock(id)), "broken with its own token")
		}
		require.NoError(t, client.Set(ctx, lockKey(layout), "639307952393805480", 0).Err())
		m, err := session.NewManager(s, session.Options{})
		require.NoError(t, err)
		open, err := m.Open(ctx, anID, session.ReadWrite)
		require.NoError(t, err, "a lock that nothing ends is broken")
		require.NoError(t, m.Finish(open))
	}
}

// An acquire that the server granted and whose reply was lost is sent again by
// the client, and is no lock of somebody else's.
func TestLostReplyOfAnAcquire(t *testing.T) {
	p := newProxy(t, redistest.Server(t))
	s := open(t, p.addr(), redis.Options{Redis: goredis.UniversalOptions{Addrs: []string{p.addr()}, MinRetryBackoff: time.Millisecond}})
	ctx := context.Background()
	stored(t, s, anID, "n", 1)
	rec, err := s.Acquire(ctx, anID, time.Minute) // the script is known from now on
	require.NoError(t, err)
	require.NoError(t, s.Release(ctx, anID, rec.Lock))

	p.loseNextReply()
	rec, err = s.Acquire(ctx, anID, time.Minute)
	require.NoError(t, err)
	require.EqualValues(t, 1, p.lost.Load())
	require.NoError(t, rec.Payload.Items().Set("n", 2))
	require.NoError(t, s.Save(ctx, anID, rec.Lock, rec.Payload))
}

// A waiter on a Go handler's lock makes no calls while it waits and returns with
// the release, also by Save and Remove; on a page's lock it looks for itself.
func TestWait(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			count := &counter{}
			waiting := open(t, addr, redis.Options{Layout: layout, Client: count.client(t, addr)})
			other := open(t, addr, redis.Options{Layout: layout})
			for name, end := range map[string]func(rec session.Record) error{
				"release": func(rec session.Record) error { return other.Release(ctx, anID, rec.Lock) },
				"save":    func(rec session.Record) error { return other.Save(ctx, anID, rec.Lock, rec.Payload) },
				"remove":  func(rec session.Record) error { return other.Remove(ctx, anID, rec.Lock) },
				"a page":  func(rec session.Record) error { return client.Del(ctx, lockKey(layout)).Err() },
			} {
				require.NoError(t, client.FlushDB(ctx).Err())
				stored(t, other, anID, "n", 1)
				rec, err := other.Acquire(ctx, anID, time.Minute)
				require.NoError(t, err)
				page := name == "a page"
				waiting := waiting
				if page {
					// No subscription of the case before, which a late message could wake.
					waiting = open(t, addr, redis.Options{Layout: layout, Client: count.client(t, addr)})
					rec.Lock = session.TextLock("639307952393805480")
					require.NoError(t, client.Set(ctx, lockKey(layout), rec.Lock.Text(), time.Minute).Err())
				}
				before := count.gets.Load()
				done := make(chan error, 1)
				go func() {
					ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
					defer cancel()
					done <- waiting.Wait(ctx, anID, rec.Lock, time.Hour)
				}()
				if page {
					require.Eventually(t, func() bool { return count.gets.Load() > before+3 }, 20*time.Second, time.Millisecond)
				} else {
					require.Eventually(t, func() bool { return count.gets.Load() > before }, 20*time.Second, time.Millisecond)
				}
				require.NoError(t, end(rec))
				require.NoError(t, <-done, name)
				if !page {
					require.EqualValues(t, before+1, count.gets.Load(), "%s: one look, once the subscription stands", name)
				}
			}
		})
	}
}

// Many waiters for many sessions share one connection, come and go; nothing of
// it stays after Close.
func TestWaitersShareAConnection(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	s, other := open(t, addr, redis.Options{}), open(t, addr, redis.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		id := anID + strconv.Itoa(i)
		stored(t, other, id, "n", 1)
		for range 4 {
			wg.Go(func() {
				for range 25 {
					rec, err := other.Acquire(ctx, id, time.Minute)
					if locked, ok := err.(interface{ Unwrap() error }); ok && locked != nil {
						if err := s.Wait(ctx, id, session.TextLock("x"), time.Second); err != nil {
							t.Error(err)
						}
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					waited := make(chan error, 2)
					for range 2 {
						go func() { waited <- s.Wait(ctx, id, rec.Lock, time.Minute) }()
					}
					if err := other.Release(ctx, id, rec.Lock); err != nil {
						t.Error(err)
					}
					for range 2 {
						if err := <-waited; err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
	}
	wg.Wait()
	subscribers := func() int {
		list, err := client.ClientList(ctx).Result()
		require.NoError(t, err)
		return strings.Count(list, "cmd=subscribe") + strings.Count(list, "cmd=unsubscribe")
	}
	require.LessOrEqual(t, subscribers(), 1)
	require.Eventually(t, func() bool { return len(client.PubSubChannels(ctx, "*").Val()) == 0 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, s.Close())
	require.Eventually(t, func() bool { return subscribers() == 0 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, s.Close())
}

// When the connection of the subscriptions breaks, its waiters look for
// themselves, and later ones are woken as before.
func TestBrokenSubscriptions(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	s := open(t, addr, redis.Options{})
	stored(t, s, anID, "n", 1)
	subscribed := func() bool { return len(client.PubSubChannels(ctx, "*").Val()) == 1 }
	for range 3 {
		rec, err := s.Acquire(ctx, anID, time.Minute)
		require.NoError(t, err)
		wait := func() chan error {
			done := make(chan error, 1)
			go func() { done <- s.Wait(ctx, anID, rec.Lock, time.Minute) }()
			require.Eventually(t, subscribed, 20*time.Second, time.Millisecond)
			return done
		}
		done := wait()
		require.NoError(t, client.Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub").Err())
		require.NoError(t, <-done)
		done = wait()
		require.NoError(t, s.Release(ctx, anID, rec.Lock))
		require.NoError(t, <-done)
	}
}

// A user without rights on channels: sessions work, waiters poll, one line says
// so.
func TestWithoutChannelRights(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	require.NoError(t, client.Do(ctx, "ACL", "SETUSER", "web", "on", ">pw", "resetchannels", "~{MyApp_*", "+@all").Err())
	var log lockedLog
	opt := redis.Options{
		Redis:  goredis.UniversalOptions{Addrs: []string{addr}, Username: "web", Password: "pw"},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	s := open(t, addr, opt)
	stored(t, s, anID, "n", 1)
	for range 3 {
		rec, err := s.Acquire(ctx, anID, time.Minute)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- s.Wait(ctx, anID, rec.Lock, time.Minute) }()
		require.NoError(t, s.Release(ctx, anID, rec.Lock))
		require.NoError(t, <-done)
	}
	require.Equal(t, 1, strings.Count(log.String(), "waiters poll"), log.String())
	require.NotContains(t, log.String(), anID)

	// The rights that the package's comment lists are enough, and no more needed.
	require.NoError(t, client.Do(ctx, append([]any{"ACL", "SETUSER", "least", "on", ">pw", "resetchannels", "&{MyApp_*", "~{MyApp_*", "~MyApp_*", "-@all"}, leastRights...)...).Err())
	log.reset()
	opt.Redis.Username = "least"
	for _, layout := range []redis.Layout{redis.LayoutC, redis.LayoutB} {
		opt.Layout = layout
		s = open(t, addr, opt)
		id := anID + layout.String()
		require.NoError(t, s.Create(ctx, id, time.Minute))
		rec, err := s.Acquire(ctx, id, time.Minute)
		require.NoError(t, err)
		require.NoError(t, rec.Payload.Items().Set("n", 1))
		lock, err := s.Checkpoint(ctx, id, rec.Lock, time.Minute, rec.Payload)
		require.NoError(t, err)
		rec.Payload.Items().Clear()
		require.NoError(t, s.Renew(ctx, id, lock, time.Minute))
		done := make(chan error, 1)
		go func() { done <- s.Wait(ctx, id, lock, time.Minute) }()
		require.NoError(t, s.Save(ctx, id, lock, rec.Payload))
		require.NoError(t, <-done)
		require.NoError(t, s.Touch(ctx, id))
		_, err = s.Get(ctx, id)
		require.NoError(t, err)
		_, err = s.Detect(ctx, id)
		require.NoError(t, err)
		require.NoError(t, s.List(ctx, func(session.Info) bool { return true }))
		require.NoError(t, s.Remove(ctx, id, session.Lock{}))
	}
	require.Empty(t, log.String())
}

var leastRights = []any{
	"+eval", "+evalsha", "+get", "+set", "+getrange", "+strlen", "+exists", "+del", "+expire", "+pttl", "+type", "+scan",
	"+hget", "+hset", "+hdel", "+hgetall", "+hlen", "+hkeys", "+hexists",
	"+publish", "+subscribe", "+unsubscribe", "+hello", "+auth", "+select", "+ping", "+client|setname",
}

// A lockedLog is a log that goroutines write.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}
