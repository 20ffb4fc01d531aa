package otelsession

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/aspsession/aspsession/session"
)

// scope is the instrumentation scope: the name of this package.
const scope = "github.com/aspsession/aspsession/middleware/otelsession"

// Metrics is a session.Metrics. It is safe for concurrent use.
type Metrics struct {
	wait, hold, load, save  metric.Float64Histogram
	size                    metric.Int64Histogram
	started, broken, errors metric.Int64Counter

	// kinds holds every attribute set that can occur, ready for use.
	kinds [accesses][2]attributes
}

var _ session.Metrics = (*Metrics)(nil)

// accesses is how many values session.Access has.
const accesses = int(session.Lazy) + 1

// attributes are those of one kind of session: an access, new or not. Each is a
// slice because the instruments take one, and making it costs an allocation.
type attributes struct {
	record, loaded, saved []metric.RecordOption
	add                   []metric.AddOption
	failed                [len(failures) + 1][]metric.AddOption
}

// failures are the values of error.type, in the order in which they are tried.
var failures = [...]struct {
	name string
	errs []error
}{
	{"queue_full", []error{session.ErrQueueFull}},
	{"lock_lost", []error{session.ErrLockLost}},
	{"locked", []error{session.ErrLocked}},
	{"exists", []error{session.ErrExists}},
	{"bad_data", []error{session.ErrBadData}},
	{"not_renewed", []error{session.ErrNotRenewed}},
	{"unavailable", []error{session.ErrUnavailable, session.ErrClosed, context.DeadlineExceeded}},
	{"canceled", []error{context.Canceled}},
}

// failure is the index of an error in failures; one more for all others.
func failure(err error) int {
	for i, f := range failures {
		for _, is := range f.errs {
			if errors.Is(err, is) {
				return i
			}
		}
	}
	return len(failures)
}

// New makes the instruments. It fails where the provider refuses one.
func New(provider metric.MeterProvider) (*Metrics, error) {
	if provider == nil {
		return nil, errors.New("otelsession: no MeterProvider: otel.GetMeterProvider() is the global one")
	}
	b := builder{meter: provider.Meter(scope)}
	m := &Metrics{
		wait:    b.seconds("aspsession.lock.wait.duration", "Time that requests waited for their turn and for the lock of others."),
		hold:    b.seconds("aspsession.lock.hold.duration", "Time from the taking of a session's lock to its release."),
		load:    b.seconds("aspsession.load.duration", "Time of the store's calls that loaded a session."),
		save:    b.seconds("aspsession.save.duration", "Time of the store's calls that saved, released or removed a session."),
		size:    b.bytes("aspsession.payload.size", "Size of sessions as they were loaded and saved."),
		started: b.counter("aspsession.sessions.started", "{session}", "Sessions that began, stored or not."),
		broken:  b.counter("aspsession.locks.broken", "{lock}", "Locks of other requests that were broken for their age."),
		errors:  b.counter("aspsession.errors", "{error}", "Sessions that could not be opened, saved or renewed."),
	}
	if b.err != nil {
		return nil, fmt.Errorf("otelsession: %w", b.err)
	}
	for access := range m.kinds {
		for i, isNew := range []bool{false, true} {
			m.kinds[access][i] = attributesOf(session.Access(access), isNew)
		}
	}
	return m, nil
}

func attributesOf(access session.Access, isNew bool) (a attributes) {
	set := func(more ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(more,
			attribute.String("aspsession.access", strings.ToLower(access.String())),
			attribute.Bool("aspsession.new", isNew))...))
	}
	a.record = []metric.RecordOption{set()}
	a.loaded = []metric.RecordOption{set(attribute.String("aspsession.direction", "load"))}
	a.saved = []metric.RecordOption{set(attribute.String("aspsession.direction", "save"))}
	a.add = []metric.AddOption{set()}
	for i := range a.failed {
		name := "_OTHER" // what OpenTelemetry's conventions call the rest
		if i < len(failures) {
			name = failures[i].name
		}
		a.failed[i] = []metric.AddOption{set(attribute.String("error.type", name))}
	}
	return a
}

// Session implements session.Metrics.
func (m *Metrics) Session(ctx context.Context, s session.Measures) {
	isNew := 0
	if s.New {
		isNew = 1
	}
	a := &m.kinds[int(s.Access)%accesses][isNew]
	if s.Used || s.Wait > 0 {
		m.wait.Record(ctx, s.Wait.Seconds(), a.record...)
	}
	for _, d := range [...]struct {
		in   metric.Float64Histogram
		took time.Duration
	}{{m.hold, s.Hold}, {m.load, s.Load}, {m.save, s.Save}} {
		if d.took > 0 {
			d.in.Record(ctx, d.took.Seconds(), a.record...)
		}
	}
	if s.Loaded > 0 {
		m.size.Record(ctx, int64(s.Loaded), a.loaded...)
	}
	if s.Saved > 0 {
		m.size.Record(ctx, int64(s.Saved), a.saved...)
	}
	if s.New {
		m.started.Add(ctx, 1, a.add...)
	}
	if s.Broken > 0 {
		m.broken.Add(ctx, int64(s.Broken), a.add...)
	}
	if s.Err != nil {
		m.errors.Add(ctx, 1, a.failed[failure(s.Err)]...)
	}
}

// A builder makes instruments and keeps the first error.
type builder struct {
	meter metric.Meter
	err   error
}

// seconds makes a histogram from calls within one machine to the execution
// timeout.
func (b *builder) seconds(name, what string) metric.Float64Histogram {
	h, err := b.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what),
		metric.WithExplicitBucketBoundaries(.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 110))
	b.note(err)
	return h
}

func (b *builder) bytes(name, what string) metric.Int64Histogram {
	h, err := b.meter.Int64Histogram(name, metric.WithUnit("By"), metric.WithDescription(what),
		metric.WithExplicitBucketBoundaries(64, 256, 1<<10, 4<<10, 16<<10, 64<<10, 256<<10, 1<<20, 4<<20, 16<<20))
	b.note(err)
	return h
}

func (b *builder) counter(name, unit, what string) metric.Int64Counter {
	c, err := b.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
	b.note(err)
	return c
}

func (b *builder) note(err error) {
	if b.err == nil {
		b.err = err
	}
}
