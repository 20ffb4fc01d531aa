package stateserver_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
	"github.com/aspsession/aspsession/stores/storetest"
)

const (
	appID = "/LM/W3SVC/1/ROOT"
	anID  = "2ne4zzc4yrcakgqbxgtomtfb"
)

// A clock that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) Advance(d time.Duration) { c.offset.Add(int64(d)) }

// serve starts a state service on loopback and returns its address.
func serve(t *testing.T, opt stateservice.Options) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, ln, opt)
	return ln.Addr().String()
}

func serveOn(t *testing.T, ln net.Listener, opt stateservice.Options) *stateservice.Server {
	t.Helper()
	opt.Logger = slog.New(slog.DiscardHandler)
	s := stateservice.New(opt)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, stateservice.ErrServerClosed)
	})
	return s
}

func open(t *testing.T, opt stateserver.Options) *stateserver.Store {
	t.Helper()
	if opt.AppID == "" && opt.Base == "" {
		opt.AppID = appID
	}
	s, err := stateserver.New(opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// The suite on our service: promising all, promising what the protocol does, and
// compressed; and on the service as Microsoft's behaves.
func TestStore(t *testing.T) {
	for name, row := range map[string]struct {
		client stateserver.Options
		server stateservice.Options
	}{
		"strict":           {stateserver.Options{Strict: true}, stateservice.Options{}},
		"compressed":       {stateserver.Options{Strict: true, Compress: true}, stateservice.Options{}},
		"as ASP.NET sends": {stateserver.Options{Plain: true}, stateservice.Options{}},
		"as Microsoft's server": {stateserver.Options{Plain: true},
			stateservice.Options{LaxSaves: true, ForgetCookies: true, BareStatusLine: true}},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Harness {
				c := &clock{}
				row.server.Now = c.Now
				row.client.Addr = serve(t, row.server)
				return storetest.Harness{Store: open(t, row.client), Second: open(t, row.client), Advance: c.Advance}
			})
		})
	}
}

// The counters of the middleware, by two web servers' worth of clients over the
// wire; the second time a tenth of the requests is cancelled, anywhere on their
// way: what left as a page is in the counter, and nothing else.
func TestCounters(t *testing.T) {
	t.Run("all", func(t *testing.T) { testCounters(t, false) })
	t.Run("cancelled", func(t *testing.T) { testCounters(t, true) })
}

func testCounters(t *testing.T, cancels bool) {
	const workers, rounds = 40, 300
	addr := serve(t, stateservice.Options{})
	var handlers []http.Handler
	var middlewares []*middleware.Middleware
	for range 2 {
		m, err := middleware.New(open(t, stateserver.Options{Addr: addr, Strict: true}), middleware.Options{})
		require.NoError(t, err)
		middlewares = append(middlewares, m)
		handlers = append(handlers, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		})))
	}
	var wg sync.WaitGroup
	var pages, cancelled atomic.Int64
	for i := range workers {
		wg.Go(func() {
			for range rounds {
				r := httptest.NewRequest("GET", "/", nil)
				r.AddCookie(&http.Cookie{Name: "ASP.NET_SessionId", Value: anID})
				mayEnd := cancels && rand.N(10) == 0
				if mayEnd {
					ctx, cancel := context.WithCancel(r.Context())
					time.AfterFunc(rand.N(20*time.Millisecond), cancel)
					r = r.WithContext(ctx)
					cancelled.Add(1)
				}
				w := httptest.NewRecorder()
				handlers[i%2].ServeHTTP(w, r)
				if w.Body.String() == "done" {
					pages.Add(1)
				} else if !mayEnd {
					t.Errorf("status %d: %s", w.Code, w.Body)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, m := range middlewares {
		require.NoError(t, m.Close(t.Context()))
	}
	rec, err := open(t, stateserver.Options{Addr: addr}).Get(t.Context(), anID)
	require.NoError(t, err, "no lock is left")
	n, err := payload.Value[int](rec.Payload.Items(), "n")
	require.NoError(t, err)
	require.EqualValues(t, pages.Load(), n)
	require.GreaterOrEqual(t, n, workers*rounds-int(cancelled.Load()))
	if cancels {
		require.Less(t, n, workers*rounds, "some must have been cancelled in time")
	}
}

func TestBases(t *testing.T) {
	addr := serve(t, stateservice.Options{})
	key := bytes.Repeat([]byte{7}, 64)
	keyed, err := msasp.KeyedBase(appID, msasp.SHA1, key)
	require.NoError(t, err)
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("a", 1))
	require.NoError(t, open(t, stateserver.Options{Addr: addr, Base: keyed}).Save(t.Context(), anID, session.Lock{}, p))
	_, err = open(t, stateserver.Options{Addr: addr, Validation: msasp.SHA1, ValidationKey: key}).Get(t.Context(), anID)
	require.NoError(t, err)
	for _, other := range []stateserver.Options{{}, {AppID: "/LM/W3SVC/1/Root"}, {Validation: msasp.HMACSHA256, ValidationKey: key}} {
		other.Addr = addr
		_, err = open(t, other).Get(t.Context(), anID)
		require.ErrorIs(t, err, session.ErrNotFound, "another application's sessions are its own")
	}
	for want, opt := range map[string]stateserver.Options{
		"either AppID": {},
		"give either":  {AppID: "a", Base: "b"},
		"go together":  {AppID: "a", Validation: msasp.SHA1},
		"with AppID":   {Base: "a", Validation: msasp.SHA1, ValidationKey: key},
		"ROT13":        {AppID: "a", Validation: "ROT13", ValidationKey: key},
		"address":      {AppID: "a", Addr: "nowhere"},
		"Strict needs": {AppID: "a", Strict: true, Plain: true},
	} {
		_, err := stateserver.New(opt)
		require.ErrorContains(t, err, want)
	}
}

func TestParseConnectionString(t *testing.T) {
	for s, want := range map[string]string{
		"tcpip=10.0.0.5:42424": "10.0.0.5:42424", "tcpip=loopback:42424": "127.0.0.1:42424", "tcpip=[::1]:1": "[::1]:1", "tcpip=state.example:65535": "state.example:65535",
	} {
		addr, err := stateserver.ParseConnectionString(s)
		require.NoError(t, err, s)
		require.Equal(t, want, addr)
	}
	for _, s := range []string{"", "10.0.0.5:42424", "TCPIP=a:1", "tcpip=a", "tcpip=a:", "tcpip=a:0", "tcpip=a:65536", "tcpip=a:http", "tcpip=a:-1", "tcpip=::1:42424", "tcpip=[a]:1", "tcpip=:1", "tcpip=a b:1", "tcpip=é:1"} {
		_, err := stateserver.ParseConnectionString(s)
		require.ErrorContains(t, err, "tcpip=", s)
		require.ErrorContains(t, err, "it looks like", s)
	}
}

func TestAServerThatIsDown(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().String()
	require.NoError(t, ln.Close())
	s := open(t, stateserver.Options{Addr: addr})
	for _, err := range calls(t, s) {
		require.ErrorIs(t, err, session.ErrUnavailable)
		require.ErrorContains(t, err, addr)
		require.NotContains(t, err.Error(), anID)
	}
	// One that does not answer the connection attempt.
	s = open(t, stateserver.Options{Addr: addr, NetworkTimeout: 20 * time.Millisecond, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	_, err = s.Get(t.Context(), anID)
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.ErrorContains(t, err, addr)
}

// calls makes every call once and returns its error.
func calls(t *testing.T, s session.Store) []error {
	ctx, lock := t.Context(), session.NumberLock(2)
	_, get := s.Get(ctx, anID)
	_, acquire := s.Acquire(ctx, anID, time.Minute)
	return []error{
		get, acquire, s.Create(ctx, anID, time.Minute), s.Save(ctx, anID, lock, payload.New(20, payload.Limits{})),
		s.Release(ctx, anID, lock), s.Remove(ctx, anID, lock), s.Touch(ctx, anID),
	}
}

// script is a server that answers each connection's requests with fixed bytes,
// then does what it is told.
func script(t *testing.T, answer func(nc net.Conn, request string, n int) bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				r := bufio.NewReader(nc)
				for n := 0; ; n++ {
					var head strings.Builder
					length := 0
					for {
						line, err := r.ReadString('\n')
						if err != nil {
							return
						}
						_, _ = fmt.Sscanf(line, "Content-Length: %d", &length)
						head.WriteString(line)
						if line == "\r\n" {
							break
						}
					}
					_, _ = r.Discard(length)
					if !answer(nc, head.String(), n) {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func TestNonsenseIsQuoted(t *testing.T) {
	for _, nonsense := range []string{"SSH-2.0-OpenSSH_9.2", "220 smtp.example ESMTP", "<html>", "HTTP/1.1 99 Odd"} {
		addr := script(t, func(nc net.Conn, _ string, _ int) bool { fmt.Fprintf(nc, "%s\r\n\r\n", nonsense); return false })
		s := open(t, stateserver.Options{Addr: addr})
		for _, err := range calls(t, s) {
			require.Error(t, err, nonsense)
			require.ErrorContains(t, err, addr)
			if !strings.HasPrefix(nonsense, "220") { // which is a status
				require.ErrorContains(t, err, nonsense)
			}
		}
	}
	addr := script(t, func(nc net.Conn, _ string, _ int) bool { fmt.Fprint(nc, "HTTP/1.1 500 Oops\r\n\r\n"); return true })
	for _, err := range calls(t, open(t, stateserver.Options{Addr: addr})) {
		require.ErrorIs(t, err, session.ErrUnavailable)
		require.ErrorContains(t, err, "500")
	}
	addr = script(t, func(nc net.Conn, _ string, _ int) bool {
		fmt.Fprint(nc, "400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		return true
	})
	for _, err := range calls(t, open(t, stateserver.Options{Addr: addr})) {
		require.ErrorIs(t, err, stateserver.ErrRefused)
	}
}

func TestStrictRefusesOtherServers(t *testing.T) {
	addr := script(t, func(nc net.Conn, _ string, _ int) bool {
		fmt.Fprint(nc, "200 OK\r\nContent-Length: 0\r\n\r\n")
		return true
	})
	for _, err := range calls(t, open(t, stateserver.Options{Addr: addr, Strict: true})) {
		require.ErrorIs(t, err, stateserver.ErrNotOurs)
	}
}

// A pooled connection that died is replaced: found dead, for every request;
// dying under one, for those that may be repeated.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().String()
	first := serveOn(t, ln, stateservice.Options{})
	s := open(t, stateserver.Options{Addr: addr})
	p := payload.New(20, payload.Limits{})
	require.NoError(t, s.Save(t.Context(), anID, session.Lock{}, p))
	require.NoError(t, first.Close())
	ln, err = net.Listen("tcp", addr)
	require.NoError(t, err)
	serveOn(t, ln, stateservice.Options{})
	require.NoError(t, s.Save(t.Context(), anID, session.Lock{}, p), "a Set too: nothing had been sent")

	// A connection that ends with the second request on it.
	var conns atomic.Int64
	dying := script(t, func(nc net.Conn, request string, n int) bool {
		if n == 0 {
			conns.Add(1)
			fmt.Fprint(nc, "200 OK\r\nTimeout: 20\r\nContent-Length: 7\r\n\r\n\x14\x00\x00\x00\x00\x00\xff")
		}
		return n == 0
	})
	for name, row := range map[string]struct {
		call   func(s session.Store) error
		repeat bool
	}{
		"Get":     {func(s session.Store) error { _, err := s.Get(t.Context(), anID); return err }, true},
		"Release": {func(s session.Store) error { return s.Release(t.Context(), anID, session.NumberLock(2)) }, true},
		"Create":  {func(s session.Store) error { return s.Create(t.Context(), anID, time.Minute) }, true},
		"Acquire": {func(s session.Store) error { _, err := s.Acquire(t.Context(), anID, time.Minute); return err }, false},
		"Save":    {func(s session.Store) error { return s.Save(t.Context(), anID, session.NumberLock(2), p) }, false},
		"Remove":  {func(s session.Store) error { return s.Remove(t.Context(), anID, session.NumberLock(2)) }, false},
	} {
		s := open(t, stateserver.Options{Addr: dying})
		_, err := s.Get(t.Context(), anID)
		require.NoError(t, err)
		conns.Store(0)
		err = row.call(s)
		if row.repeat {
			require.NoError(t, err, name)
			require.EqualValues(t, 1, conns.Load(), name)
		} else {
			require.ErrorIs(t, err, session.ErrUnavailable, name)
			require.Zero(t, conns.Load(), "%s may have happened: it is not sent again", name)
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	addr := serve(t, stateservice.Options{})
	var dials atomic.Int64
	s := open(t, stateserver.Options{Addr: addr, MaxIdle: 2, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
	for range 100 {
		require.ErrorIs(t, s.Touch(t.Context(), anID), session.ErrNotFound)
	}
	require.EqualValues(t, 1, dials.Load())
}

// Cancelled, a call ends at once, and its connection is not used again.
func TestCancelledCalls(t *testing.T) {
	asked := make(chan bool, 1)
	addr := script(t, func(nc net.Conn, _ string, _ int) bool { asked <- true; return true })
	s := open(t, stateserver.Options{Addr: addr})
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone home")
	go func() { <-asked; cancel(gone) }()
	_, err := s.Get(ctx, anID)
	require.ErrorIs(t, err, gone)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	_, err = s.Get(ctx, anID)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	s = open(t, stateserver.Options{Addr: addr, NetworkTimeout: 10 * time.Millisecond})
	_, err = s.Get(t.Context(), anID)
	require.ErrorIs(t, err, session.ErrUnavailable)
}

// On a server that is not ours, a lock that was held for longer than its lease
// may have been broken: a save looks first.
func TestLookBeforeALateSave(t *testing.T) {
	addr := serve(t, stateservice.Options{LaxSaves: true, ForgetCookies: true, BareStatusLine: true})
	s, other := open(t, stateserver.Options{Addr: addr, Plain: true}), open(t, stateserver.Options{Addr: addr, Plain: true})
	ctx := t.Context()
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("n", 1))
	require.NoError(t, s.Save(ctx, anID, session.Lock{}, p))
	late := func() session.Record {
		rec, err := s.Acquire(ctx, anID, time.Nanosecond)
		require.NoError(t, err)
		time.Sleep(time.Millisecond)
		require.NoError(t, rec.Payload.Items().Set("n", -1))
		return rec
	}
	value := func() int {
		rec, err := other.Get(ctx, anID)
		require.NoError(t, err)
		n, err := payload.Value[int](rec.Payload.Items(), "n")
		require.NoError(t, err)
		return n
	}
	rec := late() // broken, and nobody has it
	require.NoError(t, other.Release(ctx, anID, rec.Lock))
	require.ErrorIs(t, s.Save(ctx, anID, rec.Lock, rec.Payload), session.ErrLockLost)
	require.Equal(t, 1, value())

	rec = late() // broken by another request of the same process
	require.NoError(t, s.Release(ctx, anID, rec.Lock))
	require.ErrorIs(t, s.Save(ctx, anID, rec.Lock, rec.Payload), session.ErrLockLost)
	require.Equal(t, 1, value())

	rec = late() // broken, taken and saved by another
	require.NoError(t, other.Release(ctx, anID, rec.Lock))
	theirs, err := other.Acquire(ctx, anID, time.Minute)
	require.NoError(t, err)
	require.ErrorIs(t, s.Save(ctx, anID, rec.Lock, rec.Payload), session.ErrLockLost)
	require.NoError(t, theirs.Payload.Items().Set("n", 2))
	require.NoError(t, other.Save(ctx, anID, theirs.Lock, theirs.Payload))
	require.Equal(t, 2, value())

	rec = late() // the session is gone
	require.NoError(t, other.Remove(ctx, anID, rec.Lock))
	require.ErrorIs(t, s.Save(ctx, anID, rec.Lock, rec.Payload), session.ErrGone)
	_, err = other.Get(ctx, anID)
	require.ErrorIs(t, err, session.ErrNotFound, "and stays gone")

	require.NoError(t, s.Save(ctx, anID, session.Lock{}, p))
	rec = late() // late, and still ours
	require.NoError(t, s.Save(ctx, anID, rec.Lock, rec.Payload))
	require.Equal(t, -1, value())
}

func TestCompressionMustAgree(t *testing.T) {
	addr := serve(t, stateservice.Options{})
	plain, squeezed := open(t, stateserver.Options{Addr: addr}), open(t, stateserver.Options{Addr: addr, Compress: true})
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("text", strings.Repeat("squeeze ", 1000)))
	for _, row := range []struct{ writer, reader session.Store }{{plain, squeezed}, {squeezed, plain}} {
		id, err := session.StandardIDs{}.New()
		require.NoError(t, err)
		require.NoError(t, row.writer.Save(t.Context(), id, session.Lock{}, p))
		for range 2 { // the first leaves no lock for the second to meet
			_, err = row.reader.Acquire(t.Context(), id, time.Minute)
			require.ErrorIs(t, err, session.ErrBadData)
			require.ErrorContains(t, err, addr)
			require.ErrorContains(t, err, "compressionEnabled")
		}
		_, err = row.writer.Get(t.Context(), id)
		require.NoError(t, err, "and it is still there")
	}
}
