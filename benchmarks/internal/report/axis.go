package report

import (
	"math"
	"slices"
	"unicode/utf8"

	"gonum.org/v1/plot"
)

// maxTicks is how many labels an axis has at most.
const maxTicks = 8

// A span is the range of an axis and its ticks.
type span struct {
	lo, hi float64
	ticks  []plot.Tick
}

// label adds a tick that says its value.
func (s *span) label(v float64, unit string) {
	s.ticks = append(s.ticks, plot.Tick{Value: v, Label: short(v, unit)})
}

// linear is a span from zero, or below where a value is, in round steps.
func linear(values []float64, unit string) span {
	lo, hi := min(0, slices.Min(values)), max(0, slices.Max(values))
	if lo == hi {
		hi = 1
	}
	scale := 1.0
	if unit == Bytes {
		for (hi-lo)/scale >= 1024 {
			scale *= 1024
		}
	}
	step := roundUp((hi-lo)/scale/6) * scale
	s := span{lo: math.Floor(lo/step) * step, hi: math.Ceil(hi/step) * step}
	for i := math.Round(s.lo / step); i*step <= s.hi+step/2; i++ {
		s.label(i*step, unit)
	}
	return s
}

// logarithmic is a span of values above zero: bytes in powers of two, all else in
// powers of ten with 2 and 5 between where there is room.
func logarithmic(values []float64, unit string) span {
	lo, hi := slices.Min(values), slices.Max(values)
	if unit == Bytes {
		first, last := math.Floor(math.Log2(lo)), math.Ceil(math.Log2(hi))
		if first == last {
			last++
		}
		s := span{lo: math.Exp2(first), hi: math.Exp2(last)}
		every := 1.0
		for _, every = range []float64{1, 2, 5, 10, 20} {
			if (last-first)/every < maxTicks {
				break
			}
		}
		for e := math.Ceil(first/every) * every; e <= last; e += every {
			s.label(math.Exp2(e), unit)
		}
		return s
	}
	s := span{lo: roundDown(lo), hi: roundUp(hi)}
	if s.lo == s.hi {
		s.lo, s.hi = roundDown(lo*0.99), roundUp(hi*1.01)
	}
	first, last := math.Floor(math.Log10(s.lo)), math.Ceil(math.Log10(s.hi))
	every := math.Ceil((last - first) / maxTicks)
	between := math.Log10(s.hi/s.lo) < 2.5 // decades
	for e := first; e <= last; e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			switch {
			case v < s.lo*0.999 || v > s.hi*1.001:
			case m == 1 && math.Mod(e-first, every) == 0, between && (m == 2 || m == 5):
				s.label(v, unit)
			case every == 1:
				s.ticks = append(s.ticks, plot.Tick{Value: v})
			}
		}
	}
	return s
}

// exactly puts the ticks of a logarithmic axis on the values themselves, where
// they are few, round and apart.
func (s span) exactly(values []float64, unit string) span {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	if len(values) > maxTicks || len(values) < 2 {
		return s
	}
	e := span{lo: values[0], hi: values[len(values)-1]}
	for i, v := range values {
		if i > 0 && math.Log(v/values[i-1])/math.Log(e.hi/e.lo) < 0.1 {
			return s
		}
		e.label(v, unit)
		if utf8.RuneCountInString(e.ticks[i].Label) > len("100 K/s") {
			return s
		}
	}
	return e
}

// roundUp and roundDown give the next 1, 2 or 5 times a power of ten.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

func roundDown(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{5, 2} {
		if v >= m*power*(1-1e-9) {
			return m * power
		}
	}
	return power
}
