package interop_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	requests = 400
	inFlight = 8
)

// 400 requests, 8 at any time, take turns over the four processes: the counter
// is 400, and each of them showed a number of its own.
func TestCounterOnFourProcesses(t *testing.T) {
	w := enter(t, plain)
	v := newVisitor(t)
	shown, lost := v.count(t, w, func(int) time.Duration { return 0 })
	require.Zero(t, lost)
	require.Len(t, shown, requests)
	require.Equal(t, strconv.Itoa(requests), word(t, v.get(w.g.URL("rostamp.aspx")), "n"))
	require.False(t, w.locked(v))
}

// The same with clients that give up every third request, from before it is
// sent until after it was answered. Such a request may have counted or
// not; but no two that were answered saw one number, the counter is at least
// what any of them saw, at most what all requests can make, and no lock is left.
func TestCounterWithClientsThatLeave(t *testing.T) {
	w := enter(t, plain)
	v := newVisitor(t)
	shown, lost := v.count(t, w, func(i int) time.Duration {
		if i%3 != 0 {
			return 0
		}
		return time.Duration(1 + i*7919%6000*int(time.Microsecond)) // spread over 6 ms, about what a page takes
	})
	require.Equal(t, requests, len(shown)+lost)
	require.NotZero(t, lost, "nobody left")
	// What a client left may still be under way, and does not last long: a lock
	// that nobody holds would last for the execution timeout of 110 s.
	left := time.Now()
	eventually(t, "the lock's release", func() bool { return !w.locked(v) })
	last := 0
	for _, s := range w.sites() {
		n, err := strconv.Atoi(word(t, v.get(s.URL("slow.aspx?ms=0")), "n"))
		require.NoError(t, err)
		require.Greater(t, n, last, s.name)
		require.NotContains(t, shown, n, s.name)
		last = n
	}
	require.Less(t, time.Since(left), 60*time.Second)
	for n := range shown {
		require.Less(t, n, last)
	}
	require.GreaterOrEqual(t, last, len(shown)+len(w.sites()))
	require.LessOrEqual(t, last, requests+len(w.sites()))
	t.Logf("%d answered, %d left, the counter says %d", len(shown), lost, last-len(w.sites()))
}

// count makes the requests. patience says how long the client of one waits, 0
// for as long as it takes. shown are the numbers on the pages that came.
func (v *visitor) count(t *testing.T, w *world, patience func(i int) time.Duration) (shown map[int]bool, lost int) {
	require.Contains(t, v.get(w.a.URL("touch.aspx?n=0")), " new=True ")
	todo := make(chan int)
	var mu sync.Mutex // guards failure, shown and lost
	var failure error
	shown = make(map[int]bool)
	sites := w.sites()
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() {
			for i := range todo {
				ctx, cancel := context.Background(), context.CancelFunc(func() {})
				if d := patience(i); d > 0 {
					ctx, cancel = context.WithTimeout(ctx, d)
				}
				status, page, err := v.ask(ctx, sites[i%len(sites)].URL("slow.aspx?ms=0"))
				gone := ctx.Err() != nil
				cancel()
				mu.Lock()
				var n int
				if err == nil && status == http.StatusOK {
					_, err = fmt.Sscanf(page, "slow n=%d", &n)
				}
				switch {
				case err != nil && gone:
					lost++
				case err != nil || status != http.StatusOK:
					failure = fmt.Errorf("%s: %d %s: %w", sites[i%len(sites)].name, status, page, err)
				case shown[n]:
					failure = fmt.Errorf("%s: %d was there before", sites[i%len(sites)].name, n)
				default:
					shown[n] = true
				}
				mu.Unlock()
			}
		})
	}
	for i := range requests {
		todo <- i
	}
	close(todo)
	wg.Wait()
	require.NoError(t, failure)
	return shown, lost
}
