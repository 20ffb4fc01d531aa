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

// Random requests, clock jumps both ways, sweeps: counts are exact, and nothing stays.
func TestWheelAndCounters(t *testing.T) {
	for seed := range uint64(60) {
		back := seed%2 == 1 // then statuses are not compared
		r := rand.New(rand.NewPCG(seed, 1))
		now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		s := New(Options{Now: func() time.Time { return now }, SweepInterval: -1, MaxItems: 60, MaxBytes: 20000, Logger: slog.New(slog.DiscardHandler)})
		e := &s.engine
		timeouts := []int32{1, 1, 2, 20, 60, 500, 525600, 0}
		type st struct {
			timeout int32
			exp     time.Time
		}
		model := map[string]st{}
		buf := []byte(nil)
		for range 4000 {
			k := "k" + strconv.Itoa(r.IntN(100))
			live, ok := model[k]
			if ok && live.timeout > 0 && !now.Before(live.exp) {
				delete(model, k)
				ok = false
			}
			req := msasp.Request{Target: []byte(k)}
			c := call{Request: &req, key: []byte(k), w: new(waiter), buf: &buf}
			renew := func(to int32) { model[k] = st{to, now.Add(time.Duration(to) * time.Minute)} }
			switch r.IntN(8) {
			case 0, 1:
				to := timeouts[r.IntN(len(timeouts))]
				req.Verb, req.Timeout = msasp.PUT, msasp.Int32(to)
				c.body = make([]byte, r.IntN(1500))
				e.do(&c)
				if c.rep.Status == 200 {
					renew(to)
				} else if ok {
					renew(live.timeout)
				}
			case 2:
				req.Verb = msasp.DELETE
				e.do(&c)
				require.True(t, back || ok == (c.rep.Status == 200))
				delete(model, k)
			case 3, 4:
				req.Verb = msasp.HEAD
				e.do(&c)
				require.True(t, back || ok == (c.rep.Status == 200), "seed %d", seed)
				if ok {
					renew(live.timeout)
				}
			case 5:
				now = now.Add(time.Duration(r.Int64N(int64(time.Minute))))
				if r.IntN(20) == 0 {
					now = now.Add(time.Duration(r.Int64N(int64(3 * time.Hour))))
				}
				if r.IntN(200) == 0 {
					now = now.Add(400 * 24 * time.Hour)
				}
			case 6:
				if back && r.IntN(10) == 0 {
					now = now.Add(-time.Duration(r.Int64N(int64(10 * time.Minute))))
				}
			case 7:
				s.Sweep()
				for k, m := range model {
					if m.timeout > 0 && !now.Before(m.exp) {
						delete(model, k)
					}
				}
			}
		}
		s.Sweep()
		var items, bytes int64
		for i := range e.shards {
			for _, it := range e.shards[i].items {
				if !it.grave {
					items++
					bytes += int64(len(it.body))
				}
			}
		}
		require.Equal(t, items, e.items.Load())
		require.Equal(t, bytes, e.bytes.Load())
		now = now.Add(3 * 365 * 24 * time.Hour)
		s.Sweep()
		now = now.Add(time.Hour)
		s.Sweep()
		for i := range e.shards {
			for _, it := range e.shards[i].items {
				require.Zero(t, it.timeout, "seed %d: never swept", seed)
				require.False(t, it.grave)
			}
		}
		require.NoError(t, s.Close())
	}
}
