package clr_test

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/clr"
)

func TestDecimalText(t *testing.T) {
	for text, bits := range map[string][4]int32{
		"0":                               {0, 0, 0, 0},
		"-0.00":                           {0, 0, 0, math.MinInt32 | 2<<16},
		"1.50":                            {150, 0, 0, 2 << 16},
		"-1.5":                            {15, 0, 0, math.MinInt32 | 1<<16},
		"0.0000000000000000000000000001":  {1, 0, 0, 28 << 16},
		"79228162514264337593543950335":   {-1, -1, -1, 0},
		"-7.9228162514264337593543950335": {-1, -1, -1, math.MinInt32 | 28<<16},
		"4294967296":                      {0, 1, 0, 0},
		"18446744073709551616":            {0, 0, 1, 0},
	} {
		d, err := clr.ParseDecimal(text)
		require.NoError(t, err, text)
		require.Equal(t, bits, d.Bits(), text)
		require.Equal(t, text, d.String())
		back, err := clr.DecimalFromBits(bits)
		require.NoError(t, err)
		require.Equal(t, d, back)
		rat, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		require.Zero(t, rat.Cmp(d.Rat()), text)
		j, err := json.Marshal(d)
		require.NoError(t, err)
		require.Equal(t, `"`+text+`"`, string(j))
		var u clr.Decimal
		require.NoError(t, json.Unmarshal(j, &u))
		require.Equal(t, d, u)
	}
	for _, text := range []string{
		"", "-", ".", "+", "1e5", "1,000", " 1", "1 ", "0x1", "1..2", "NaN", "1.-2", "١",
		"79228162514264337593543950336", "0.00000000000000000000000000001", "99999999999999999999999999999",
	} {
		_, err := clr.ParseDecimal(text)
		require.ErrorIs(t, err, clr.ErrDecimal, text)
	}
	for text, same := range map[string]string{"+1": "1", ".5": "0.5", "5.": "5", "007.10": "7.10"} {
		d, err := clr.ParseDecimal(text)
		require.NoError(t, err)
		require.Equal(t, same, d.String())
	}
}

func TestDecimalNumbers(t *testing.T) {
	require.Equal(t, "-12.34", clr.NewDecimal(-1234, 2).String())
	require.Equal(t, "-9223372036854775808", clr.NewDecimal(math.MinInt64, 0).String())
	require.Panics(t, func() { clr.NewDecimal(1, 29) })
	a, b := clr.NewDecimal(110, 2), clr.NewDecimal(11, 1)
	require.NotEqual(t, a, b)
	require.Zero(t, a.Cmp(b))
	require.Equal(t, -1, clr.NewDecimal(-1, 0).Cmp(clr.Decimal{}))
	zero, err := clr.ParseDecimal("-0.0")
	require.NoError(t, err)
	require.True(t, zero.IsZero())
	require.True(t, zero.Signbit())
	require.Equal(t, 1, zero.Scale())
	for _, flags := range []int32{29 << 16, 0xff << 16, 1, math.MinInt32 | 1<<30, 1 << 24} {
		_, err := clr.DecimalFromBits([4]int32{1, 0, 0, flags})
		require.ErrorIs(t, err, clr.ErrDecimal)
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add("1.50", int32(1), int32(2), int32(3), int32(28<<16))
	f.Fuzz(func(t *testing.T, text string, lo, mid, hi, flags int32) {
		if d, err := clr.ParseDecimal(text); err == nil {
			back, err := clr.ParseDecimal(d.String())
			require.NoError(t, err)
			require.Equal(t, d, back)
		}
		if d, err := clr.DecimalFromBits([4]int32{lo, mid, hi, flags}); err == nil {
			back, err := clr.ParseDecimal(d.String())
			require.NoError(t, err)
			require.Equal(t, d, back)
		}
	})
}

func TestDateTime(t *testing.T) {
	for text, ticks := range map[string]int64{
		"0001-01-01T00:00:00Z":         0,
		"1970-01-01T00:00:00Z":         621355968000000000,
		"2024-01-15T10:30:00Z":         638409114000000000,
		"9999-12-31T23:59:59.9999999Z": clr.MaxTicks,
		"1969-12-31T23:59:59.9999999Z": 621355967999999999,
		"1600-02-29T12:00:00.0000001Z": 504646416000000001,
	} {
		want, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		d, err := clr.NewDateTime(ticks, clr.Unspecified)
		require.NoError(t, err)
		require.True(t, want.Equal(d.In(nil)), "%s is %s", text, d)
		back, err := clr.DateTimeOf(want)
		require.NoError(t, err)
		require.Equal(t, clr.DateTime{Ticks: ticks, Kind: clr.Utc}, back)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	d := clr.DateTime{Ticks: 638448092960000000}
	require.Equal(t, "2024-02-29T13:14:56+01:00", d.In(berlin).Format(time.RFC3339))
	back, err := clr.DateTimeOf(d.In(berlin))
	require.NoError(t, err)
	require.Equal(t, d, back, "a zone of Go is no kind of .NET")
	for _, bad := range []time.Time{time.Date(0, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(math.MaxInt64, 0)} {
		_, err := clr.DateTimeOf(bad)
		require.ErrorIs(t, err, clr.ErrTime)
	}
	for _, ticks := range []int64{-1, clr.MaxTicks + 1, math.MinInt64, math.MaxInt64} {
		_, err := clr.NewDateTime(ticks, clr.Utc)
		require.ErrorIs(t, err, clr.ErrTime)
	}
	require.Equal(t, "Unspecified Utc Local Kind(3)", clr.Unspecified.String()+" "+clr.Utc.String()+" "+clr.Local.String()+" "+clr.Kind(3).String())
}

func TestTimeSpan(t *testing.T) {
	for ticks, text := range map[clr.TimeSpan]string{
		0: "00:00:00", 1: "00:00:00.0000001", -clr.TicksPerDay: "-1.00:00:00", 90 * clr.TicksPerSecond: "00:01:30",
		math.MaxInt64: "10675199.02:48:05.4775807", math.MinInt64: "-10675199.02:48:05.4775808",
	} {
		require.Equal(t, text, ticks.String())
		d, ok := ticks.Duration()
		require.Equal(t, ticks < math.MaxInt64 && ticks > math.MinInt64, ok)
		if ok {
			require.Equal(t, ticks, clr.TimeSpanOf(d))
		}
	}
	require.Equal(t, clr.TimeSpan(1), clr.TimeSpanOf(199))
	require.Equal(t, clr.TimeSpan(-1), clr.TimeSpanOf(-199))
	edge := clr.TimeSpan(math.MaxInt64 / 100)
	_, ok := edge.Duration()
	require.True(t, ok)
	_, ok = (edge + 1).Duration()
	require.False(t, ok)
}

func TestGuid(t *testing.T) {
	const text = "00112233-4455-6677-8899-aabbccddeeff"
	g, err := clr.ParseGuid(text)
	require.NoError(t, err)
	require.Equal(t, text, g.String())
	require.Equal(t, "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff", string(net(g)))
	require.Equal(t, g, clr.GuidFromNET(g.NET()))
	braces, err := clr.ParseGuid("{00112233-4455-6677-8899-AABBCCDDEEFF}")
	require.NoError(t, err)
	require.Equal(t, g, braces)
	for _, bad := range []string{"", "x", text + "0", "{" + text, text[:35], "00112233-4455-6677-8899-aabbccddeefg", "001122334455-6677-8899-aabbccddeeff-"} {
		_, err := clr.ParseGuid(bad)
		require.ErrorIs(t, err, clr.ErrGuid, bad)
	}
	j, err := json.Marshal(map[string]clr.Guid{"g": g})
	require.NoError(t, err)
	require.JSONEq(t, `{"g":"`+text+`"}`, string(j))
	var back map[string]clr.Guid
	require.NoError(t, json.Unmarshal(j, &back))
	require.Equal(t, g, back["g"])
}

func net(g clr.Guid) []byte { b := g.NET(); return b[:] }

func TestScalars(t *testing.T) {
	require.Equal(t, "é", clr.Char('é').String())
	require.True(t, clr.Char(0xd800).IsSurrogate())
	require.True(t, clr.Char(0xdfff).IsSurrogate())
	require.False(t, clr.Char(0xe000).IsSurrogate())
	require.Equal(t, '\ufffd', clr.Char(0xdc00).Rune())
	require.Equal(t, "-5", clr.IntPtr{Value: -5}.String())
	require.Equal(t, "5", clr.UIntPtr{Value: 5, Narrow: true}.String())
}
