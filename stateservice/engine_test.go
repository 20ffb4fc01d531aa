package stateservice

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/msasp"
)

// A reply's content stays as it was when the lock on the shard was released,
// though the next Set comes before it is sent: of a Get, and of who was parked.
func TestContentIsNotOverwritten(t *testing.T) {
	for _, size := range []int{1, 1024, joined, joined + 1} {
		s := New(Options{Logger: slog.New(slog.DiscardHandler), ParkTimeout: time.Minute})
		defer s.Close()
		ask := func(w *waiter, req msasp.Request, letter string) call {
			c := call{Request: &req, key: []byte("k"), body: []byte(strings.Repeat(letter, size)), buf: new([]byte), w: w, park: w != nil}
			s.engine.do(&c)
			return c
		}
		set := msasp.Request{Verb: msasp.PUT}
		acquire := msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire}
		old := strings.Repeat("a", size)
		ask(nil, set, "a")
		got := ask(nil, msasp.Request{Verb: msasp.GET}, "")
		held := ask(nil, acquire, "")
		var reader, writer waiter
		reader.nc, _ = net.Pipe()
		writer.nc = reader.nc
		require.True(t, ask(&reader, msasp.Request{Verb: msasp.GET}, "").parked)
		require.True(t, ask(&writer, acquire, "").parked)
		ask(nil, msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveRelease, LockCookie: held.rep.LockCookie}, "")
		require.True(t, reader.answered)
		require.True(t, writer.answered)
		set.LockCookie = writer.rep.LockCookie
		require.Equal(t, msasp.StatusOK, ask(nil, set, "b").rep.Status)
		for _, content := range [][]byte{got.content, held.content, reader.content, writer.content} {
			require.Equal(t, old, string(content), "of %d bytes", size)
		}
		require.Equal(t, strings.Repeat("b", size), string(ask(nil, msasp.Request{Verb: msasp.GET}, "").content))
	}
}

// Whose slot a wheel has wrong, expires late or never: every timeout is linked,
// moved and found in time, also when the clock stands still, leaps, or is set back.
func TestWheel(t *testing.T) {
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	s := New(Options{Now: func() time.Time { return now }, SweepInterval: -1, Logger: slog.New(slog.DiscardHandler)})
	defer s.Close()
	put := func(key string, minutes int32) {
		s.engine.do(&call{Request: &msasp.Request{Verb: msasp.PUT, Timeout: msasp.Int32(minutes)}, key: []byte(key)})
	}
	items := func() int64 { return s.Stats().Items }
	for _, minutes := range []int32{1, 20, 36, 37, 38, 75, 1440, maxTimeout} { // a turn is 36.65 minutes
		put("k", minutes)
		for left := time.Duration(minutes) * time.Minute; left > 0; {
			d := min(left-1, 10*time.Minute)
			if minutes > 1000 {
				d = left - 1
			}
			if d == 0 {
				d = 1
			}
			require.Zero(t, s.Sweep())
			now = now.Add(d)
			left -= d
		}
		require.Equal(t, 1, s.Sweep(), "%d minutes", minutes)
		require.Zero(t, items())
	}
	put("k", 1440)
	require.Zero(t, s.Sweep())
	put("k", 1) // sooner than its slot
	now = now.Add(time.Minute)
	require.Equal(t, 1, s.Sweep())
	put("k", 0)
	now = now.Add(100_000 * time.Hour)
	require.Zero(t, s.Sweep())
	put("k", 5) // linked only now
	now = now.Add(-time.Hour)
	require.Zero(t, s.Sweep())
	put("k", 5)
	now = now.Add(5 * time.Minute)
	require.Zero(t, s.Sweep(), "the sweep is where it was before the clock was set back")
	now = now.Add(time.Hour)
	require.Equal(t, 1, s.Sweep())
}
