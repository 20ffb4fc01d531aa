package stateservice_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

func TestMetrics(t *testing.T) {
	c := newClock()
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1, MaxItems: 2, MaxBytes: 50, MaxBody: 60})
	w := dial(t, addr)
	for _, raw := range []string{
		save("a", "1", "Timeout: 1"), save("b", "1", "ExtraFlags: 1"), // 200
		save("c", "1"), save("a", fill(50)), save("a", fill(61)), save("a", "1", "Timeout: x"), // 400
		request("GET", "a", "Exclusive: acquire"), request("GET", "a", "Exclusive: acquire"), request("GET", "a"),
		request("HEAD", "a"), request("GET", "zz"), save("b", "1", self),
	} {
		w.ask(raw)
	}
	c.Advance(3 * time.Second)
	w.ask(request("GET", "a", "Exclusive: release", lockCookie(2)))
	c.Advance(time.Minute)
	require.Equal(t, 1, s.Sweep())
	w.ask(request("DELETE", "b"))
	bad := dial(t, addr)
	bad.ask("nonsense\r\n\r\n")
	m := s.Metrics()
	ops := map[string]map[int]int64{}
	for name, all := range m.Ops {
		for status, n := range all {
			if n > 0 {
				if ops[name] == nil {
					ops[name] = map[int]int64{}
				}
				ops[name][status] = n
			}
		}
	}
	require.Equal(t, map[string]map[int]int64{
		"set": {200: 1, 400: 4, 409: 1}, "create": {200: 1}, "acquire": {200: 1, 423: 1}, "get": {404: 1, 423: 1},
		"touch": {200: 1}, "release": {200: 1}, "remove": {200: 1},
	}, ops)
	require.Equal(t, map[string]int64{"MaxItems": 1, "MaxBytes": 1, "MaxBody": 1, "journal": 0, "MaxConns": 0}, m.Refused)
	require.EqualValues(t, 1, m.Malformed)
	require.EqualValues(t, 1, m.Expired)
	require.EqualValues(t, 1, m.Removed)
	require.EqualValues(t, 1, m.Wait.Count())
	require.Equal(t, 3*time.Second, m.Hold.Sum)
	require.EqualValues(t, 1, m.Hold.Counts[8], "2^16 times 64 µs is 4.2 s")
	require.Zero(t, m.Items)
}

func TestHistogramBounds(t *testing.T) {
	require.Equal(t, 64*time.Microsecond, stateservice.HistogramBound(0))
	require.Equal(t, 4194304*time.Microsecond, stateservice.HistogramBound(8))
	require.Zero(t, stateservice.HistogramBound(12))
	c := newClock()
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1})
	w := dial(t, addr)
	w.ask(save("a", "1", "Timeout: 0"))
	before := stateservice.Histogram{}
	for bucket := range before.Counts {
		bound := stateservice.HistogramBound(bucket)
		if bound == 0 {
			bound = time.Hour
		}
		for _, d := range []time.Duration{bound, bound + 1} {
			cookie := field(w.ask(request("GET", "a", "Exclusive: acquire")), "LockCookie")
			c.Advance(d)
			w.ask(request("GET", "a", "Exclusive: release", "LockCookie: "+cookie))
			before.Counts[min(bucket+int(d-bound), len(before.Counts)-1)]++
			before.Sum += d
		}
	}
	require.Equal(t, before, s.Metrics().Hold)
}

func TestList(t *testing.T) {
	c := newClock()
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1, ParkTimeout: forever})
	w := dial(t, addr)
	const n = 1000
	for i := range n {
		w.ask(save("k"+strconv.Itoa(i), fill(i), "Timeout: "+strconv.Itoa(1+i%2)))
	}
	w.ask(save("forever", "a", "Timeout: 0"))
	w.ask(save("new", "a", "ExtraFlags: 1"))
	w.ask(request("DELETE", "k3"))
	w.ask(request("GET", "forever", "Exclusive: acquire"))
	park(t, s, addr, request("GET", "forever"), request("GET", "forever", "Exclusive: acquire"))
	c.Advance(time.Minute)
	got := map[string]stateservice.Info{}
	s.List(func(i stateservice.Info) bool {
		require.NotContains(t, got, i.Key)
		got[i.Key] = i
		// Whoever lists holds nothing: requests go on.
		if len(got)%100 == 0 {
			require.Equal(t, "200", status(w.ask(request("HEAD", i.Key))))
		}
		return true
	})
	require.Len(t, got, n/2-1+2)
	require.Equal(t, stateservice.Info{Key: "k5", Size: 5, Expires: got["k5"].Expires, LockCookie: 1}, got["k5"])
	require.True(t, start.Add(2*time.Minute).Equal(got["k7"].Expires) || c.Now().Add(2*time.Minute).Equal(got["k7"].Expires))
	require.Equal(t, stateservice.Info{Key: "forever", Size: 1, Locked: true, LockCookie: 2, LockAge: time.Minute, Waiters: 2}, got["forever"])
	require.True(t, got["new"].Uninitialized)
	seen := 0
	s.List(func(stateservice.Info) bool { seen++; return seen < 7 })
	require.Equal(t, 7, seen)
}
