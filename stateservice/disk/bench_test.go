package disk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

const benchSessions = 200_000

var kilobyte = []byte(strings.Repeat("x", 1024))

func benchKey(i int) string {
	return fmt.Sprintf("/LM/W3SVC/1/ROOT(cAHkmVhipCLv/QnONQmPsKL+q/AjnK/nYS9aV3Zlad8=)/%016x%08x", uint64(i)*0x9E3779B97F4A7C15, i)
}

// filled is a journal of 200,000 sessions of 1 KB.
func filled(b *testing.B) (*Journal, string) {
	dir := newDir(b)
	j := open(b, dir, Options{})
	for i := range benchSessions {
		c := put(benchKey(i), "")
		c.Body = kilobyte
		require.NoError(b, j.Append(c))
		if i%10_000 == 0 {
			require.NoError(b, j.Sync())
		}
	}
	require.NoError(b, j.Sync())
	return j, dir
}

// How many changes a second reach the disk: 50 writers, each waits for Sync.
func BenchmarkDurablePuts(b *testing.B) {
	j, _ := filled(b)
	before := j.Stats()
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range 50 {
		wg.Go(func() {
			for i := w; i < b.N; i += 50 {
				c := put(benchKey(rand.IntN(benchSessions)), "")
				c.Body = kilobyte
				if err := j.Append(c); err != nil {
					b.Error(err)
				}
				if err := j.Sync(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := j.Stats()
	b.ReportMetric(float64(s.Changes-before.Changes)/float64(s.Commits-before.Commits), "changes/commit")
}

// The window: how old the oldest change is that is not durable, while 50 writers
// append so many changes a second.
func BenchmarkWindow(b *testing.B) {
	j, _ := filled(b)
	for _, rate := range []int{1000, 5000, 10_000} {
		b.Run(fmt.Sprint(rate, "/s"), func(b *testing.B) {
			stop := make(chan struct{})
			var wg sync.WaitGroup
			every := time.Duration(50) * time.Second / time.Duration(rate)
			for range 50 {
				wg.Go(func() {
					for next := time.Now().Add(rand.N(every)); ; next = next.Add(every) {
						select {
						case <-stop:
							return
						case <-time.After(time.Until(next)):
						}
						c := put(benchKey(rand.IntN(benchSessions)), "")
						c.Body = kilobyte
						if err := j.Append(c); err != nil {
							b.Error(err)
						}
					}
				})
			}
			var lags []time.Duration
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Microsecond) {
				lags = append(lags, j.lag())
			}
			close(stop)
			wg.Wait()
			require.NoError(b, j.Sync())
			slices.Sort(lags)
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			b.ReportMetric(ms(lags[len(lags)/2]), "ms-p50")
			b.ReportMetric(ms(lags[len(lags)*99/100]), "ms-p99")
			b.ReportMetric(ms(lags[len(lags)-1]), "ms-max")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// What the engine pays for a change.
func BenchmarkAppend(b *testing.B) {
	j := open(b, newDir(b), Options{MaxQueue: 1 << 40, Gather: time.Hour})
	c := put(benchKey(1), "")
	c.Body = kilobyte
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Append(c); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
}

// A start with 200,000 sessions: open, check, load.
func BenchmarkRecovery(b *testing.B) {
	j, dir := filled(b)
	require.NoError(b, j.Close())
	for b.Loop() {
		j, err := Open(dir, Options{Logger: silent})
		require.NoError(b, err)
		n := 0
		require.NoError(b, j.Load(func(stateservice.Record) error { n++; return nil }))
		require.Equal(b, benchSessions, n)
		require.NoError(b, j.Close())
	}
}
