package stateservice

import (
	"log/slog"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/msasp"
)

// A day of 200,000 sessions by a clock that the test moves: after every minute
// the counts, the bytes and what expired are exactly those of a plain model.
func TestADay(t *testing.T) {
	sessions := 200_000
	if testing.Short() {
		sessions = 20_000
	}
	const day = 24 * 60
	now := time.Date(2024, 3, 31, 0, 0, 0, 0, time.UTC)
	s := New(Options{Now: func() time.Time { return now }, SweepInterval: -1, Logger: slog.New(slog.DiscardHandler)})
	defer s.Close()
	rnd := rand.New(rand.NewPCG(24, 200_000))

	type visitor struct {
		size    int
		timeout int32 // minutes
		expires time.Time
		visits  int // still to come
	}
	var model struct {
		items, bytes, expired, removed int64
	}
	all := map[int]*visitor{}
	due := map[int][]int{}    // who may expire in this minute
	visits := map[int][]int{} // who comes in this minute
	minute := func(at time.Time) int { return int(at.Sub(s.engine.epoch) / time.Minute) }
	content := make([]byte, 4096)
	var buf []byte
	ask := func(n int, req msasp.Request, body []byte) msasp.Reply {
		c := call{Request: &req, key: []byte("/app/" + strconv.Itoa(n)), body: body, buf: &buf}
		s.engine.do(&c)
		return c.rep
	}
	renew := func(n int, v *visitor) {
		v.expires = now.Add(time.Duration(v.timeout) * time.Minute)
		due[minute(v.expires)] = append(due[minute(v.expires)], n)
		if v.visits--; v.visits > 0 { // some come too late
			at := minute(now) + rnd.IntN(int(v.timeout)+2)
			visits[at+1] = append(visits[at+1], n)
		}
	}
	put := func(n int, v *visitor, cookie int32) {
		size := rnd.IntN(len(content))
		rep := ask(n, msasp.Request{Verb: msasp.PUT, Timeout: msasp.Int32(v.timeout), LockCookie: msasp.Int32(cookie)}, content[:size])
		require.Equal(t, msasp.StatusOK, rep.Status)
		model.bytes += int64(size - v.size)
		v.size = size
		renew(n, v)
	}
	made := 0
	for m := 0; m < day+3*60 || len(all) > 0; m++ {
		now = s.engine.epoch.Add(time.Duration(m) * time.Minute)
		for _, n := range visits[m] {
			v := all[n]
			if v == nil {
				continue
			}
			now = now.Add(time.Millisecond)
			if !now.Before(v.expires) {
				require.Equal(t, msasp.StatusNotFound, ask(n, msasp.Request{Verb: msasp.GET}, nil).Status)
				model.expired++
				model.items--
				model.bytes -= int64(v.size)
				delete(all, n)
				continue
			}
			switch rnd.IntN(10) {
			case 0:
				require.Equal(t, msasp.StatusOK, ask(n, msasp.Request{Verb: msasp.DELETE}, nil).Status)
				model.removed++
				model.items--
				model.bytes -= int64(v.size)
				delete(all, n)
			case 1, 2:
				v.timeout = 1 + rnd.Int32N(60)
				put(n, v, 0)
			case 3, 4, 5:
				rep := ask(n, msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire}, nil)
				require.Equal(t, msasp.StatusOK, rep.Status)
				v.visits++
				put(n, v, rep.LockCookie.Value)
			case 6:
				require.Equal(t, msasp.StatusOK, ask(n, msasp.Request{Verb: msasp.HEAD}, nil).Status)
				renew(n, v)
			default:
				require.Equal(t, msasp.StatusOK, ask(n, msasp.Request{Verb: msasp.GET}, nil).Status)
				renew(n, v)
			}
		}
		delete(visits, m)
		for ; made < sessions && made < sessions*(m+1)/day; made++ {
			v := &visitor{timeout: 1 + rnd.Int32N(60), visits: 1 + rnd.IntN(8)}
			all[made] = v
			model.items++
			put(made, v, 0)
		}
		now = s.engine.epoch.Add(time.Duration(m+1)*time.Minute - 1)
		expired := 0
		for _, n := range due[m] {
			if v := all[n]; v != nil && !now.Before(v.expires) {
				expired++
				model.items--
				model.bytes -= int64(v.size)
				delete(all, n)
			}
		}
		delete(due, m)
		require.Equal(t, expired, s.Sweep(), "minute %d", m)
		model.expired += int64(expired)
		require.Equal(t, Stats{Items: model.items, Bytes: model.bytes}, s.Stats(), "minute %d", m)
	}
	require.Equal(t, sessions, made)
	got := s.Metrics()
	require.Equal(t, model.expired, got.Expired)
	require.Equal(t, model.removed, got.Removed)
	require.Equal(t, int64(sessions), got.Expired+got.Removed)

	// And nothing is left of them, once their graves are over.
	now = now.Add(graveTime)
	require.Zero(t, s.Sweep())
	for i := range s.engine.shards {
		sh := &s.engine.shards[i]
		require.Empty(t, sh.items)
		require.Empty(t, sh.queues)
		require.Nil(t, sh.wheel.due)
		require.Equal(t, [wheelSlots]*item{}, sh.wheel.slots)
	}
}
