package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/inproc"
)

// The truth battery: clients that do what clients do, handlers that do what
// handlers do, two web servers, and counters that must be exact in the end.
func TestTruth(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (first, second session.Store){
		"inproc": func(t *testing.T) (first, second session.Store) {
			s := inproc.New(inproc.Options{})
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s, s
		},
		"bare": func(t *testing.T) (first, second session.Store) {
			s := inproc.New(inproc.Options{})
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return bareStore{s}, bareStore{s}
		},
		"stateserver": func(t *testing.T) (first, second session.Store) {
			addr := stateService(t, stateservice.Options{})
			return stateClient(t, addr, true), stateClient(t, addr, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Run("battery", func(t *testing.T) { testTruth(t, open) }) // its clean-ups are done after it
			goleak.VerifyNone(t, before)
		})
	}
}

const (
	truthClients, truthRequests, truthSessions = 32, 200, 8
)

// A counter is one session and what is known of it.
type counter struct {
	id    string
	truth atomic.Int64 // increments that the store said it has
	tried atomic.Int64
	pages atomic.Int64 // whole pages of an increment that a client got
}

// An attempt is one run of a handler. An increment is acknowledged when Save or
// Release said so, or when the middleware returned normally and told OnError
// nothing: then its Finish succeeded.
type attempt struct {
	counter *counter
	before  int64 // acknowledged when the request came
	pending int64
	failed  bool
	trouble error // that no handler should meet
}

type attemptKey struct{}

func (a *attempt) acknowledge() {
	a.counter.truth.Add(a.pending)
	a.pending = 0
}

func (a *attempt) increment(s *session.Session) error {
	n, err := session.Value[int](s, "n")
	if err == nil && int64(n) < a.before {
		err = fmt.Errorf("a lost update: %d, and %d were acknowledged before", n, a.before)
	}
	if err == nil {
		err = s.Set("n", n+1)
	}
	if err == nil {
		a.counter.tried.Add(1)
		a.pending++
	}
	return err
}

func testTruth(t *testing.T, open func(t *testing.T) (first, second session.Store)) {
	first, second := open(t)
	counters := make([]*counter, truthSessions)
	for i := range counters {
		counters[i] = newCounter(t, first)
	}
	var unexpected errorLog
	var running sync.WaitGroup
	var urls []string
	var closing []func()
	for _, store := range []session.Store{first, second} {
		m := newMiddleware(t, store, middleware.Options{OnError: func(w http.ResponseWriter, r *http.Request, err error) {
			r.Context().Value(attemptKey{}).(*attempt).failed = true
			if !errors.Is(err, context.Canceled) {
				unexpected.onError(w, r, err)
			}
		}})
		routes := http.NewServeMux()
		page := http.HandlerFunc(truthPage)
		routes.Handle("/rw/", m.Wrap(page))
		routes.Handle("/lazy/", m.Lazy(page))
		routes.Handle("/ro/", m.ReadOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := r.Context().Value(attemptKey{}).(*attempt)
			n, err := session.Value[int](middleware.From(r), "n")
			if err != nil || int64(n) < a.before || int64(n) > a.counter.tried.Load() {
				unexpected.onError(w, r, fmt.Errorf("%d is read, when %d to %d is possible: %w", n, a.before, a.counter.tried.Load(), err))
				return
			}
			_, _ = io.WriteString(w, strconv.Itoa(n))
		})))
		routes.Handle("/off/", m.Disabled(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "off") })))
		sv := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Done()
			i, err := strconv.Atoi(r.URL.Query().Get("c"))
			if err != nil {
				panic(err)
			}
			a := &attempt{counter: counters[i], before: counters[i].truth.Load()}
			defer func() {
				if a.trouble != nil && !errors.Is(a.trouble, context.Canceled) {
					unexpected.onError(httptest.NewRecorder(), r, a.trouble)
				}
			}()
			routes.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), attemptKey{}, a)))
			if !a.failed { // and no panic
				a.acknowledge()
			}
		}))
		urls = append(urls, sv.URL)
		closing = append(closing, func() {
			sv.Close()
			running.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			require.NoError(t, m.Close(ctx), "sessions are left open")
		})
	}

	transport := &http.Transport{MaxIdleConnsPerHost: truthClients}
	var clients sync.WaitGroup
	for range truthClients {
		clients.Go(func() {
			for range truthRequests {
				i := rand.N(len(counters))
				if truthRequest(transport, urls[rand.N(2)], i, counters[i].id) {
					counters[i].pages.Add(1)
				}
			}
		})
	}
	clients.Wait()
	transport.CloseIdleConnections()
	for _, c := range closing {
		c()
	}
	require.NoError(t, unexpected.last())
	var acknowledged, tried, pages int64
	for _, c := range counters {
		rec, err := first.Acquire(t.Context(), c.id, time.Minute)
		require.NoError(t, err, "a lock is left")
		require.NoError(t, first.Release(t.Context(), c.id, rec.Lock))
		n, _, err := rec.Payload.Items().Get("n")
		require.NoError(t, err)
		require.EqualValues(t, c.truth.Load(), n, "the counter is not what was acknowledged")
		require.LessOrEqual(t, c.pages.Load(), c.truth.Load(), "a client saw what is not there")
		acknowledged, tried, pages = acknowledged+c.truth.Load(), tried+c.tried.Load(), pages+c.pages.Load()
	}
	if all, ok := first.(session.Lister); ok {
		require.NoError(t, all.List(t.Context(), func(i session.Info) bool {
			require.True(t, i.Lock.IsZero(), "a lock is left, %v old", i.LockAge)
			return true
		}))
	}
	t.Logf("%d increments tried, %d acknowledged, %d seen by clients", tried, acknowledged, pages)
	require.Greater(t, tried, acknowledged, "some must have failed")
	require.Greater(t, pages, int64(0))
}

func newCounter(t *testing.T, store session.Store) *counter {
	t.Helper()
	id, err := session.StandardIDs{}.New()
	require.NoError(t, err)
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("n", 0))
	require.NoError(t, store.Save(t.Context(), id, session.Lock{}, p))
	return &counter{id: id}
}

// What handlers do, by the last part of the path. All but the last two return as
// handlers should.
var truthWays = []string{"plain", "stream", "long", "slow", "release", "save", "late", "unused", "hijack", "panic", "savepanic", "streampanic"}

func truthPage(w http.ResponseWriter, r *http.Request) {
	a := r.Context().Value(attemptKey{}).(*attempt)
	s := middleware.From(r)
	must := func(err error) {
		if err != nil {
			a.trouble = err
			panic(http.ErrAbortHandler)
		}
	}
	flush := func() { _ = http.NewResponseController(w).Flush() }
	switch way := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; way {
	case "plain":
		must(a.increment(s))
	case "stream":
		must(a.increment(s))
		for range 3 {
			_, _ = io.WriteString(w, "part ")
			flush()
		}
	case "long":
		must(a.increment(s))
		_, _ = io.WriteString(w, strings.Repeat("x", 200_000))
	case "slow":
		must(a.increment(s))
		_, _ = io.Copy(io.Discard, r.Body)
	case "release":
		must(a.increment(s))
		must(s.Release())
		a.acknowledge()
		flush()
	case "save", "savepanic":
		must(a.increment(s))
		err := s.Save()
		if err == nil || errors.Is(err, session.ErrChanged) { // saved, whatever another writer did since
			a.acknowledge()
			err = nil
		}
		must(err)
		must(a.increment(s))
		if way == "savepanic" {
			panic(http.ErrAbortHandler)
		}
	case "late":
		_, _ = io.WriteString(w, "begun ")
		flush()
		must(a.increment(s))
	case "unused":
		_, _ = io.WriteString(w, "nothing ")
		return
	case "hijack":
		must(a.increment(s))
		conn, rw, err := http.NewResponseController(w).Hijack()
		must(err)
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone")
		_ = rw.Flush()
		return
	case "panic":
		must(a.increment(s))
		panic(http.ErrAbortHandler)
	case "streampanic":
		must(a.increment(s))
		_, _ = io.WriteString(w, "half ")
		flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, "done")
}

// truthRequest sends one request and reports a whole page of an increment.
func truthRequest(transport *http.Transport, url string, i int, id string) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	way := truthWays[rand.N(len(truthWays))]
	access := []string{"rw", "rw", "rw", "lazy", "lazy", "ro", "off"}[rand.N(7)]
	var body io.Reader
	if way == "slow" {
		body = &slowBody{ctx: ctx, left: 1 + rand.N(3)}
	}
	r, err := http.NewRequestWithContext(ctx, "POST", fmt.Sprintf("%s/%s/%s?c=%d", url, access, way, i), body)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Cookie", cookieName+"="+id)
	if rand.N(5) == 0 {
		timer := time.AfterFunc(rand.N(4*time.Millisecond), cancel)
		defer timer.Stop()
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if rand.N(10) == 0 {
		_, _ = io.CopyN(io.Discard, resp.Body, 5)
		return false // the client is off in mid-stream
	}
	text, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == 200 && strings.HasSuffix(string(text), "done") && (access == "rw" || access == "lazy")
}

// slowBody arrives in parts.
type slowBody struct {
	ctx  context.Context
	left int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	b.left--
	select {
	case <-time.After(time.Millisecond):
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
	return copy(p, "part"), nil
}
