package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/examples/migration/legacy"
	"github.com/aspsession/aspsession/session"
)

// A fake is a web server that does what a test wants.
type fake struct {
	base    string
	printed string
	ended   chan struct{}
	once    sync.Once
}

func newFake(base string) *fake { return &fake{base: base, ended: make(chan struct{})} }

func (f *fake) URL(page string) string { return f.base + "/" + page }
func (f *fake) Ended() <-chan struct{} { return f.ended }
func (f *fake) Printed() string        { return f.printed }
func (f *fake) Stop()                  { f.once.Do(func() { close(f.ended) }) }

func TestLegacyHalfThatDoesNotStart(t *testing.T) {
	// What Start says of a web server that ends at once, made by one that does.
	printed, err := exec.Command("/bin/sh", "-c", `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo "line $i <b>"; done; exit 3`).Output()
	require.NoError(t, errors.Join(onlyExit(err)))
	for name, row := range map[string]struct {
		err                    error
		reason, advice, output string
	}{
		"it ends":    {fmt.Errorf("legacy: the site does not start: %w", fmt.Errorf("aspnet: xsp4 ended; it printed:\n%s", printed)), "xsp4 ended", "try again", "line 13 <b>"},
		"a port":     {errors.New("aspnet: xsp4 ended; it printed:\nError: the address 127.0.0.1:80 is already in use"), "xsp4 ended", "another port is chosen", "already in use"},
		"no Mono":    {fmt.Errorf("legacy: %w: install the Debian packages", legacy.ErrNoMono), "need Mono", "mono-complete and mono-xsp4", ""},
		"a compiler": {errors.New("legacy: the site does not compile: aspnet: mcs: exit status 1\nCart.cs(3,1): error CS1002"), "exit status 1", "-legacy go", "CS1002"},
		"hostile":    {errors.New("<script>alert(1)</script>; it printed:\n</pre><img src=x>"), "<script>alert(1)</script>", "try again", "</pre><img src=x>"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ownWorld(t, &legacyHalf{mode: modeASPNET, standIn: startStandIn, start: func(string) (server, error) { return nil, row.err }})
			w.waitFor(t, failed)
			v := w.guest(t)
			v.ok("/")
			require.Equal(t, failed, v.page.Fields["legacy state"])
			require.Contains(t, v.page.Fields["reason"], row.reason)
			require.Contains(t, v.page.Fields["advice"], row.advice)
			require.Contains(t, v.page.Fields["printed"], row.output)
			require.NotContains(t, v.page.Fields["printed"], "line 1 <b>", "the last lines only")
			require.NotContains(t, v.page.Body, "<img")
			require.NotContains(t, v.page.Body, "<script")

			require.Equal(t, http.StatusServiceUnavailable, v.get("/catalogue.aspx").Status)
			require.Contains(t, v.page.Fields["headline"], "is down")
			require.Contains(t, v.page.Body, `href="/"`)
			require.Equal(t, http.StatusServiceUnavailable, v.get("/cart.aspx").Status, "a first visit needs Session_Start")
			require.Contains(t, v.page.Fields["headline"], "cannot begin yet")
			require.Contains(t, v.ok("/bytes").Body, "no session yet", "and nothing is left of it")
		})
	}
}

func onlyExit(err error) error {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil
	}
	return err
}

// While the legacy half starts, the front answers.
func TestLegacyHalfThatIsStarting(t *testing.T) {
	hold := make(chan struct{})
	w := ownWorld(t, &legacyHalf{mode: modeASPNET, start: func(service string) (server, error) { <-hold; return startStandIn(service) }})
	v := w.guest(t)
	require.Equal(t, starting, v.ok("/").Fields["legacy state"])
	require.Contains(t, v.page.Body, `http-equiv="refresh"`)
	require.Equal(t, http.StatusServiceUnavailable, v.get("/catalogue.aspx").Status)
	require.Contains(t, v.page.Fields["headline"], "is starting")
	close(hold)
	w.waitFor(t, up)
	require.NotContains(t, v.ok("/").Body, `http-equiv="refresh"`)
	v.ok("/catalogue.aspx")
}

// A failed start can be tried again, on the front page.
func TestRetryAfterAFailedStart(t *testing.T) {
	var tries atomic.Int32
	w := ownWorld(t, &legacyHalf{mode: modeASPNET, start: func(service string) (server, error) {
		if tries.Add(1) == 1 {
			return nil, errors.New("aspnet: out of luck")
		}
		return startStandIn(service)
	}})
	w.waitFor(t, failed)
	v := w.guest(t)
	v.ok("/")
	form := v.page
	v.press("retry")
	w.legacy.retry() // asked for while it starts, or is up: nothing
	require.NotEqual(t, failed, v.page.Fields["legacy state"])
	w.waitFor(t, up)
	v.page = form
	v.press("retry")
	v.ok("/catalogue.aspx")
	require.EqualValues(t, 2, tries.Load())
}

// The web server is killed in the middle: who has a session goes on in Go, and
// finds it whole when ASP.NET is back.
func TestLegacyHalfKilledAndStartedAgain(t *testing.T) {
	for _, mode := range []string{modeGo, modeASPNET} {
		t.Run(mode, func(t *testing.T) {
			worldOf(t, mode) // Mono is here
			var now atomic.Pointer[server]
			start := map[string]func(string) (server, error){modeGo: startStandIn, modeASPNET: startASPNET}[mode]
			w := ownWorld(t, &legacyHalf{mode: modeASPNET, start: func(service string) (server, error) {
				s, err := start(service)
				now.Store(&s)
				return s, err
			}})
			w.waitFor(t, up)
			v := w.guest(t)
			v.ok("/catalogue.aspx")
			v.press("add POT")
			(*now.Load()).Stop()
			w.waitFor(t, failed)

			require.Equal(t, http.StatusServiceUnavailable, v.get("/catalogue.aspx").Status)
			v.ok("/cart.aspx")
			v.press("update", "qty POT", "5")
			require.Equal(t, "5", v.page.Fields["qty POT"], "the Go half goes on")
			require.Equal(t, http.StatusServiceUnavailable, w.guest(t).get("/cart.aspx").Status, "a first visit cannot")
			before := v.bytesOf()

			v.ok("/")
			require.Contains(t, v.page.Fields["reason"], "ended by itself")
			v.press("retry")
			w.waitFor(t, up)
			require.Equal(t, before, v.bytesOf())
			total := v.ok("/cart.aspx").Fields["total"]
			require.Equal(t, total, v.ok("/catalogue.aspx").Fields["total"])
			v.press("add POT")
			require.Equal(t, "6", v.ok("/cart.aspx").Fields["qty POT"])
		})
	}
}

func TestLegacyPageThatThrows(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		v := w.guest(t)
		v.ok("/cart.aspx")
		require.Equal(t, http.StatusInternalServerError, v.get("/broken.aspx").Status)
		require.NotContains(t, v.page.Body, "stock database", "visitors are not told what is inside")
		require.Empty(t, v.page.Header.Get(legacy.ErrorHeader))
		v.ok("/")
		require.Equal(t, "GET /broken.aspx", v.page.Fields["trouble page"])
		require.Contains(t, v.page.Fields["trouble"], "the stock database is not there")
		require.Contains(t, v.page.Fields["trouble advice"], "move it")
		require.NotEqual(t, failed, v.page.Fields["legacy state"])
		v.ok("/cart.aspx")
		v.ok("/catalogue.aspx")
	})
}

// Between the death of a web server and the news of it.
func TestLegacyHalfThatDoesNotAnswer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + ln.Addr().String()
	require.NoError(t, ln.Close())
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hung.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	for base, want := range map[string]struct {
		status   int
		headline string
		trouble  string
	}{
		nobody:   {http.StatusBadGateway, "does not answer", "refused"},
		hung.URL: {http.StatusGatewayTimeout, "takes too long", "timeout"},
		cut.URL:  {http.StatusBadGateway, "does not answer", "EOF"},
	} {
		w := ownWorld(t, &legacyHalf{mode: modeASPNET, start: func(string) (server, error) { return newFake(base), nil }})
		if base == hung.URL {
			w.front.proxy.Transport.(*http.Transport).ResponseHeaderTimeout = 50 * time.Millisecond
		}
		w.waitFor(t, up)
		v := w.guest(t)
		path := "/" + strings.Repeat("x", 1000) + ".aspx"
		require.Equal(t, want.status, v.get(path).Status)
		require.Contains(t, v.page.Fields["headline"], want.headline)
		require.Contains(t, v.page.Body, `href="/"`)
		v.ok("/")
		require.Contains(t, v.page.Fields["trouble"], want.trouble)
		require.Less(t, len(v.page.Fields["trouble page"]), 400)
	}
}

// Bodies are handed on as they come, in both directions.
func TestBodiesAreStreamed(t *testing.T) {
	arrived, goOn := make(chan string), make(chan struct{})
	probe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 3)
		_, _ = io.ReadFull(r.Body, b)
		arrived <- string(b)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "cup")
		_ = http.NewResponseController(w).Flush()
		<-goOn
		_, _ = io.WriteString(w, "pot")
	}))
	defer probe.Close()
	w := ownWorld(t, &legacyHalf{mode: modeASPNET, start: func(string) (server, error) { return newFake(probe.URL), nil }})
	w.waitFor(t, up)
	body, in := io.Pipe()
	go func() {
		_, _ = io.WriteString(in, "tea")
		if got := <-arrived; got != "tea" { // while the rest has not been sent
			_ = in.CloseWithError(errors.New(got))
		}
		_ = in.Close()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/upload.aspx", body)
	require.NoError(t, err)
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b := make([]byte, 3)
	_, err = io.ReadFull(resp.Body, b)
	require.NoError(t, err)
	require.Equal(t, "cup", string(b), "before the page has ended")
	close(goOn)
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "pot", string(rest))
}

func TestFailuresArePages(t *testing.T) {
	p := &pages{served: "Go", style: "on-go"}
	for err, status := range map[error]int{
		session.ErrGone:        http.StatusConflict,
		&session.LockedError{}: http.StatusServiceUnavailable,
		session.ErrQueueFull:   http.StatusServiceUnavailable,
		errNoLegacy:            http.StatusServiceUnavailable,
		session.ErrBadData:     http.StatusInternalServerError,
		io.ErrUnexpectedEOF:    http.StatusInternalServerError,
	} {
		rec := httptest.NewRecorder()
		p.fail(rec, httptest.NewRequest(http.MethodGet, "/", nil), fmt.Errorf("migration: %w", err))
		require.Equal(t, status, rec.Code, err)
		page := &shown{Fields: map[string]string{}}
		require.NoError(t, page.read(rec.Body.Bytes()))
		require.NotEmpty(t, page.Fields["headline"])
	}
}

// A cart that cannot be read is an error and stays as it is.
func TestCartOfAnotherClass(t *testing.T) {
	w := worldOf(t, modeGo)
	v := w.guest(t)
	v.ok("/cart.aspx")
	rec, err := w.store.Acquire(t.Context(), v.id(), time.Minute)
	require.NoError(t, err)
	require.NoError(t, rec.Payload.Items().Set("cart", "a text"))
	require.NoError(t, w.store.Save(t.Context(), v.id(), rec.Lock, rec.Payload))
	form := v.page
	for _, path := range []string{"/cart.aspx", "/checkout.aspx"} {
		require.Equal(t, http.StatusInternalServerError, v.get(path).Status)
		require.Contains(t, v.page.Fields["headline"], "could not be read")
	}
	v.page = form
	require.Equal(t, http.StatusInternalServerError, v.press("update").Status)
	item, _ := v.stored().Item("cart")
	value, err := item.Decode(nil)
	require.NoError(t, err)
	require.Equal(t, "a text", value)
}

// A body that no page reads is not the next visitor's request.
func TestBodyIsNoRequest(t *testing.T) {
	w := worldOf(t, modeASPNET)
	front, err := url.Parse(w.url)
	require.NoError(t, err)
	for i := range 20 {
		c, err := net.Dial("tcp", front.Host)
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		hidden := "GET /broken.aspx HTTP/1.1\r\nHost: a\r\n\r\n"
		fmt.Fprintf(c, "PUT /health.aspx HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(hidden))
		time.Sleep(time.Duration(i) * time.Millisecond) // any time does: the page answers without its body
		_, err = io.WriteString(c, hidden)
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, c.Close())
		require.Equal(t, "up\n", w.guest(t).ok("/health.aspx").Body)
	}
}
