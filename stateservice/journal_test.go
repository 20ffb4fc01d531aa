package stateservice_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// A memory is a Journal that is durable for as long as the test: what a crash
// would lose of it is what is told to be lost.
type memory struct {
	mu      sync.Mutex
	records map[string]stateservice.Record
	ends    map[uint64]stateservice.End
	tells   map[stateservice.ChangeKind]int
	log     []stateservice.Change
	full    bool
	synced  int
}

func newMemory() *memory {
	return &memory{records: map[string]stateservice.Record{}, ends: map[uint64]stateservice.End{}, tells: map[stateservice.ChangeKind]int{}}
}

func (m *memory) Load(yield func(stateservice.Record) error) error {
	for _, r := range m.records {
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

var errFull = errors.New("the disk is full")

func (m *memory) Append(c stateservice.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return errFull
	}
	m.tells[c.Kind]++
	m.log = append(m.log, c)
	r, was := m.records[c.Key]
	switch c.Kind {
	case stateservice.Put:
		m.records[c.Key] = stateservice.Record{Key: c.Key, Body: c.Body, Expires: c.Expires, Timeout: c.Timeout, Cookie: c.Cookie, Uninitialized: c.Uninitialized}
	case stateservice.Touch:
		if !was {
			return errors.New("a touch of nothing")
		}
		r.Expires, r.Cookie, r.Uninitialized = c.Expires, c.Cookie, c.Uninitialized
		m.records[c.Key] = r
	case stateservice.Remove, stateservice.Expire:
		delete(m.records, c.Key)
		if c.Cookie > 1 {
			m.records[c.Key] = stateservice.Record{Key: c.Key, Grave: true, Expires: c.Expires, Cookie: c.Cookie}
		}
		if c.End > 0 {
			reason := stateservice.Expired
			if c.Kind == stateservice.Remove {
				reason = stateservice.Removed
			}
			m.ends[c.End] = stateservice.End{ID: c.End, Key: c.Key, Reason: reason, Payload: c.Body}
		}
	case stateservice.Forget:
		delete(m.records, c.Key)
	}
	return nil
}

func (m *memory) Ends(yield func(stateservice.End) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(m.ends)) {
		if !yield(m.ends[id]) {
			break
		}
	}
	return nil
}

func (m *memory) EndTaken(id uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.ends, id)
}

func (m *memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.synced++
	if m.full {
		return errFull
	}
	return nil
}

func (m *memory) set(full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = full
}

func (m *memory) told(kind stateservice.ChangeKind) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tells[kind]
}

// copy is what a crash at this moment leaves.
func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := newMemory()
	maps.Copy(n.records, m.records)
	maps.Copy(n.ends, m.ends)
	return n
}

// runOn is run with a journal.
func runOn(t *testing.T, m *memory, c *clock, opt stateservice.Options) (*stateservice.Server, string) {
	t.Helper()
	opt.Journal, opt.SweepInterval, opt.ParkTimeout = m, -1, -1
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if c != nil {
		opt.Now = c.Now
	}
	s, err := stateservice.Open(opt)
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(ln)
	t.Cleanup(func() { _ = s.Close() })
	return s, ln.Addr().String()
}

func TestRestart(t *testing.T) {
	c, m := newClock(), newMemory()
	s, addr := runOn(t, m, c, stateservice.Options{})
	w := dial(t, addr)
	w.ask(save("plain", "a", "Timeout: 30"))
	w.ask(save("locked", "b"))
	require.Equal(t, "2", field(w.ask(request("GET", "locked", "Exclusive: acquire")), "LockCookie"))
	w.ask(save("new", "c", "ExtraFlags: 1"))
	w.ask(save("seen", "d", "ExtraFlags: 1"))
	require.Equal(t, "1", field(w.ask(request("GET", "seen")), "ActionFlags"))
	w.ask(save("forever", "e", "Timeout: 0"))
	w.ask(save("gone", "f"))
	w.ask(request("GET", "gone", "Exclusive: acquire"))
	w.ask(request("DELETE", "gone", lockCookie(2)))
	w.ask(save("short", "g", "Timeout: 1"))
	require.NoError(t, s.Shutdown(t.Context()))

	c.Advance(2 * time.Minute)
	s, addr = runOn(t, m, c, stateservice.Options{})
	w = dial(t, addr)
	require.Equal(t, int64(6), s.Stats().Items)
	require.Equal(t, 1, s.Sweep(), "the short one was over before")
	require.Equal(t, int64(5), s.Stats().Items)
	require.Equal(t, int64(5), s.Stats().Bytes)
	rep := w.ask(request("GET", "plain"))
	require.Equal(t, "a", content(rep))
	require.Equal(t, "30", field(rep, "Timeout"))
	require.Equal(t, "423 "+strconv.Itoa(1+65536), status(w.ask(save("locked", "late", lockCookie(2)))), "an old holder is told")
	require.Equal(t, strconv.Itoa(2+65536), field(w.ask(request("GET", "locked", "Exclusive: acquire")), "LockCookie"), "locks are gone")
	require.Equal(t, "1", field(w.ask(request("GET", "new")), "ActionFlags"))
	require.Empty(t, field(w.ask(request("GET", "seen")), "ActionFlags"), "one was told")
	require.Equal(t, "404", status(w.ask(request("GET", "gone"))))
	w.ask(save("gone", "again"))
	require.Equal(t, strconv.Itoa(2+65536+2), field(w.ask(request("GET", "gone", "Exclusive: acquire")), "LockCookie"), "a grave is remembered")
	w.ask(save("fresh", "h"))
	require.Equal(t, "2", field(w.ask(request("GET", "fresh", "Exclusive: acquire")), "LockCookie"), "nothing was lost")
	c.Advance(1000 * time.Hour)
	s.Sweep()
	require.Equal(t, int64(1), s.Stats().Items)
	c.Advance(10 * time.Minute)
	s.Sweep()
	require.Len(t, m.copy().records, 2, "nothing is kept but the one that lives forever, and the engine's note")
}

// After a crash no lock cookie from before matches, of items either that the
// journal had not got yet.
func TestCrash(t *testing.T) {
	c, m := newClock(), newMemory()
	_, addr := runOn(t, m, c, stateservice.Options{})
	w := dial(t, addr)
	lost := m.copy()
	w.ask(save("k", "a"))
	w.ask(request("GET", "k", "Exclusive: acquire")) // 2
	_, addr = runOn(t, lost, c, stateservice.Options{})
	w = dial(t, addr)
	require.Equal(t, "404", status(w.ask(request("GET", "k"))))
	w.ask(save("k", "b"))
	cookie, err := strconv.Atoi(field(w.ask(request("GET", "k", "Exclusive: acquire")), "LockCookie"))
	require.NoError(t, err)
	require.Greater(t, cookie, 65536)
	require.Equal(t, "423 "+strconv.Itoa(cookie), status(w.ask(save("k", "late", lockCookie(2)))))
	// Ten minutes later nobody from before can be about.
	c.Advance(10 * time.Minute)
	w.ask(save("k2", "b"))
	require.Equal(t, "2", field(w.ask(request("GET", "k2", "Exclusive: acquire")), "LockCookie"))
}

// Reading is not writing: a journal hears of a renewal when it matters.
func TestTouchesAreCoarse(t *testing.T) {
	c, m := newClock(), newMemory()
	_, addr := runOn(t, m, c, stateservice.Options{})
	w := dial(t, addr)
	w.ask(save("k", "a"))
	for range 200 { // within a twentieth of 20 minutes
		c.Advance(300 * time.Millisecond)
		w.ask(request("GET", "k"))
	}
	require.Zero(t, m.told(stateservice.Touch))
	c.Advance(time.Millisecond)
	w.ask(request("HEAD", "k"))
	require.Equal(t, 1, m.told(stateservice.Touch))
	// What was not told does not end a session early.
	c.Advance(59 * time.Second)
	w.ask(request("GET", "k"))
	crashed := m.copy()
	c.Advance(20*time.Minute - 1)
	_, addr = runOn(t, crashed, c, stateservice.Options{})
	require.Equal(t, "200", status(dial(t, addr).ask(request("GET", "k"))))
	// Nor are lock cookies journaled one by one, but no crash loses 65,536.
	w.ask(request("HEAD", "k"))
	before := m.told(stateservice.Touch)
	for n := 2; n <= 3000; n++ {
		w.ask(request("GET", "k", "Exclusive: acquire"))
		w.ask(request("GET", "k", "Exclusive: release", lockCookie(n)))
	}
	require.Equal(t, 2, m.told(stateservice.Touch)-before)
	require.Greater(t, m.copy().records["k"].Cookie+65536, int32(3000))
}

// A journal that takes nothing: writes are refused, and reads go on.
func TestJournalIsFull(t *testing.T) {
	var j journal
	m := newMemory()
	s, addr := runOn(t, m, nil, stateservice.Options{Logger: j.logger()})
	w := dial(t, addr)
	w.ask(save("secret", "a"))
	m.set(true)
	require.Equal(t, "2", field(w.ask(request("GET", "secret", "Exclusive: acquire")), "LockCookie"))
	require.Equal(t, "HTTP/1.1 400 Bad Request\r\n"+version40+empty, w.ask(save("secret", "bb", lockCookie(2))))
	require.Equal(t, "a", content(w.ask(request("GET", "secret"))), "the old content, unlocked")
	require.Equal(t, "400", status(w.ask(save("other", "b"))))
	require.Equal(t, "404", status(w.ask(request("GET", "other"))))
	w.ask(request("GET", "secret", "Exclusive: acquire"))
	require.Equal(t, "400", status(w.ask(request("DELETE", "secret", lockCookie(3)))))
	require.Equal(t, "200", status(w.ask(request("HEAD", "secret"))))
	require.Equal(t, "a", content(w.ask(request("GET", "secret"))), "unlocked too")
	require.Equal(t, stateservice.Stats{Items: 1, Bytes: 1, Conns: 1}, s.Stats())
	require.EqualValues(t, 3, s.Metrics().Refused["journal"])
	require.Contains(t, j.String(), "the journal takes no more")
	require.Contains(t, j.String(), "from=127.0.0.1")
	require.NotContains(t, j.String(), "secret")
	m.set(false)
	require.Equal(t, "200", status(w.ask(save("secret", "bb"))))
	require.Equal(t, "200", status(w.ask(request("DELETE", "secret"))))
	m.set(true)
	require.ErrorIs(t, s.Shutdown(t.Context()), errFull)
	_, err := stateservice.Open(stateservice.Options{Journal: m})
	require.ErrorIs(t, err, errFull)
	require.Panics(t, func() { stateservice.New(stateservice.Options{Journal: m}) })
}

// A hook hears of every end, and takes it when it can.
type hook struct {
	mu   sync.Mutex
	got  []stateservice.End
	err  error
	stop chan struct{} // closed: go on
}

func (h *hook) Ended(ctx context.Context, e stateservice.End) error {
	if h.stop != nil {
		select {
		case <-h.stop:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	h.got = append(h.got, e)
	return nil
}

func (h *hook) await(t *testing.T, n int) map[string]stateservice.End {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		if len(h.got) >= n {
			all := map[string]stateservice.End{}
			for _, e := range h.got {
				all[e.Key] = e
			}
			require.Len(t, h.got, n)
			require.Len(t, all, n, "each once")
			h.mu.Unlock()
			return all
		}
		got := len(h.got)
		h.mu.Unlock()
		require.True(t, time.Now().Before(end), "%d ends", got)
	}
}

func TestEnds(t *testing.T) {
	c, h := newClock(), new(hook)
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1, OnEnd: h})
	w := dial(t, addr)
	for _, k := range []string{"a", "b", "c"} {
		w.ask(save(k, "old"))
		w.ask(save(k, "of "+k, "Timeout: 1"))
	}
	w.ask(save("d", "stays"))
	w.ask(request("DELETE", "a"))
	c.Advance(time.Minute)
	w.ask(request("GET", "b"))
	s.Sweep()
	got := h.await(t, 3)
	for k, reason := range map[string]stateservice.EndReason{"a": stateservice.Removed, "b": stateservice.Expired, "c": stateservice.Expired} {
		require.Equal(t, reason, got[k].Reason, k)
		require.Equal(t, "of "+k, string(got[k].Payload))
	}
	require.NoError(t, s.Close())
	require.EqualValues(t, 3, s.Metrics().EndsTaken)
}

// A hook that is slow costs ends, and never the engine's time.
func TestEndsAreBounded(t *testing.T) {
	h := &hook{stop: make(chan struct{})}
	s, addr := run(t, stateservice.Options{OnEnd: h, EndQueue: 5, EndWorkers: 1})
	w := dial(t, addr)
	for n := range 20 {
		k := "k" + strconv.Itoa(n)
		w.ask(save(k, "a"))
		require.Equal(t, "200", status(w.ask(request("DELETE", k))))
	}
	m := s.Metrics()
	require.LessOrEqual(t, m.EndsQueued, int64(5))
	close(h.stop)
	require.Eventually(t, func() bool { m = s.Metrics(); return m.EndsTaken+m.EndsDropped == 20 }, patience, time.Millisecond)
	require.Contains(t, []int64{5, 6}, m.EndsTaken)
}

// With a journal every end is told, whatever the queue holds, the hook says, and
// becomes of the process.
func TestEndsOutliveAll(t *testing.T) {
	m, h := newMemory(), &hook{err: errors.New("the endpoint is down")}
	s, addr := runOn(t, m, nil, stateservice.Options{OnEnd: h, EndQueue: 3, EndWorkers: 2})
	w := dial(t, addr)
	const n = 20
	for i := range n {
		k := "k" + strconv.Itoa(i)
		w.ask(save(k, "of "+k))
		w.ask(request("DELETE", k))
	}
	require.Eventually(t, func() bool { return s.Metrics().EndsDropped > 0 }, patience, time.Millisecond)
	require.NoError(t, s.Close())
	require.Len(t, m.ends, n)

	h = new(hook)
	s, addr = runOn(t, m, nil, stateservice.Options{OnEnd: h, EndQueue: 3, EndWorkers: 2})
	w = dial(t, addr)
	w.ask(save("one-more", "a"))
	w.ask(request("DELETE", "one-more"))
	all := h.await(t, n+1)
	require.Equal(t, "of k7", string(all["k7"].Payload))
	require.Greater(t, all["one-more"].ID, all["k19"].ID, "numbers rise across restarts")
	require.NoError(t, s.Close())
	require.Empty(t, m.ends)
}

// A graceful stop tells what is queued, as long as it may; a Close does not wait.
func TestStoppingTellsWhatIsQueued(t *testing.T) {
	for _, graceful := range []bool{true, false} {
		began, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s, addr := run(t, stateservice.Options{EndWorkers: 1, OnEnd: stateservice.EndFunc(func(ctx context.Context, _ stateservice.End) error {
			once.Do(func() { close(began) })
			select {
			case <-goOn:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})})
		w := dial(t, addr)
		for n := range 10 {
			w.ask(save("k"+strconv.Itoa(n), "a"))
			w.ask(request("DELETE", "k"+strconv.Itoa(n)))
		}
		<-began
		if !graceful {
			require.NoError(t, s.Close())
			require.EqualValues(t, 10, s.Metrics().EndsDropped)
			continue
		}
		close(goOn)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		require.NoError(t, s.Shutdown(ctx))
		cancel()
		m := s.Metrics()
		require.EqualValues(t, 10, m.EndsTaken)
		require.Zero(t, m.EndsDropped+m.EndsQueued)
	}
}
