package benchmarks

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/inproc"
	"github.com/aspsession/aspsession/stores/stateserver"
)

var soak = flag.Duration("soak", 0, "run TestSoak for this long")

// TestSoak sends mixed traffic at full speed for as long as -soak says, and
// prints heap and goroutines on the way: flat is what they should be once the
// first sessions have expired (a minute). New visitors, known ones, every access,
// panics, clients that hang up, early releases, ids in the URL; in memory and on
// a state service.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("needs -soak 10m: by hand")
	}
	before := runtime.NumGoroutine()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	service := stateservice.New(stateservice.Options{})
	go func() { _ = service.Serve(ln) }()
	remote, err := stateserver.New(stateserver.Options{Addr: ln.Addr().String(), AppID: "/LM/W3SVC/1/ROOT"})
	must(err)
	local := inproc.New(inproc.Options{SweepInterval: time.Second})

	var urls []string
	var closers []func()
	for _, store := range []session.Store{local, remote} {
		for _, mode := range []cookieless.Mode{cookieless.UseCookies, cookieless.UseURI} {
			m, err := middleware.New(store, middleware.Options{
				Session: session.Options{Timeout: time.Minute}, Cookieless: cookieless.Options{Mode: mode},
				OnError: func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), 503) },
			})
			must(err)
			server := httptest.NewServer(m.Strip(soakSite(m)))
			server.Config.ErrorLog = nil
			urls = append(urls, server.URL)
			closers = append(closers, func() { server.Close(); must(m.Close(context.Background())) })
		}
	}

	var done, failed atomic.Int64
	ctx, cancel := context.WithTimeout(t.Context(), *soak)
	defer cancel()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for ctx.Err() == nil {
				soakVisit(ctx, urls[rand.N(len(urls))], &done, &failed)
			}
		})
	}
	tick := time.NewTicker(max(*soak/20, time.Second))
	defer tick.Stop()
	for start := time.Now(); ctx.Err() == nil; {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		var mem runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&mem)
		fmt.Printf("%6.0fs  %9d requests  %6d failed  heap %6.1f MiB  sys %6.1f MiB  %4d goroutines\n", time.Since(start).Seconds(),
			done.Load(), failed.Load(), float64(mem.HeapAlloc)/(1<<20), float64(mem.Sys)/(1<<20), runtime.NumGoroutine())
	}
	wg.Wait()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for _, f := range closers {
		f()
	}
	must(local.List(context.Background(), func(i session.Info) bool {
		if !i.Lock.IsZero() {
			t.Errorf("a lock is left, %v old", i.LockAge)
		}
		return true
	}))
	remote.Close()
	service.Close()
	must(local.Close())
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left, %d were there before", n, before)
	}
}

// soakSite has a page of each kind.
func soakSite(m *middleware.Middleware) http.Handler {
	mux := http.NewServeMux()
	count := func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r)
		n, err := session.Value[int](s, "n")
		if err == nil {
			err = s.Set("n", n+1)
		}
		if err == nil {
			err = s.Set("text", values[n%len(values)])
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(page)
	}
	mux.Handle("/write", m.ReadWrite(http.HandlerFunc(count)))
	mux.Handle("/lazy", m.Lazy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rand.N(4) == 0 {
			count(w, r)
			return
		}
		_, _ = w.Write(page)
	})))
	mux.Handle("/read", m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = session.Value[int](middleware.From(r), "n")
		_, _ = w.Write(page)
	})))
	mux.Handle("/none", m.Disabled(bare))
	mux.Handle("/panic", m.ReadWrite(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })))
	mux.Handle("/leave", m.ReadWrite(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = middleware.From(r).Abandon()
		_, _ = w.Write(page)
	})))
	mux.Handle("/login", m.ReadWrite(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = middleware.From(r).Regenerate()
		count(w, r)
	})))
	mux.Handle("/stream", m.ReadWrite(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = middleware.From(r).Set("stream", true)
		if rand.N(2) == 0 {
			_ = middleware.From(r).Release()
		}
		for range 8 {
			_, _ = w.Write(page)
			_ = http.NewResponseController(w).Flush()
		}
	})))
	return mux
}

// soakVisit is one visitor of some pages, who may hang up on any.
func soakVisit(ctx context.Context, site string, done, failed *atomic.Int64) {
	pages := []string{"/write", "/write", "/write", "/lazy", "/lazy", "/read", "/read", "/none", "/panic", "/leave", "/login", "/stream"}
	base := site
	var cookie string
	client := &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error { return http.ErrUseLastResponse }}
	for range 30 {
		call, cancel := ctx, context.CancelFunc(func() {})
		if rand.N(20) == 0 {
			call, cancel = context.WithTimeout(ctx, time.Duration(rand.N(2000))*time.Microsecond)
		}
		r, err := http.NewRequestWithContext(call, "GET", base+pages[rand.N(len(pages))], nil)
		must(err)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		resp, err := client.Do(r)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if c := resp.Cookies(); len(c) > 0 {
				cookie = c[0].Name + "=" + c[0].Value
			}
			if to := resp.Header.Get("Location"); len(to) > 4 && to[:4] == "/(S(" {
				base = site + to[:30]
			}
		}
		cancel()
		if done.Add(1); err != nil || resp.StatusCode >= 400 {
			failed.Add(1)
		}
	}
}
