package middleware_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

const cookieName = "ASP.NET_SessionId"

// anID is what a visitor has who came before.
const anID = "2ne4zzc4yrcakgqbxgtomtfb"

// A faulty store counts calls and fails where it is told to.
type faulty struct {
	*inproc.Store
	mu    sync.Mutex
	calls []string
	fail  map[string]error
	slow  time.Duration
}

func newStore(t testing.TB) *faulty {
	s := inproc.New(inproc.Options{SweepInterval: -1})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &faulty{Store: s, fail: map[string]error{}}
}

func (f *faulty) call(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
	return f.fail[name]
}

// took returns the calls since the last time.
func (f *faulty) took() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.calls
	f.calls = nil
	return c
}

func (f *faulty) failOn(call string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[call] = err
}

func (f *faulty) Get(ctx context.Context, id string) (session.Record, error) {
	if err := f.call("Get"); err != nil {
		return session.Record{}, err
	}
	return f.Store.Get(ctx, id)
}

func (f *faulty) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	if err := f.call("Acquire"); err != nil {
		return session.Record{}, err
	}
	time.Sleep(f.slow)
	return f.Store.Acquire(ctx, id, lease)
}

func (f *faulty) Create(ctx context.Context, id string, timeout time.Duration) error {
	if err := f.call("Create"); err != nil {
		return err
	}
	return f.Store.Create(ctx, id, timeout)
}

func (f *faulty) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	if err := f.call("Save"); err != nil {
		return err
	}
	return f.Store.Save(ctx, id, lock, p)
}

func (f *faulty) Checkpoint(ctx context.Context, id string, lock session.Lock, lease time.Duration, p *payload.Payload) (session.Lock, error) {
	if err := f.call("Checkpoint"); err != nil {
		return session.Lock{}, err
	}
	return f.Store.Checkpoint(ctx, id, lock, lease, p)
}

func (f *faulty) Release(ctx context.Context, id string, lock session.Lock) error {
	if err := f.call("Release"); err != nil {
		return err
	}
	return f.Store.Release(ctx, id, lock)
}

func (f *faulty) Remove(ctx context.Context, id string, lock session.Lock) error {
	if err := f.call("Remove"); err != nil {
		return err
	}
	return f.Store.Remove(ctx, id, lock)
}

func (f *faulty) Touch(ctx context.Context, id string) error {
	if err := f.call("Touch"); err != nil {
		return err
	}
	return f.Store.Touch(ctx, id)
}

// put stores a session for anID.
func (f *faulty) put(t testing.TB, items ...any) {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	for i := 0; i < len(items); i += 2 {
		require.NoError(t, p.Items().Set(items[i].(string), items[i+1]))
	}
	data, err := p.Append(nil)
	require.NoError(t, err)
	require.NoError(t, f.Load(anID, data))
}

// item reads an item of anID as the store has it; nil where there is none.
func (f *faulty) item(t testing.TB, key string) any {
	t.Helper()
	data, ok := f.Bytes(anID)
	if !ok {
		return nil
	}
	p, err := payload.Open(data, payload.Limits{})
	require.NoError(t, err)
	v, _, err := p.Items().Get(key)
	require.NoError(t, err)
	return v
}

// requireNoLocks asserts that nobody holds anything in the store.
func (f *faulty) requireNoLocks(t testing.TB) {
	t.Helper()
	require.NoError(t, f.List(context.Background(), func(i session.Info) bool {
		require.True(t, i.Lock.IsZero(), "a lock is left, %v old", i.LockAge)
		return true
	}))
}

func (f *faulty) sessions() (n int) {
	_ = f.List(context.Background(), func(session.Info) bool { n++; return true })
	return n
}

func newMiddleware(t testing.TB, s session.Store, opt middleware.Options) *middleware.Middleware {
	t.Helper()
	m, err := middleware.New(s, opt)
	require.NoError(t, err)
	return m
}

func request(id string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	if id != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: id})
	}
	return r
}

// serve runs one request through a handler.
func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// increment is the page that all counters count with.
func increment(w http.ResponseWriter, r *http.Request) {
	s := middleware.From(r)
	n, err := session.Value[int](s, "n")
	if err == nil {
		err = s.Set("n", n+1)
	}
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	_, _ = io.WriteString(w, "done")
}

// A server is a real one on loopback, with the panics that net/http swallows.
func server(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func fetch(t testing.TB, s *httptest.Server, path, id string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest("GET", s.URL+path, nil)
	require.NoError(t, err)
	if id != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: id})
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

var errDisk = errors.New("the disk is full")

// errorLog collects what OnError is told.
type errorLog struct {
	n    atomic.Int64
	mu   sync.Mutex
	errs []error
}

func (l *errorLog) onError(w http.ResponseWriter, _ *http.Request, err error) {
	l.n.Add(1)
	l.mu.Lock()
	l.errs = append(l.errs, err)
	l.mu.Unlock()
	http.Error(w, "session trouble", http.StatusInternalServerError)
}

func (l *errorLog) last() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errs) == 0 {
		return nil
	}
	return l.errs[len(l.errs)-1]
}
