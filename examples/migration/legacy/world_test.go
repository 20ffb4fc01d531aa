package legacy_test

import (
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/internal/aspnet"
	"github.com/aspsession/aspsession/internal/testenv"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// The world is a state service, the site on it, and a proxy in front with the
// visitors' host name. The tests share it; each is a visitor of its own.
type theWorld struct {
	service *stateservice.Server
	store   *stateserver.Store
	addr    string // the service's
	app     *aspnet.App
	proxy   *httptest.Server
}

var (
	once  sync.Once
	world theWorld
	wrong error
)

// enter skips where Mono is missing.
func enter(t *testing.T) *theWorld {
	t.Helper()
	_, missing := aspnet.Find()
	testenv.Need(t, "aspnet", missing == "", missing)
	once.Do(func() { wrong = world.start() })
	require.NoError(t, wrong)
	world.app.Watch(t)
	return &world
}

func (w *theWorld) start() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.service = stateservice.New(stateservice.Options{})
	go func() { _ = w.service.Serve(ln) }()
	w.addr = ln.Addr().String()
	if w.store, err = stateserver.New(stateserver.Options{Addr: w.addr, AppID: legacy.AppID, Strict: true}); err != nil {
		return err
	}
	if w.app, err = legacy.Start(w.addr); err != nil {
		return err
	}
	w.proxy = httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		target, err := url.Parse(w.app.URL(""))
		if err != nil {
			panic(err)
		}
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}})
	return nil
}

func (w *theWorld) stop() {
	if w.proxy != nil {
		w.proxy.Close()
	}
	if w.app != nil {
		w.app.Stop()
	}
	if w.store != nil {
		w.store.Close()
	}
	if w.service != nil {
		w.service.Close()
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	world.stop()
	os.Exit(code)
}

// stored is a visitor's session as the state service has it; an error if
// somebody holds its lock.
func (w *theWorld) stored(t *testing.T, b *browser) session.Record {
	t.Helper()
	rec, err := w.store.Get(t.Context(), b.id())
	require.NoError(t, err)
	return rec
}

// set stores an item as the Go half would.
func (w *theWorld) set(t *testing.T, b *browser, key string, value any) {
	t.Helper()
	rec, err := w.store.Acquire(t.Context(), b.id(), 0)
	require.NoError(t, err)
	require.NoError(t, rec.Payload.Items().Set(key, value))
	require.NoError(t, w.store.Save(t.Context(), b.id(), rec.Lock, rec.Payload))
}
