package nrbf

import (
	"cmp"
	"math"
	"strings"

	"github.com/aspsession/aspsession/clr"
)

// sameKey compares two keys as .NET's default comparers do: text, primitives,
// enums and the structs of ScalarOf by what they are, objects by identity. A
// struct that is not known here cannot be compared.
func sameKey(a, b Value) (bool, error) {
	x, okA := ScalarOf(a)
	y, okB := ScalarOf(b)
	if okA && okB {
		if a.Kind().Primitive() && b.Kind().Primitive() && a.kind != b.kind {
			return false, nil // 1 and 1L are two keys
		}
		if f, ok := x.(float64); ok && math.IsNaN(f) {
			g, ok := y.(float64)
			return ok && math.IsNaN(g), nil // .NET's Equals
		}
		if e, ok := x.(EnumValue); ok {
			f, ok := y.(EnumValue)
			return ok && e.Type == f.Type && e.Value.Any() == f.Value.Any(), nil
		}
		if d, ok := x.(clr.Decimal); ok {
			e, ok := y.(clr.Decimal)
			return ok && d.Cmp(e) == 0, nil
		}
		if d, ok := x.(clr.DateTime); ok {
			e, ok := y.(clr.DateTime)
			return ok && d.Ticks == e.Ticks, nil
		}
		return x == y, nil
	}
	p, q := a.Object(), b.Object()
	if p != nil && q != nil && p != q && p.Inline() && q.Inline() {
		return false, usage(p.class.name, ErrUnsupported, "keys of this struct cannot be compared here")
	}
	return a.kind == b.kind && a.p == b.p && a.n == b.n, nil
}

// search finds the place of a key among sorted ones.
func search(keys []Value, k, comparer Value) (at int, found bool, err error) {
	for at < len(keys) {
		c, err := order(keys[at], k, comparer)
		if err != nil {
			return 0, false, err
		}
		if c >= 0 {
			return at, c == 0, nil
		}
		at++
	}
	return at, false, nil
}

// order compares two keys of a sorted collection as far as that is certain.
// .NET compares text by culture; letters and digits of ASCII have one order in
// all but a few, other text only under an ordinal comparer.
func order(a, b, comparer Value) (int, error) {
	name := comparer.Object().className()
	ordinal := strings.HasPrefix(name, "System.Ordinal")
	known := ordinal || comparer.IsNull() || !comparer.Exists() ||
		strings.HasPrefix(name, "System.Collections.Comparer") ||
		strings.HasPrefix(name, "System.Collections.Generic.GenericComparer`1") ||
		strings.HasPrefix(name, "System.Collections.Generic.ObjectComparer`1")
	if !known {
		return 0, usage(name, ErrUnsupported, "the order of this comparer is not known here")
	}
	if s, ok := a.Text(); ok {
		t, ok := b.Text()
		if !ok {
			return 0, usage("key", ErrType, "%s among strings", describe(b))
		}
		if ordinal {
			ignore, _ := comparer.Object().Get("_ignoreCase").Bool()
			if ignore {
				s, t = strings.ToUpper(s), strings.ToUpper(t)
			}
			if !simpleText(s) || !simpleText(t) {
				if !ascii(s) || !ascii(t) {
					return 0, usage("key", ErrUnsupported, "the order of text that is not ASCII is not known here")
				}
			}
			return strings.Compare(s, t), nil
		}
		if !simpleText(s) || !simpleText(t) {
			return 0, usage("key", ErrUnsupported, "the order of text beyond letters and digits depends on a culture")
		}
		if c := strings.Compare(strings.ToLower(s), strings.ToLower(t)); c != 0 {
			return c, nil
		}
		return -strings.Compare(s, t), nil // a before A
	}
	if a.kind == b.kind {
		switch a.kind {
		case KindSByte, KindInt16, KindInt32, KindInt64, KindTimeSpan:
			return cmp.Compare(int64(a.n), int64(b.n)), nil
		case KindByte, KindUInt16, KindUInt32, KindUInt64, KindChar, KindBoolean:
			return cmp.Compare(a.n, b.n), nil
		case KindDateTime:
			return cmp.Compare(dateTime(a.n).Ticks, dateTime(b.n).Ticks), nil
		case KindSingle, KindDouble:
			x, _ := a.Float()
			y, _ := b.Float()
			return cmp.Compare(x, y), nil // NaN first, as .NET has it
		case KindDecimal:
			x, _ := a.Decimal()
			y, _ := b.Decimal()
			return x.Cmp(y), nil
		}
	}
	return 0, usage("key", ErrUnsupported, "the order of %s and %s is not known here", describe(a), describe(b))
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e })
}

func simpleText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

func (o *Object) className() string {
	if o == nil {
		return ""
	}
	return o.class.name
}

// hashPrimes are the sizes that .NET takes for tables (HashHelpers.primes).
var hashPrimes = [...]int{
	3, 7, 11, 17, 23, 29, 37, 47, 59, 71, 89, 107, 131, 163, 197, 239, 293, 353, 431, 521, 631, 761, 919,
	1103, 1327, 1597, 1931, 2333, 2801, 3371, 4049, 4861, 5839, 7013, 8419, 10103, 12143, 14591,
	17519, 21023, 25229, 30293, 36353, 43627, 52361, 62851, 75431, 90523, 108631, 130363, 156437,
	187751, 225307, 270371, 324449, 389357, 467237, 560689, 672827, 807403, 968897, 1162687, 1395263,
	1674319, 2009191, 2411033, 2893249, 3471899, 4166287, 4999559, 5999471, 7199369,
}

// hashSize is the size of a table for n entries, never under 0: the one it has
// where it suffices, else what .NET grows it to.
func hashSize(size, n int) int {
	size = max(size, 0)
	for size < n {
		size = hashPrime(2 * size)
	}
	return size
}

func hashPrime(least int) int {
	for _, p := range hashPrimes {
		if p >= least {
			return p
		}
	}
	return least | 1
}
