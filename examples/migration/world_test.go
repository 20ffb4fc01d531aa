package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/aspnet"
	"github.com/aspsession/aspsession/internal/testenv"
	"github.com/aspsession/aspsession/payload"
)

// A world is the whole shop on a loopback port.
type world struct {
	*site
	url    string
	served string // what the legacy half's pages say
	srv    *httptest.Server
}

// worlds are started once, for all tests: ASP.NET takes seconds. TestMain ends
// them.
var worlds = make(map[string]*world)

// worldOf is the shop with its legacy half up.
func worldOf(t *testing.T, mode string) *world {
	if mode == modeASPNET {
		_, missing := aspnet.Find()
		testenv.Need(t, "aspnet", missing == "", missing)
	}
	if worlds[mode] == nil {
		w, err := openWorld(&legacyHalf{mode: mode, start: startASPNET, standIn: startStandIn})
		require.NoError(t, err)
		worlds[mode] = w
	}
	w := worlds[mode]
	w.served = map[string]string{modeASPNET: "ASP.NET on Mono", modeGo: "Go, standing in for ASP.NET"}[mode]
	w.waitFor(t, map[string]string{modeASPNET: up, modeGo: stands}[mode])
	return w
}

// ownWorld is a shop of one test, with whatever it wants for a legacy half.
func ownWorld(t *testing.T, l *legacyHalf) *world {
	w, err := openWorld(l)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.close()) })
	return w
}

func openWorld(l *legacyHalf) (*world, error) {
	s, err := newSite(l)
	if err != nil {
		return nil, err
	}
	srv := httptest.NewServer(s.handler())
	return &world{site: s, url: srv.URL, srv: srv}, nil
}

func (w *world) close() error {
	w.srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(w.site.close(ctx), ctx.Err())
}

func (w *world) waitFor(t *testing.T, state string) health {
	t.Helper()
	var now health
	require.Eventually(t, func() bool {
		now = w.legacy.health()
		return now.State == state || now.State == failed
	}, 3*time.Minute, 5*time.Millisecond)
	require.Equal(t, state, now.State, "%+v", now)
	return now
}

// move has the other half serve a page for the time of the test.
func (w *world) move(t *testing.T, page string, to half) {
	t.Helper()
	before := w.front.routes.lookup(page).Half
	require.NoError(t, w.front.routes.move(page, to))
	t.Cleanup(func() { require.NoError(t, w.front.routes.move(page, before)) })
}

// inBoth runs a test with real ASP.NET pages and with the stand-in.
func inBoth(t *testing.T, test func(t *testing.T, w *world)) {
	for _, mode := range []string{modeGo, modeASPNET} {
		t.Run(mode, func(t *testing.T) { test(t, worldOf(t, mode)) })
	}
}

// A guest is a visitor of a test: a browser that fails it.
type guest struct {
	t *testing.T
	w *world
	*browser
	page *shown
}

func (w *world) guest(t *testing.T) *guest {
	b, err := newBrowser(w.url)
	require.NoError(t, err)
	t.Cleanup(b.client.CloseIdleConnections)
	return &guest{t: t, w: w, browser: b}
}

func (v *guest) get(path string) *shown {
	v.t.Helper()
	p, err := v.browser.get(v.t.Context(), path)
	require.NoError(v.t, err)
	v.page = p
	return p
}

// ok is get of a page that works.
func (v *guest) ok(path string) *shown {
	v.t.Helper()
	p := v.get(path)
	require.Equal(v.t, http.StatusOK, p.Status, "%s: %s", path, p.Body)
	return p
}

func (v *guest) press(label string, inputs ...string) *shown {
	v.t.Helper()
	p, err := v.browser.press(v.t.Context(), v.page, label, inputs...)
	require.NoError(v.t, err)
	v.page = p
	return p
}

func (v *guest) do(req *http.Request) *shown {
	v.t.Helper()
	p, err := v.browser.do(req)
	require.NoError(v.t, err)
	v.page = p
	return p
}

// id is the visitor's session id, as the cookie has it.
func (v *guest) id() string {
	v.t.Helper()
	u, err := url.Parse(v.base)
	require.NoError(v.t, err)
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == cookieName {
			return c.Value
		}
	}
	v.t.Fatal("the visitor has no session cookie")
	return ""
}

// stored is the visitor's session as the store has it.
func (v *guest) stored() *payload.Items {
	v.t.Helper()
	rec, err := (&ledger{Store: v.w.store}).read(v.t.Context(), v.id())
	require.NoError(v.t, err)
	return rec.Payload.Items()
}

// bytesOf are the stored bytes of every item.
func (v *guest) bytesOf() map[string]string {
	v.t.Helper()
	m := make(map[string]string)
	for item := range v.stored().All() {
		m[item.Key] = string(item.Data)
	}
	return m
}
