package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/interop"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

const appID = "/LM/W3SVC/1/ROOT"

// A world is a state service and, on it, two ASP.NET applications, two Go sites
// and the Go side of this process. Tests share one and run one after the other;
// each is a visitor of its own.
type world struct {
	compress bool

	once    sync.Once
	err     error
	service *stateservice.Server
	tap     *tap
	a, b    *interop.App
	g, h    *goSite
	store   *stateserver.Store
	m       *middleware.Middleware
}

var (
	plain      = &world{}
	compressed = &world{compress: true}
	worlds     = []*world{plain, compressed}
)

// enter returns a world, which is made when the first test needs it.
func enter(t *testing.T, w *world) *world {
	t.Helper()
	rig := interop.Build(t)
	w.once.Do(func() { w.err = w.start(rig) })
	require.NoError(t, w.err)
	w.a.Watch(t)
	w.b.Watch(t)
	return w
}

// each runs a test in both worlds, without and with compression.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	interop.Build(t) // skips all of it, not each
	t.Run("plain", func(t *testing.T) { test(t, enter(t, plain)) })
	t.Run("compressed", func(t *testing.T) { test(t, enter(t, compressed)) })
}

func (w *world) start(rig *interop.Rig) (err error) {
	if err := w.serve("127.0.0.1:0"); err != nil {
		return err
	}
	if w.store, err = stateserver.New(stateserver.Options{Addr: w.addr(), AppID: appID, Compress: w.compress}); err != nil {
		return err
	}
	if w.m, err = middleware.New(w.store, middleware.Options{}); err != nil {
		return err
	}
	var wg sync.WaitGroup
	var errs [4]error
	opt := interop.AppOptions{Server: w.addr(), AppID: appID, Compress: w.compress}
	wg.Go(func() { w.a, errs[0] = rig.NewApp(opt) })
	wg.Go(func() { w.b, errs[1] = rig.NewApp(opt) })
	goOpt := goSiteOptions{Server: w.addr(), Compress: w.compress}
	wg.Go(func() { w.g, errs[2] = newGoSite(goOpt) })
	wg.Go(func() { w.h, errs[3] = newGoSite(goOpt) })
	wg.Wait()
	return errors.Join(errs[:]...)
}

// serve starts a state service with nothing in it.
func (w *world) serve(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	w.tap = &tap{Listener: ln, seen: make(map[call]int)}
	w.service = stateservice.New(stateservice.Options{})
	go func(s *stateservice.Server, ln net.Listener) { _ = s.Serve(ln) }(w.service, w.tap)
	return nil
}

func (w *world) addr() string { return w.tap.Addr().String() }

func (w *world) stop() {
	for _, app := range []*interop.App{w.a, w.b} {
		if app != nil {
			app.Stop()
		}
	}
	for _, site := range []*goSite{w.g, w.h} {
		if site != nil {
			site.kill()
		}
	}
	if w.store != nil {
		w.store.Close()
	}
	if w.service != nil {
		w.service.Close()
	}
}

// A goPage is a handler of the Go side. What it returns is the page.
type goPage func(ctx context.Context, s *session.Session) (string, error)

// page serves a goPage and returns its address.
func (w *world) page(t *testing.T, access session.Access, page goPage) string {
	return w.pageOn(t, w.m, access, page)
}

func (w *world) pageOn(t *testing.T, m *middleware.Middleware, access session.Access, page goPage) string {
	return listen(t, wrap(m, access, func(r *http.Request, s *session.Session) (string, error) { return page(r.Context(), s) }))
}

// wrap makes a handler of what returns a page.
func wrap(m *middleware.Middleware, access session.Access, page func(r *http.Request, s *session.Session) (string, error)) http.Handler {
	wrap := map[session.Access]func(http.Handler) http.Handler{
		session.ReadWrite: m.ReadWrite, session.ReadOnly: m.ReadOnly, session.Disabled: m.Disabled,
	}[access]
	return wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text, err := page(r, middleware.From(r))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(rw, text)
	}))
}

// listen serves a handler until the test ends.
func listen(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections() // where a test failed, a handler may still wait
		s.Close()
	})
	return s.URL
}

// increment is what slow.aspx does, in Go.
func increment(_ context.Context, s *session.Session) (string, error) {
	n, err := session.Value[int](s, "n")
	if err != nil {
		return "", err
	}
	return fmt.Sprint(n + 1), s.Set("n", n+1)
}

// eventually waits for what must come, however slow the machine.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never happened: " + what)
		}
	}
}
