package stateservice_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/disk"
)

// A free lock whose kept places lapsed long ago is given while others fill ParkMax.
func TestFreeLockRefusedWhenParkMaxFull(t *testing.T) {
	s, addr := run(t, stateservice.Options{ParkTimeout: 300 * time.Millisecond, ParkMax: 1})
	w, v := dial(t, addr), dial(t, addr)
	w.ask(set("a"))
	require.Equal(t, "2", field(w.ask(take()), "LockCookie"))
	require.Equal(t, "423 2", status(v.ask(take()))) // parked, refused, has a place
	require.Equal(t, "200", status(w.ask(free(2))))
	time.Sleep(900 * time.Millisecond) // its place lapses
	// another session takes up all parking there is
	w.ask(save("other", "b"))
	w.ask(request("GET", "other", "Exclusive: acquire"))
	x := dial(t, addr)
	x.send(request("GET", "other", "Exclusive: acquire"))
	waiting(t, s, 1)
	rep := v.ask(take())
	require.Equal(t, "200", status(rep), "nobody holds it and nobody waits for it")
}

// Close cuts off a Shutdown that waits for a hook.
func TestCloseCutsShutdownOff(t *testing.T) {
	in := make(chan struct{})
	s, addr := (*stateservice.Server)(nil), ""
	hook := stateservice.EndFunc(func(ctx context.Context, e stateservice.End) error {
		close(in)
		<-ctx.Done()
		return ctx.Err()
	})
	s = stateservice.New(stateservice.Options{OnEnd: hook, Logger: slog.New(slog.DiscardHandler)})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(ln)
	addr = ln.Addr().String()
	w := dial(t, addr)
	w.ask(set("a"))
	w.ask(drop())
	<-in
	w.nc.Close()
	go s.Shutdown(context.Background())
	time.Sleep(200 * time.Millisecond)
	done := make(chan struct{})
	go func() { s.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
		t.Fatal("Close waits for a Shutdown that waits for ever")
	}
}

// An idle connection does not keep the last large content that it sent.
func TestIdleConnectionKeepsContent(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc >> 20
	}
	w := dial(t, addr)
	var readers []*wire
	for range 8 {
		w.ask(set(fill(8 << 20)))
		r := dial(t, addr)
		require.Equal(t, "200", status(r.ask(read())))
		readers = append(readers, r)
	}
	w.ask(set("small"))
	require.Less(t, heap(), uint64(16), "MiB in use; one byte string of 5 bytes is stored")
	runtime.KeepAlive(readers)
}

// A yield that panics leaves the shard as it was.
func TestListPanics(t *testing.T) {
	if os.Getenv("REV2_CHILD") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=TestListPanics$", "-test.v")
		cmd.Env = append(os.Environ(), "REV2_CHILD=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%.600s", out)
		return
	}
	s, addr := run(t, stateservice.Options{})
	w := dial(t, addr)
	for i := range 40_000 { // more than 64 in a shard
		w.ask(save("k"+strconv.Itoa(i), "x"))
	}
	require.Panics(t, func() { s.List(func(stateservice.Info) bool { panic("mine") }) })
}

// No client can write the engine's own note.
func TestClientWritesMarker(t *testing.T) {
	c, m := newClock(), newMemory()
	_, addr := runOn(t, m, c, stateservice.Options{})
	require.Equal(t, "200", status(dial(t, addr).ask(save("%00running", "mine"))))
	m = m.copy() // crash
	_, addr = runOn(t, m, c, stateservice.Options{})
	w := dial(t, addr)
	w.ask(save("new", "x"))
	require.NotEqual(t, "2", field(w.ask(request("GET", "new", "Exclusive: acquire")), "LockCookie"), "after a crash")
}

func TestMarkerItemLostAtStop(t *testing.T) {
	c, m := newClock(), newMemory()
	s, addr := runOn(t, m, c, stateservice.Options{})
	require.Equal(t, "200", status(dial(t, addr).ask(save("%00running", "mine"))))
	require.NoError(t, s.Shutdown(t.Context()))
	_, addr = runOn(t, m, c, stateservice.Options{})
	require.Equal(t, "200", status(dial(t, addr).ask(request("GET", "%00running"))), "acknowledged, and a graceful stop loses nothing")
}

// Ends that overflow the queue are told from the disk, without a restart.
func TestEndsOnDiskAreAllTold(t *testing.T) {
	j, err := disk.Open(t.TempDir()+"/d", disk.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	var mu sync.Mutex
	told := map[string]int{}
	busy := make(chan struct{})
	hook := stateservice.EndFunc(func(_ context.Context, e stateservice.End) error {
		<-busy // the queue overflows meanwhile
		mu.Lock()
		defer mu.Unlock()
		told[e.Key]++
		return nil
	})
	s, err := stateservice.Open(stateservice.Options{Journal: j, OnEnd: hook, EndQueue: 1, EndWorkers: 1, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(ln)
	t.Cleanup(func() { s.Close(); j.Close() })
	w := dial(t, ln.Addr().String())
	const n = 5
	for i := range n {
		w.ask(save(fmt.Sprint("k", i), "x"))
	}
	for i := range n {
		require.Equal(t, "200", status(w.ask(request("DELETE", fmt.Sprint("k", i)))))
	}
	close(busy)
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(told) }
	for end := time.Now().Add(5 * time.Second); count() < n && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	left := 0
	require.NoError(t, j.Ends(func(stateservice.End) bool { left++; return true }))
	require.Equal(t, n, count(), "told; %d are in the journal and nobody looks; metrics %+v", left, s.Metrics().EndsQueued)
	mu.Lock()
	defer mu.Unlock()
	for k, c := range told {
		if c > 1 {
			t.Logf("%s told %d times", k, c)
		}
	}
}

// A Shutdown that was late and whose journal lost something says both.
func TestShutdownLateAndJournalFull(t *testing.T) {
	c, m := newClock(), newMemory()
	s, addr := runOn(t, m, c, stateservice.Options{})
	w := dial(t, addr)
	w.ask(set("a"))
	w.send("GET ") // a request under way
	time.Sleep(100 * time.Millisecond)
	m.set(true)
	late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.Shutdown(late)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, errFull, "cmd/aspstate/serve.go asks only for the first, warns, and exits 0")
	require.ErrorIs(t, s.Close(), errFull, "Close says it again")
}
