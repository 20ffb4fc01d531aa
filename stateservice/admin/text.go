package admin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// tame is text of a stranger, of so many characters at most: what a browser does
// not print, or obeys, as a change of writing direction, is spelled out.
func tame(s string, most int) string {
	var b strings.Builder
	for n := 0; len(s) > 0; n++ {
		if n == most {
			b.WriteString("…")
			break
		}
		r, width := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && width == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			spelled := strconv.QuoteRuneToASCII(r)
			b.WriteString(spelled[1 : len(spelled)-1])
		}
		s = s[width:]
	}
	return b.String()
}

// grouped writes a number with commas.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is "1 entry" or "3 entries".
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// size is a number of bytes in three or four digits.
func size(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, unit := float64(n), 0
	for f >= 1000 && unit < 4 {
		f /= 1024
		unit++
	}
	return short(f) + " " + [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// short is a number that is not negative in about three digits.
func short(f float64) string {
	switch {
	case f >= 1e15:
		return strconv.FormatFloat(f, 'g', 3, 64)
	case f >= 99.5:
		return grouped(int64(f + 0.5))
	case f >= 9.95:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f == float64(int64(f)): // zero too
		return strconv.FormatInt(int64(f), 10)
	case f >= 0.095:
		return strconv.FormatFloat(f, 'f', 1, 64)
	case f >= 0.01:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return "< 0.01"
}

// span is a duration in its two largest units.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "−" + span(-max(d, -1<<62))
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + " µs"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatInt(int64(d/time.Second), 10) + " s"
	case d < time.Hour:
		return two(d, time.Minute, "min", time.Second, "s")
	case d < 24*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "min")
	}
	return two(d, 24*time.Hour, "d", time.Hour, "h")
}

func two(d, large time.Duration, largeUnit string, small time.Duration, smallUnit string) string {
	s := strconv.FormatInt(int64(d/large), 10) + " " + largeUnit
	if rest := d % large / small; rest > 0 {
		s += " " + strconv.FormatInt(int64(rest), 10) + " " + smallUnit
	}
	return s
}
