package main

import (
	"context"
	"log/slog"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// A Request is one kind of request through one library.
type Request struct {
	Library    string  `json:"library"`
	Kind       string  `json:"kind"`
	Conns      int     `json:"conns"`
	PerSecond  float64 `json:"per_second"`
	Allocs     float64 `json:"allocs"`
	RoundTrips float64 `json:"round_trips"`
}

// trips counts what a client sends and waits for.
type trips struct{ n atomic.Int64 }

func (t *trips) DialHook(next goredis.DialHook) goredis.DialHook { return next }
func (t *trips) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error { t.n.Add(1); return next(ctx, cmd) }
}
func (t *trips) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error { t.n.Add(1); return next(ctx, cmds) }
}

// sink throws the page away.
type sink struct{ header http.Header }

func (w *sink) Header() http.Header         { return w.header }
func (w *sink) WriteHeader(int)             {}
func (w *sink) Write(b []byte) (int, error) { return len(b), nil }

var tenItems = func() (items [10][2]string) {
	for i := range items {
		items[i] = [2]string{"item" + string(rune('0'+i)), strings.Repeat("the quick brown fox ", 2)[:20+2*i]}
	}
	return items
}()

// overRedis measures whole requests whose sessions, of ten strings, are in Redis.
func (r *run) overRedis() error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		r.leftOut("requests over Redis: redis-server is not installed")
		return nil
	}
	p, err := startRedis()
	if err != nil {
		return err
	}
	defer p.Stop()
	ctx := context.Background()
	const conns = 16
	page := []byte("hello")
	type side struct {
		library string
		trips   *trips
		read    http.Handler
		write   http.Handler
		cookies [conns]string
	}

	ours := side{library: "aspsession", trips: new(trips)}
	client := goredis.NewClient(&goredis.Options{Addr: p.Addr, PoolSize: 2 * conns, ContextTimeoutEnabled: true})
	defer client.Close()
	client.AddHook(ours.trips)
	store, err := redis.Open(ctx, redis.Options{App: "/", Client: client, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	if err != nil {
		return err
	}
	defer m.Close(ctx)
	fail := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	for i := range ours.cookies {
		id, err := session.StandardIDs{}.New()
		fail(err)
		f := payload.New(20, payload.Limits{})
		for _, item := range tenItems {
			fail(f.Items().Set(item[0], item[1]))
		}
		fail(store.Save(ctx, id, session.Lock{}, f))
		ours.cookies[i] = "ASP.NET_SessionId=" + id
	}
	ours.read = m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := session.Value[string](middleware.From(r), "item3")
		fail(err)
		_, _ = w.Write(page)
	}))
	ours.write = m.ReadWrite(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fail(middleware.From(r).Set("item3", "another value of some length"))
		_, _ = w.Write(page)
	}))

	theirs := side{library: "scs", trips: new(trips)}
	other := goredis.NewClient(&goredis.Options{Addr: p.Addr, PoolSize: 2 * conns})
	defer other.Close()
	other.AddHook(theirs.trips)
	sm := scs.New()
	sm.Store = goredisstore.New(other)
	for i := range theirs.cookies {
		c, err := sm.Load(ctx, "")
		fail(err)
		for _, item := range tenItems {
			sm.Put(c, item[0], item[1])
		}
		token, _, err := sm.Commit(c)
		fail(err)
		theirs.cookies[i] = sm.Cookie.Name + "=" + token
	}
	theirs.read = sm.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = sm.GetString(r.Context(), "item3")
		_, _ = w.Write(page)
	}))
	theirs.write = sm.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sm.Put(r.Context(), "item3", "another value of some length")
		_, _ = w.Write(page)
	}))

	rounds, each := 5, 2*time.Second
	if r.quick {
		rounds, each = 3, 300*time.Millisecond
	}
	for _, kind := range []string{"read", "write"} {
		results := map[string][]Request{}
		for range rounds {
			for _, s := range []*side{&ours, &theirs} {
				h := s.read
				if kind == "write" {
					h = s.write
				}
				results[s.library] = append(results[s.library], drive(s.library, kind, h, s.cookies[:], s.trips, each))
			}
		}
		for _, s := range []*side{&ours, &theirs} {
			all := results[s.library]
			slices.SortFunc(all, func(a, b Request) int { return int(a.PerSecond - b.PerSecond) })
			median := all[len(all)/2]
			r.OverRedis = append(r.OverRedis, median)
			r.say("redis %-5s %2d conns  %-11s %8.0f/s  %5.0f allocs  %.2f round trips", kind, conns, median.Library, median.PerSecond, median.Allocs, median.RoundTrips)
		}
	}
	return nil
}

// drive runs a handler from as many goroutines as there are cookies.
func drive(library, kind string, h http.Handler, cookies []string, t *trips, d time.Duration) Request {
	var before, after runtime.MemStats
	var n atomic.Int64
	var wg sync.WaitGroup
	runtime.ReadMemStats(&before)
	trips := t.n.Load()
	start := time.Now()
	for _, cookie := range cookies {
		wg.Go(func() {
			r, err := http.NewRequest("GET", "http://example.com/", nil)
			if err != nil {
				panic(err)
			}
			r.Header.Set("Cookie", cookie)
			w := &sink{make(http.Header)}
			for time.Since(start) < d {
				clear(w.header)
				h.ServeHTTP(w, r)
				n.Add(1)
			}
		})
	}
	wg.Wait()
	spent := time.Since(start)
	runtime.ReadMemStats(&after)
	done := float64(n.Load())
	return Request{library, kind, len(cookies), done / spent.Seconds(), float64(after.Mallocs-before.Mallocs) / done, float64(t.n.Load()-trips) / done}
}
