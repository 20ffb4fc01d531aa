package clr

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Ticks are 100 ns each.
const (
	TicksPerMicrosecond = 10
	TicksPerMillisecond = 10_000
	TicksPerSecond      = 10_000_000
	TicksPerMinute      = 60 * TicksPerSecond
	TicksPerHour        = 60 * TicksPerMinute
	TicksPerDay         = 24 * TicksPerHour

	// MaxTicks is DateTime.MaxValue, the last tick of the year 9999.
	MaxTicks = 3_155_378_975_999_999_999

	nanosPerTick = 100
	unixTicks    = 621_355_968_000_000_000 // ticks at 1970-01-01
)

// ErrTime is wrapped by errors about a DateTime outside the years 1 to 9999.
var ErrTime = errors.New("clr: time outside the years 1 to 9999")

// A Kind says what zone a DateTime's wall clock belongs to.
type Kind uint8

// The kinds, numbered as System.DateTimeKind.
const (
	Unspecified Kind = 0 // no zone known: all that a session item of type 4 keeps
	Utc         Kind = 1
	Local       Kind = 2 // the zone of the machine that wrote it, which is not stored
)

func (k Kind) String() string {
	switch k {
	case Unspecified:
		return "Unspecified"
	case Utc:
		return "Utc"
	case Local:
		return "Local"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// A DateTime is System.DateTime: a wall clock reading in ticks of 100 ns since
// 0001-01-01 00:00:00, and a kind. It has no offset; [DateTime.In] needs to be
// told the zone. The zero value is DateTime.MinValue.
type DateTime struct {
	Ticks int64 // 0..MaxTicks
	Kind  Kind
}

// NewDateTime checks ticks; outside 0..MaxTicks it returns ErrTime.
func NewDateTime(ticks int64, kind Kind) (DateTime, error) {
	if ticks < 0 || ticks > MaxTicks {
		return DateTime{}, fmt.Errorf("%w: %d ticks", ErrTime, ticks)
	}
	return DateTime{ticks, kind}, nil
}

// DateTimeOf reads t's wall clock in t's own zone, cut to whole ticks. The
// kind is Utc when that zone is time.UTC, else Unspecified: a Go zone is never
// known to be the zone of the ASP.NET machine. Years outside 1..9999 are
// ErrTime.
func DateTimeOf(t time.Time) (DateTime, error) {
	_, offset := t.Zone()
	sec := t.Unix() + int64(offset)
	const lowest, highest = -unixTicks / TicksPerSecond, (MaxTicks - unixTicks) / TicksPerSecond
	if sec < lowest || sec > highest {
		return DateTime{}, fmt.Errorf("%w: year %d", ErrTime, t.Year())
	}
	d := DateTime{Ticks: unixTicks + sec*TicksPerSecond + int64(t.Nanosecond())/nanosPerTick}
	if t.Location() == time.UTC {
		d.Kind = Utc
	}
	return d, nil
}

// In returns the moment at which a clock in loc showed this reading, whatever
// the kind; nil means UTC. A reading that a zone skipped or showed twice (a
// change of summer time) is resolved as time.Date does.
func (d DateTime) In(loc *time.Location) time.Time {
	ticks := d.Ticks - unixTicks
	sec, rest := ticks/TicksPerSecond, ticks%TicksPerSecond
	utc := time.Unix(sec, rest*nanosPerTick).UTC()
	if loc == nil || loc == time.UTC {
		return utc
	}
	y, m, day := utc.Date()
	h, min, s := utc.Clock()
	return time.Date(y, m, day, h, min, s, utc.Nanosecond(), loc)
}

// String prints the reading and the kind, for people: "2024-02-29T12:34:56
// Unspecified".
func (d DateTime) String() string {
	return d.In(nil).Format("2006-01-02T15:04:05.9999999") + " " + d.Kind.String()
}

// A TimeSpan is System.TimeSpan: a signed length of time in ticks of 100 ns,
// about +-29,000 years. A time.Duration reaches only +-292 years.
type TimeSpan int64

// TimeSpanOf cuts d to whole ticks, towards zero.
func TimeSpanOf(d time.Duration) TimeSpan { return TimeSpan(d / nanosPerTick) }

// Duration converts exactly; ok is false where a time.Duration is too short.
func (s TimeSpan) Duration() (d time.Duration, ok bool) {
	if s > math.MaxInt64/nanosPerTick || s < math.MinInt64/nanosPerTick {
		return 0, false
	}
	return time.Duration(s) * nanosPerTick, true
}

// String prints .NET's constant form: [-][d.]hh:mm:ss[.fffffff].
func (s TimeSpan) String() string {
	sign, u := "", uint64(s)
	if s < 0 {
		sign, u = "-", -u
	}
	days, u := u/TicksPerDay, u%TicksPerDay
	out := fmt.Sprintf("%02d:%02d:%02d", u/TicksPerHour, u/TicksPerMinute%60, u/TicksPerSecond%60)
	if days > 0 {
		out = fmt.Sprintf("%d.%s", days, out)
	}
	if frac := u % TicksPerSecond; frac > 0 {
		out += fmt.Sprintf(".%07d", frac)
	}
	return sign + out
}
