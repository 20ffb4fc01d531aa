package report

import (
	"math"
	"strconv"
	"strings"
)

// none stands where nothing was measured.
const none = "–"

// Spell writes a figure for people, in its unit, with three digits that count:
// 1234 ns is "1.23 µs". NaN is "–".
func Spell(v float64, unit string) string {
	if math.IsNaN(v) {
		return none
	}
	switch unit {
	case Nanoseconds:
		return scaled(v, 1000, "ns", "µs", "ms", "s")
	case Bytes:
		return scaled(v, 1024, "B", "KiB", "MiB", "GiB", "TiB")
	case PerSecond:
		return number(v) + unit
	case Percent:
		if a := math.Abs(v); a >= 0.05 && a < 99.95 {
			return strconv.FormatFloat(v, 'f', 1, 64) + unit
		}
		return number(v) + unit
	case Times:
		if a := math.Abs(v); a >= 0.01 && a < 0.9995 {
			return strconv.FormatFloat(v, 'f', 2, 64) + unit
		}
		return digits(v) + unit
	case Count:
		return number(v)
	}
	return number(v) + " " + unit
}

// scaled divides by the base until the number is short.
func scaled(v, base float64, units ...string) string {
	i := 0
	for i < len(units)-1 && math.Abs(v) >= base-0.5 {
		v /= base
		i++
	}
	s := number(v)
	if i > 0 {
		s = digits(v)
		if base == 1024 && math.Abs(v) < 99.95 {
			s = strconv.FormatFloat(v, 'f', 1, 64)
		}
	}
	return s + " " + units[i]
}

// number writes whole numbers whole and others with three digits that count.
func number(v float64) string {
	if v == math.Trunc(v) {
		return commas(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return digits(v)
}

// digits writes three digits that count, and no fewer than the whole number has.
func digits(v float64) string {
	a := math.Abs(v)
	decimals := 0
	switch {
	case a == 0:
		decimals = 2
	case a < 0.9995:
		decimals = 2 - int(math.Floor(math.Log10(a)))
		if a < 0.0001 {
			return strconv.FormatFloat(v, 'g', 3, 64)
		}
		return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', decimals, 64), "0"), ".")
	case a < 9.995:
		decimals = 2
	case a < 99.95:
		decimals = 1
	}
	return commas(strconv.FormatFloat(v, 'f', decimals, 64))
}

// commas groups the digits before the point by three.
func commas(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, dot := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + fraction
	}
	if strings.Trim(whole, "0.") == "" {
		sign = "" // no -0
	}
	return sign + whole
}

// short writes a round figure as short as it goes, for axes and for what is
// wanted: 20000 is "20 K", 10x is "10x".
func short(v float64, unit string) string {
	plain := func(v float64) string { return commas(strconv.FormatFloat(v, 'f', -1, 64)) }
	in := func(base float64, gap string, units ...string) string {
		i := 0
		for i < len(units)-1 && math.Abs(v) >= base {
			v /= base
			i++
		}
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // 0.30000000000000004
		return strings.TrimSuffix(plain(v)+gap+units[i], " ")
	}
	if v == 0 {
		return "0"
	}
	switch unit {
	case Nanoseconds:
		return in(1000, " ", "ns", "µs", "ms", "s")
	case Bytes:
		return in(1024, " ", "B", "KiB", "MiB", "GiB", "TiB")
	case PerSecond:
		return in(1000, " ", "", "K", "M", "G") + unit
	case Times, Percent:
		return in(math.Inf(1), "", unit)
	case Count:
		return in(1000, " ", "", "K", "M", "G")
	}
	return in(1000, " ", "", "K", "M", "G") + " " + unit
}

// Measured is the figure, with as many digits as tell it from what is wanted
// where it falls short by little.
func (c Claim) Measured() string {
	s := Spell(c.Value, c.Unit)
	if c.Holds() || s != Spell(c.Want, c.Unit) {
		return s
	}
	exact := commas(strconv.FormatFloat(c.Value, 'f', -1, 64))
	switch c.Unit {
	case Times, Percent, PerSecond, Count:
		return exact + c.Unit
	}
	return exact + " " + c.Unit
}

// Wanted is the promise, as "≥ 10x".
func (c Claim) Wanted() string {
	sign := "≥ "
	if c.Op == "<=" {
		sign = "≤ "
	}
	want := short(c.Want, c.Unit)
	if c.Unit == Bytes && strings.Contains(want, ".") { // a power of ten
		want = Spell(c.Want, c.Unit)
	}
	return sign + want
}
