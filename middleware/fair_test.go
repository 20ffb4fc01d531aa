package middleware_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

const (
	waiting = time.Minute // for what must happen
	pause   = time.Millisecond
)

// measured collects what Metrics is told.
type measured struct {
	mu  sync.Mutex
	all []session.Measures
}

func (m *measured) Session(_ context.Context, s session.Measures) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, s)
}

func (m *measured) count(f func(session.Measures) bool) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.all {
		if f(s) {
			n++
		}
	}
	return n
}

// busy keeps requests of one visitor going until stop is called.
func busy(t *testing.T, h http.Handler, writers int) (pages *atomic.Int64, stop func()) {
	pages = new(atomic.Int64)
	var ended atomic.Bool
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for !ended.Load() {
				if w := serve(h, request(anID)); w.Body.String() != "done" {
					t.Errorf("%d %q", w.Code, w.Body)
					return
				}
				pages.Add(1)
			}
		})
	}
	stop = sync.OnceFunc(func() { ended.Store(true); wg.Wait() })
	t.Cleanup(stop)
	return pages, stop
}

// holding is increment by a handler that takes its time: the lock is free for
// moments only.
func holding(w http.ResponseWriter, r *http.Request) {
	time.Sleep(3 * time.Millisecond)
	increment(w, r)
}

// An ASP.NET page looks at a lock every 500 ms. It gets it among writers that
// would always be quicker, on a store that cannot queue waiters.
func TestAPollerIsNotStarved(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 0)
	m := newMiddleware(t, bareStore{store.Store}, middleware.Options{})
	pages, stop := busy(t, m.Wrap(http.HandlerFunc(holding)), 8)
	require.Eventually(t, func() bool { return pages.Load() > 20 }, waiting, pause)
	for round := range 3 {
		time.Sleep(100*time.Millisecond + rand.N(20*time.Millisecond)) // it comes at any moment
		start := time.Now()
		looks := 0
		for {
			rec, err := store.Store.Acquire(t.Context(), anID, time.Minute)
			looks++
			if err == nil {
				require.NoError(t, store.Store.Release(t.Context(), anID, rec.Lock))
				break
			}
			require.ErrorIs(t, err, session.ErrLocked)
			require.Less(t, time.Since(start), 5*time.Second, "starved: %d looks in round %d", looks, round)
			time.Sleep(500 * time.Millisecond) // the page's interval
		}
		t.Logf("%d looks, %v", looks, time.Since(start))
	}
	before := pages.Load()
	require.Eventually(t, func() bool { return pages.Load() > before }, waiting, pause, "the writers go on")
	stop()
	require.EqualValues(t, pages.Load(), store.item(t, "n"))
}

// A reader waits for the holder of the moment, not for the writers in line: at
// the latest when the writers leave air for pollers, if the store wakes nobody.
func TestAReaderPassesQueuedWriters(t *testing.T) {
	for name, open := range map[string]func(*faulty) session.Store{
		"waiter": func(f *faulty) session.Store { return f.Store },
		"bare":   func(f *faulty) session.Store { return bareStore{f.Store} },
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			store.put(t, "n", 0)
			m := newMiddleware(t, open(store), middleware.Options{})
			pages, stop := busy(t, m.Wrap(http.HandlerFunc(holding)), 8)
			require.Eventually(t, func() bool { return pages.Load() > 20 }, waiting, pause)
			for range 3 {
				start, before := time.Now(), pages.Load()
				w := serve(m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, err := middleware.From(r).Get("n")
					require.NoError(t, err)
				})), request(anID))
				require.Equal(t, 200, w.Code)
				t.Logf("after %d writers, %v", pages.Load()-before, time.Since(start))
				require.Less(t, time.Since(start), 10*time.Second, "starved")
			}
			stop()
		})
	}
}

func TestAFullQueueIsTypedAndMeasured(t *testing.T) {
	store := newStore(t)
	store.put(t)
	log, metrics := &errorLog{}, &measured{}
	m := newMiddleware(t, store.Store, middleware.Options{
		OnError: log.onError, Session: session.Options{QueueLimit: 1, Metrics: metrics},
	})
	inside, leave := make(chan bool, 3), make(chan bool)
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inside <- true; <-leave }))
	codes := make(chan int, 3)
	go func() { codes <- serve(h, request(anID)).Code }()
	<-inside
	for range 2 {
		go func() { codes <- serve(h, request(anID)).Code }()
	}
	require.Equal(t, 500, <-codes, "one waits and one is refused")
	require.ErrorIs(t, log.last(), session.ErrQueueFull)
	w := serve(m.ReadOnly(http.HandlerFunc(increment)), canceled(request(anID)))
	require.NotEqual(t, 200, w.Code)
	require.NotErrorIs(t, log.last(), session.ErrQueueFull, "readers are not in line")
	close(leave)
	<-codes
	<-codes
	require.Equal(t, 1, metrics.count(func(s session.Measures) bool { return errors.Is(s.Err, session.ErrQueueFull) }))
	store.requireNoLocks(t)
}

func canceled(r *http.Request) *http.Request {
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	return r.WithContext(ctx)
}

// A lock older than the execution timeout is broken, once, whoever waits; its
// holder is told when he saves.
func TestAnOldLockIsBrokenOnce(t *testing.T) {
	const waiters = 6
	store := newStore(t)
	store.put(t, "n", 1)
	stale, err := store.Store.Acquire(t.Context(), anID, time.Minute)
	require.NoError(t, err)
	metrics, breaks := &measured{}, &breaking{Store: store.Store, lock: stale.Lock}
	var wg sync.WaitGroup
	for range 2 { // two web servers
		m := newMiddleware(t, breaks, middleware.Options{
			Session: session.Options{ExecutionTimeout: time.Second, WaitTimeout: waiting, Metrics: metrics},
		})
		for range waiters / 2 {
			wg.Go(func() {
				w := serve(m.Wrap(http.HandlerFunc(increment)), request(anID))
				require.Equal(t, "done", w.Body.String())
			})
		}
	}
	wg.Wait()
	require.EqualValues(t, 1+waiters, store.item(t, "n"))
	broken := 0
	metrics.count(func(s session.Measures) bool { broken += s.Broken; return false })
	require.GreaterOrEqual(t, broken, 1)
	require.EqualValues(t, 1, breaks.n.Load(), "whoever came second changed nothing")
	require.ErrorIs(t, store.Store.Save(t.Context(), anID, stale.Lock, stale.Payload), session.ErrLockLost)
}

// breaking counts how often a lock was broken.
type breaking struct {
	session.Store
	lock session.Lock
	n    atomic.Int64
}

func (b *breaking) Capabilities() session.Capabilities { return session.Capabilities{} }

func (b *breaking) Release(ctx context.Context, id string, lock session.Lock) error {
	err := b.Store.Release(ctx, id, lock)
	if err == nil && lock == b.lock {
		b.n.Add(1)
	}
	return err
}

// A handler that outlived its lease saves too late: told, counted, and nothing
// of the other's is overwritten.
func TestAStaleSaveIsToldAndCounted(t *testing.T) {
	store := newStore(t)
	store.put(t, "n", 1)
	log, metrics := &errorLog{}, &measured{}
	m := newMiddleware(t, store.Store, middleware.Options{
		OutliveLease: true, OnError: log.onError,
		Session: session.Options{ExecutionTimeout: 500 * time.Millisecond, WaitTimeout: waiting, Metrics: metrics},
	})
	inside, leave := make(chan bool), make(chan bool)
	slow := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, middleware.From(r).Set("n", 100))
		close(inside)
		<-leave
		require.NoError(t, r.Context().Err(), "it may outlive its lease")
		_, _ = io.WriteString(w, "stale page")
	}))
	first := make(chan string)
	go func() {
		w := serve(slow, request(anID))
		first <- w.Body.String()
	}()
	<-inside
	require.Equal(t, "done", serve(m.Wrap(http.HandlerFunc(increment)), request(anID)).Body.String())
	close(leave)
	require.Equal(t, "session trouble\n", <-first)
	require.ErrorIs(t, log.last(), session.ErrLockLost)
	require.EqualValues(t, 1, log.n.Load())
	require.EqualValues(t, 2, store.item(t, "n"))
	require.Equal(t, 1, metrics.count(func(s session.Measures) bool { return errors.Is(s.Err, session.ErrLockLost) }))
	require.Equal(t, 1, metrics.count(func(s session.Measures) bool { return s.Broken == 1 }))
	store.requireNoLocks(t)
}
