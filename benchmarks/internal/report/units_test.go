package report

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSpell(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{1234, Nanoseconds, "1.23 µs"},
		{0.4567, Nanoseconds, "0.457 ns"},
		{999.4, Nanoseconds, "999 ns"},
		{999.6, Nanoseconds, "1.00 µs"},
		{12_345_678, Nanoseconds, "12.3 ms"},
		{5e9, Nanoseconds, "5.00 s"},
		{7.2e12, Nanoseconds, "7,200 s"},
		{0, Nanoseconds, "0 ns"},
		{-1500, Nanoseconds, "-1.50 µs"},
		{2048, Bytes, "2.0 KiB"},
		{1000, Bytes, "1,000 B"},
		{12.25, Bytes, "12.2 B"},
		{126_330, Bytes, "123 KiB"},
		{3 << 30, Bytes, "3.0 GiB"},
		{123_456, PerSecond, "123,456/s"},
		{123_456.7, PerSecond, "123,457/s"},
		{1.5, Times, "1.50x"},
		{0.9, Times, "0.90x"},
		{0.00123, Times, "0.00123x"},
		{24.04, Times, "24.0x"},
		{1234.5, Times, "1,234x"},
		{0, Times, "0.00x"},
		{1234, Count, "1,234"},
		{0.02, Count, "0.02"},
		{1e9, Count, "1,000,000,000"},
		{4.2, Percent, "4.2%"},
		{-0.3, Percent, "-0.3%"},
		{2.5, "s/M", "2.50 s/M"},
		{math.NaN(), Bytes, "–"},
		{math.Copysign(0, -1), Count, "0"},
	} {
		assert.Equal(t, c.want, Spell(c.v, c.unit), "%v %s", c.v, c.unit)
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{20_000, Count, "20 K"},
		{1e6, Count, "1 M"},
		{0.1 + 0.2, Count, "0.3"},
		{0, Nanoseconds, "0"},
		{5e5, Nanoseconds, "500 µs"},
		{64 << 10, Bytes, "64 KiB"},
		{0, Times, "0"},
		{100_000, PerSecond, "100 K/s"},
		{5, PerSecond, "5/s"},
		{0, PerSecond, "0"},
		{10_000, Times, "10,000x"},
		{0.5, Percent, "0.5%"},
		{7, "s", "7 s"},
	} {
		assert.Equal(t, c.want, short(c.v, c.unit), "%v %s", c.v, c.unit)
	}
}

// A figure that falls short by a hair must not look as if it held.
func TestClaimSpelled(t *testing.T) {
	c := Claim{Value: 0.8996, Op: ">=", Want: 0.9, Unit: Times}
	assert.Equal(t, "0.8996x", c.Measured())
	assert.Equal(t, "≥ 0.9x", c.Wanted())
	assert.False(t, c.Holds())
	c = Claim{Value: 9.9, Op: "<=", Want: 10, Unit: Percent}
	assert.Equal(t, "9.9%", c.Measured())
	assert.Equal(t, "≤ 10%", c.Wanted())
	assert.Equal(t, "≤ 1.4 GiB", Claim{Op: "<=", Want: 1.5e9, Unit: Bytes}.Wanted())
	assert.True(t, c.Holds())
}
