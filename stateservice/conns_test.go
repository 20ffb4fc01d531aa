package stateservice_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// The life of connections and of the server.

// serve is run for tests that end the server themselves.
func serve(t *testing.T, opt stateservice.Options) (s *stateservice.Server, addr string, reads chan struct{}, served chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s = stateservice.New(opt)
	t.Cleanup(func() { s.Close() })
	reads, served = make(chan struct{}, 100), make(chan error, 1)
	go func() { served <- s.Serve(watched{ln, reads}) }()
	return s, ln.Addr().String(), reads, served
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestShutdown(t *testing.T) {
	before := runtime.NumGoroutine()
	s, addr, reads, served := serve(t, stateservice.Options{})
	idle := dial(t, addr)
	idle.ask(save("k", "kept"))
	<-reads // it has read,
	<-reads // and reads again: idle
	busy := dial(t, addr)
	whole := save("k", "new")
	busy.send(whole[:len(whole)-2])
	<-reads
	<-reads

	down := make(chan error, 1)
	go func() { down <- s.Shutdown(within(t)) }()
	idle.closed() // at once
	require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	_, err := net.Dial("tcp", addr)
	require.Error(t, err, "it listens no more")
	select {
	case err := <-down:
		t.Fatalf("Shutdown did not wait for the request under way: %v", err)
	default:
	}
	busy.send(whole[len(whole)-2:])
	require.Equal(t, "200", status(busy.reply()), "what was under way is answered")
	busy.closed()
	require.NoError(t, <-down)
	require.Zero(t, s.Stats().Conns)
	require.Equal(t, int64(1), s.Stats().Items, "items outlive it")

	// It stays ended.
	require.NoError(t, s.Shutdown(within(t)))
	require.NoError(t, s.Close())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.ErrorIs(t, s.Serve(ln), stateservice.ErrServerClosed)
	_, err = ln.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	settle(t, before)
}

// When its context ends, Shutdown is Close, and says why.
func TestShutdownInTime(t *testing.T) {
	before := runtime.NumGoroutine()
	s, addr, reads, served := serve(t, stateservice.Options{})
	w := dial(t, addr)
	w.send("GET k HT")
	<-reads
	<-reads
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	require.ErrorIs(t, s.Shutdown(ctx), why)
	w.closed()
	require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	settle(t, before)
}

func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	s, addr, reads, served := serve(t, stateservice.Options{})
	idle, busy := dial(t, addr), dial(t, addr)
	idle.ask(request("GET", "k"))
	busy.send(request("PUT", "k", "Content-Length: 10") + "half")
	for range 4 {
		<-reads
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { require.NoError(t, s.Close()) })
	}
	wg.Wait()
	idle.closed()
	busy.closed()
	require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	require.Zero(t, s.Stats())
	settle(t, before)
}

// A server that never served has a sweeper to end.
func TestCloseUnserved(t *testing.T) {
	before := runtime.NumGoroutine()
	require.NoError(t, stateservice.New(stateservice.Options{}).Close())
	require.NoError(t, stateservice.New(stateservice.Options{SweepInterval: -1}).Shutdown(within(t)))
	settle(t, before)
}

// One server may serve many listeners; one that fails is its own affair.
func TestListeners(t *testing.T) {
	s, addr, _, _ := serve(t, stateservice.Options{})
	dial(t, addr).ask(save("k", "kept"))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	require.Equal(t, "kept", content(dial(t, ln.Addr().String()).ask(request("GET", "k"))))
	ln.Close()
	err = <-served
	require.ErrorIs(t, err, net.ErrClosed)
	require.NotErrorIs(t, err, stateservice.ErrServerClosed)
	require.Equal(t, "kept", content(dial(t, addr).ask(request("GET", "k"))))
}

// tired fails some times as a system without file descriptors does.
type tired struct {
	net.Listener
	fails chan struct{}
}

type temporary struct{ error }

func (temporary) Temporary() bool { return true }

func (l tired) Accept() (net.Conn, error) {
	select {
	case <-l.fails:
		return nil, temporary{errors.New("too many open files")}
	default:
		return l.Listener.Accept()
	}
}

func TestAcceptIsTriedAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := tired{ln, make(chan struct{}, 3)}
	for range 3 {
		l.fails <- struct{}{}
	}
	var j journal
	s := stateservice.New(stateservice.Options{Logger: j.logger()})
	defer s.Close()
	go s.Serve(l)
	require.Equal(t, "404", status(dial(t, ln.Addr().String()).ask(request("GET", "k"))))
	require.Contains(t, j.String(), "too many open files")
}

func TestMaxConns(t *testing.T) {
	var j journal
	s, addr := run(t, stateservice.Options{MaxConns: 2, Logger: j.logger()})
	a, b := dial(t, addr), dial(t, addr)
	a.ask(save("k", "kept"))
	b.ask(request("GET", "k"))
	for range 3 {
		dial(t, addr).closed()
	}
	require.Contains(t, j.String(), "MaxConns")
	require.Equal(t, "kept", content(a.ask(request("GET", "k"))))
	require.Equal(t, 2, s.Stats().Conns)
	b.nc.Close()
	require.Eventually(t, func() bool { return s.Stats().Conns == 1 }, patience, time.Millisecond)
	require.Equal(t, "kept", content(dial(t, addr).ask(request("GET", "k"))))
}

// A reply that nobody reads is in nobody's way, and ends with its time.
func TestUnreadReply(t *testing.T) {
	s, addr := run(t, stateservice.Options{RequestTimeout: 100 * time.Millisecond, MaxBody: 30 << 20})
	w := dial(t, addr)
	require.Equal(t, "200", status(w.ask(save("big", fill(24<<20)))))
	deaf := dial(t, addr)
	require.NoError(t, deaf.nc.(*net.TCPConn).SetReadBuffer(4096))
	deaf.send(request("GET", "big", "Exclusive: acquire"))
	require.Eventually(t, func() bool { return status(w.ask(request("GET", "big"))) == "423 2" }, patience, time.Millisecond)
	require.Equal(t, "200", status(w.ask(save("big", "small", "LockCookie: 2"))))
	require.Equal(t, "small", content(w.ask(request("GET", "big"))))
	require.Equal(t, 2, s.Stats().Conns)
	deaf.nc.Close()
	require.Eventually(t, func() bool { return s.Stats().Conns == 1 }, patience, time.Millisecond)

	// Pipelined, small replies that nobody reads fill the buffers as well.
	deaf = dial(t, addr)
	require.NoError(t, deaf.nc.(*net.TCPConn).SetReadBuffer(4096))
	w.ask(save("kb", fill(10_000)))
	go func() {
		for {
			if _, err := io.WriteString(deaf.nc, request("GET", "kb")); err != nil {
				return
			}
		}
	}()
	require.Eventually(t, func() bool {
		return status(w.ask(request("HEAD", "kb"))) == "200" && s.Stats().Conns == 1
	}, patience, time.Millisecond, "it is cut off")
}

// Options.RequestTimeout: a large reply has a second more per 64 KiB to be taken.
func TestSlowReaderOfALargeReply(t *testing.T) {
	_, addr := run(t, stateservice.Options{RequestTimeout: 100 * time.Millisecond, MaxBody: 30 << 20})
	w := dial(t, addr)
	const size = 24 << 20 // more than any socket's buffers
	require.Equal(t, "200", status(w.ask(save("big", fill(size)))))
	w.send(request("GET", "big"))
	time.Sleep(300 * time.Millisecond) // longer than a small one has, far less than this one
	rep, err := readReply(w.br)
	require.NoError(t, err, "after %d bytes", len(rep))
	require.Len(t, content(rep), size)
}

// Ten thousand connections that ask for nothing.
func TestIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("many file descriptors")
	}
	want := 10_000
	if raceEnabled {
		want = 2_000 // the race detector knows 8128 goroutines
	}
	n := min(want, descriptors(2*want+200)/2-100)
	if n < want {
		t.Logf("only %d connections instead of %d: file descriptors are short", n, want)
	}
	require.Greater(t, n, 10)
	before := runtime.NumGoroutine()
	s, addr, _, served := serve(t, stateservice.Options{})
	conns := make([]net.Conn, n)
	var wg sync.WaitGroup
	const dialers = 8
	for d := range dialers {
		wg.Go(func() {
			for i := d; i < n; i += dialers {
				c, err := net.DialTimeout("tcp", addr, patience)
				if err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
				c.(*net.TCPConn).SetLinger(0) // leave no ports behind that wait
				conns[i] = c
			}
		})
	}
	wg.Wait()
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}()
	if t.Failed() {
		return
	}
	require.Eventually(t, func() bool { return s.Stats().Conns == n }, patience, time.Millisecond)
	w := dial(t, addr)
	for i := range 100 {
		require.Equal(t, "200", status(w.ask(save("k"+strconv.Itoa(i), "x"))))
	}
	w = wrap(t, conns[n/2])
	require.Equal(t, "x", content(w.ask(request("GET", "k7"))), "and each of them may speak")
	require.NoError(t, s.Shutdown(within(t)))
	require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	require.Zero(t, s.Stats().Conns)
	settle(t, before)
}

// Many at once on few keys: every acquire of a key has a cookie of its own, and
// nobody saves under another's.
func TestOneWriterAtATime(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	const keys, peers, turns = 3, 8, 100
	w := dial(t, addr)
	for k := range keys {
		w.ask(save("k"+strconv.Itoa(k), "0"))
	}
	var wg sync.WaitGroup
	for range peers {
		w := dial(t, addr)
		wg.Go(func() {
			for i := range turns {
				key := "k" + strconv.Itoa(i%keys)
				for {
					rep := w.ask(request("GET", key, "Exclusive: acquire"))
					if status(rep) != "200" {
						runtime.Gosched()
						continue
					}
					n, _ := strconv.Atoi(content(rep))
					if got := status(w.ask(save(key, strconv.Itoa(n+1), "LockCookie: "+field(rep, "LockCookie")))); got != "200" {
						t.Errorf("the holder's Set: %s", got)
					}
					break
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for k := range keys {
		n, err := strconv.Atoi(content(w.ask(request("GET", "k"+strconv.Itoa(k)))))
		require.NoError(t, err)
		sum += n
		rep := w.ask(request("GET", "k"+strconv.Itoa(k), "Exclusive: acquire"))
		require.Equal(t, strconv.Itoa(n+2), field(rep, "LockCookie"), "one cookie each")
	}
	require.Equal(t, peers*turns, sum, "no update was lost")
}
