package interop_test

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/interop"
	"github.com/aspsession/aspsession/stateservice"
)

// Two applications, 8 requests in flight on each, one session: no increment is
// lost, and with parking on our service a page waits for the one before it and
// not for the next look at the lock. The shorter run without is what
// aspnet_state.exe offers.
func TestPagesPark(t *testing.T) {
	rig := interop.Build(t)
	mean := map[bool]time.Duration{}
	for _, row := range []struct {
		park  bool
		total int
	}{{true, 400}, {false, 48}} {
		opt := stateservice.Options{}
		if !row.park {
			opt.ParkTimeout = -1
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		service := stateservice.New(opt)
		served := make(chan error, 1)
		go func() { served <- service.Serve(ln) }()

		apps := make([]*interop.App, 2)
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i := range apps {
			wg.Go(func() { apps[i], errs[i] = rig.NewApp(interop.AppOptions{Server: ln.Addr().String(), AppID: appID}) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))

		v := newVisitor(t)
		require.Equal(t, "1", word(t, v.get(apps[0].URL("slow.aspx?ms=0")), "n"))
		v.get(apps[1].URL("get.aspx")) // compiled before the clock runs
		const inFlight = 8
		var mu sync.Mutex
		var waited time.Duration
		failed := make(chan error, row.total)
		for i := range 2 * inFlight {
			wg.Go(func() {
				for range row.total / (2 * inFlight) {
					start := time.Now()
					status, page, err := v.try(apps[i%2].URL("slow.aspx?ms=0"))
					if err == nil && status != 200 {
						err = fmt.Errorf("status %d: %s", status, page)
					}
					if err != nil {
						failed <- err
						return
					}
					mu.Lock()
					waited += time.Since(start)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		close(failed)
		for err := range failed {
			require.NoError(t, err)
		}
		require.Equal(t, fmt.Sprint(row.total+2), word(t, v.get(apps[0].URL("slow.aspx?ms=0")), "n"), "parking %v", row.park)
		mean[row.park] = waited / time.Duration(row.total)
		for _, app := range apps {
			app.Stop()
		}
		m := service.Metrics()
		require.Equal(t, row.park, m.Parked > 0)
		require.NoError(t, service.Close())
		require.ErrorIs(t, <-served, stateservice.ErrServerClosed)
	}
	t.Logf("mean time of a page, 16 in flight: %v parked, %v polling", mean[true], mean[false])
}
