package admin

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTame(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"", ""},
		{"cart", "cart"},
		{"größe 日本 שלום", "größe 日本 שלום"},
		{"a\nb\x00\x7f", `a\nb\x00\x7f`},
		{"evil\u202egnp.exe", `evil\u202egnp.exe`},
		{"zero\u200bwidth\ufeff", `zero\u200bwidth\ufeff`},
		{"\u2066x\u2069", `\u2066x\u2069`},
		{"cut\xff\xc3", `cut\xff\xc3`},
		{"\U000e0041", `\U000e0041`},
		{"<b>&\"'", "<b>&\"'"}, // the template's matter
		{"1234567890", "1234567890"},
		{"1234567890a", "1234567890…"},
	} {
		most := 64
		if strings.HasPrefix(row.in, "123") {
			most = 10
		}
		require.Equal(t, row.want, tame(row.in, most), "%q", row.in)
	}
	require.Len(t, []rune(tame(strings.Repeat("x", 1<<20), 64)), 65)
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		require.Equal(t, want, grouped(n))
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 KiB", 1024: "1 KiB", 1536: "1.5 KiB", 100 << 10: "100 KiB", 1023 << 10: "1.0 MiB",
		32 << 20: "32 MiB", 5 << 40: "5 TiB"} {
		require.Equal(t, want, size(n), n)
	}
	for f, want := range map[float64]string{0: "0", 0.004: "< 0.01", 0.05: "0.05", 0.26: "0.3", 3: "3", 9.94: "9.9", 12.4: "12", 1234.4: "1,234", 1e18: "1e+18"} {
		require.Equal(t, want, short(f), f)
	}
	for d, want := range map[time.Duration]string{0: "0 µs", 64 * time.Microsecond: "64 µs", 250 * time.Millisecond: "250 ms", 59 * time.Second: "59 s",
		60 * time.Second: "1 min", 61 * time.Second: "1 min 1 s", 20 * time.Hour: "20 h", 25*time.Hour + time.Minute: "1 d 1 h", -time.Minute: "−1 min"} {
		require.Equal(t, want, span(d), d)
	}
	require.Contains(t, span(-1<<63), "−")
}

// A number of a million digits is not worked out to show a few of them.
func TestLargeNumbers(t *testing.T) {
	require.Equal(t, "-12345678901234567890", text(new(big.Int).Neg(new(big.Int).SetUint64(12345678901234567890))))
	require.Equal(t, "a number of 60000001 bits", text(new(big.Int).Lsh(big.NewInt(1), 60_000_000)))
}

func TestApplication(t *testing.T) {
	for key, want := range map[string]string{
		"/LM/W3SVC/1/ROOT(abc=)/id":          "/LM/W3SVC/1/ROOT",
		"/LM/W3SVC/1/ROOT/a(b)(a/b+c=)/id":   "/LM/W3SVC/1/ROOT/a(b)", // a slash of base64
		"/LM/W3SVC/1/ROOT(abc=)/i(d":         "/LM/W3SVC/1/ROOT",
		"":                                   foreign,
		"/a":                                 foreign,
		"(abc)/id":                           foreign,
		"no)/id":                             foreign,
		"\xff(x)/":                           "\xff",
		strings.Repeat("x", 1000) + "(h)/id": strings.Repeat("x", 1000),
	} {
		require.Equal(t, want, application(key), key)
	}
}

// Names tell keys apart, and mean nothing to another handler.
func TestNames(t *testing.T) {
	a, b := newNamer(), newNamer()
	long := strings.Repeat("k", 5000)
	require.Equal(t, a.name(long), a.name(long))
	require.NotEqual(t, a.name(long), a.name(long+"k"))
	require.NotEqual(t, a.name("k"), b.name("k"))
	require.Len(t, a.name("").String(), 16)
	back, ok := parseName(a.name("k").String())
	require.True(t, ok)
	require.Equal(t, a.name("k"), back)
	for _, bad := range []string{"", "0", "00", "000000000000000g", "00000000000000000", "000000000000000000", strings.Repeat("0", 1000)} {
		_, ok := parseName(bad)
		require.False(t, ok, bad)
	}
}

func TestPlainType(t *testing.T) {
	for in, want := range map[string]string{
		"System.String":    "System.String",
		"System.Int32[,]":  "System.Int32[,]",
		"System.Int32[][]": "System.Int32[][]",
		"System.Collections.Generic.List`1[[Shop.Cart, Shop, Version=1.0.0.0, Culture=neutral]]":    "System.Collections.Generic.List`1[[Shop.Cart]]",
		"D`2[[System.String, mscorlib, Version=4.0.0.0],[L`1[[System.Int32, mscorlib]], mscorlib]]": "D`2[[System.String],[L`1[[System.Int32]]]]",
		"]]][[[,,,": "]]][[[,,,",
	} {
		require.NotPanics(t, func() { plainType(in) })
		if in[0] != ']' {
			require.Equal(t, want, plainType(in))
		}
	}
}
