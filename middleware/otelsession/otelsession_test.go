package otelsession_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/aspsession/aspsession/middleware/otelsession"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// collect returns every series: name, unit and attributes to count and sum.
func collect(t *testing.T, r sdk.Reader) map[string]string {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, r.Collect(context.Background(), &all))
	got := map[string]string{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := m.Name + " " + m.Unit + " "
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					got[name+p.Attributes.Encoded(encoder{})] = fmt.Sprintf("%d: %.3g", p.Count, p.Sum)
				}
			case metricdata.Histogram[int64]:
				for _, p := range d.DataPoints {
					got[name+p.Attributes.Encoded(encoder{})] = fmt.Sprintf("%d: %d", p.Count, p.Sum)
				}
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					got[name+p.Attributes.Encoded(encoder{})] = fmt.Sprint(p.Value)
				}
			}
		}
	}
	return got
}

func TestSession(t *testing.T) {
	r := sdk.NewManualReader()
	m, err := otelsession.New(sdk.NewMeterProvider(sdk.WithReader(r)))
	require.NoError(t, err)
	ctx := context.Background()
	m.Session(ctx, session.Measures{
		Access: session.ReadWrite, New: true, Used: true, Wait: time.Second, Hold: 2 * time.Second,
		Load: 3 * time.Millisecond, Save: 4 * time.Millisecond, Saved: 300, Broken: 2,
	})
	m.Session(ctx, session.Measures{Access: session.ReadOnly, Used: true, Load: time.Millisecond, Loaded: 100})
	m.Session(ctx, session.Measures{Access: session.Disabled})
	m.Session(ctx, session.Measures{Access: session.Lazy, Err: session.ErrNotRenewed})
	require.Equal(t, map[string]string{
		"aspsession.lock.wait.duration s aspsession.access=readwrite aspsession.new=true":                      "1: 1",
		"aspsession.lock.wait.duration s aspsession.access=readonly aspsession.new=false":                      "1: 0",
		"aspsession.lock.hold.duration s aspsession.access=readwrite aspsession.new=true":                      "1: 2",
		"aspsession.load.duration s aspsession.access=readwrite aspsession.new=true":                           "1: 0.003",
		"aspsession.load.duration s aspsession.access=readonly aspsession.new=false":                           "1: 0.001",
		"aspsession.save.duration s aspsession.access=readwrite aspsession.new=true":                           "1: 0.004",
		"aspsession.payload.size By aspsession.access=readwrite aspsession.direction=save aspsession.new=true": "1: 300",
		"aspsession.payload.size By aspsession.access=readonly aspsession.direction=load aspsession.new=false": "1: 100",
		"aspsession.sessions.started {session} aspsession.access=readwrite aspsession.new=true":                "1",
		"aspsession.locks.broken {lock} aspsession.access=readwrite aspsession.new=true":                       "2",
		"aspsession.errors {error} aspsession.access=lazy aspsession.new=false error.type=not_renewed":         "1",
	}, collect(t, r))
}

func TestErrorTypes(t *testing.T) {
	for want, err := range map[string]error{
		"queue_full":  session.ErrQueueFull,
		"lock_lost":   session.ErrGone,
		"locked":      fmt.Errorf("gave up: %w", &session.LockedError{}),
		"exists":      session.ErrExists,
		"bad_data":    session.ErrBadData,
		"not_renewed": fmt.Errorf("%w: %w", session.ErrNotRenewed, session.ErrUnavailable),
		"unavailable": context.DeadlineExceeded,
		"canceled":    context.Canceled,
		"_OTHER":      errors.New("id 2ne4zzc4yrcakgqbxgtomtfb"), // never in an attribute
	} {
		r := sdk.NewManualReader()
		m, nerr := otelsession.New(sdk.NewMeterProvider(sdk.WithReader(r)))
		require.NoError(t, nerr)
		m.Session(context.Background(), session.Measures{Err: err})
		require.Equal(t, map[string]string{
			"aspsession.errors {error} aspsession.access=readwrite aspsession.new=false error.type=" + want: "1",
		}, collect(t, r))
	}
}

// A real session is measured, and a provider is needed.
func TestManager(t *testing.T) {
	_, err := otelsession.New(nil)
	require.Error(t, err)
	r := sdk.NewManualReader()
	m, err := otelsession.New(sdk.NewMeterProvider(sdk.WithReader(r)))
	require.NoError(t, err)
	store := inproc.New(inproc.Options{})
	defer store.Close()
	sessions, err := session.NewManager(store, session.Options{Metrics: m})
	require.NoError(t, err)
	s, err := sessions.Open(context.Background(), "", session.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.Set("n", 1))
	require.NoError(t, sessions.Finish(s))
	got := collect(t, r)
	require.Equal(t, "1", got["aspsession.sessions.started {session} aspsession.access=readwrite aspsession.new=true"])
	require.Contains(t, got, "aspsession.payload.size By aspsession.access=readwrite aspsession.direction=save aspsession.new=true")
}

func measured() session.Measures {
	return session.Measures{Used: true, Wait: 1, Hold: 1, Load: 1, Save: 1, Loaded: 1, Saved: 1, Err: session.ErrLockLost}
}

func TestAllocations(t *testing.T) {
	m, err := otelsession.New(sdk.NewMeterProvider(sdk.WithReader(sdk.NewManualReader())))
	require.NoError(t, err)
	ctx, s := context.Background(), measured()
	m.Session(ctx, s)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { m.Session(ctx, s) }), 8.0)
}

func BenchmarkSession(b *testing.B) {
	m, err := otelsession.New(sdk.NewMeterProvider(sdk.WithReader(sdk.NewManualReader())))
	require.NoError(b, err)
	ctx, s := context.Background(), measured()
	b.ReportAllocs()
	for b.Loop() {
		m.Session(ctx, s)
	}
}
