package nrbf

import (
	"fmt"
	"math"

	"github.com/aspsession/aspsession/clr"
)

// A Value is a member, an element or the root: a primitive, null, or a pointer
// to an [Object], [Array] or [String]. It is small, cheap to copy and fixed:
// change the graph through the object or array that holds it. The zero Value is
// [KindNone], what a missing member gives.
type Value struct {
	p    *node
	n    uint64 // primitive: its bits; null in an array: length of the run
	kind Kind
}

var null = Value{kind: KindNull, n: 1}

// Kind says what the value is.
func (v Value) Kind() Kind {
	if v.kind == kindNode {
		return v.p.kind
	}
	return v.kind
}

// Exists is false for a member or element that is not there.
func (v Value) Exists() bool { return v.kind != KindNone }

// IsNull is true for null only, not for what is not there.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Object returns the object, or nil for any other value. A nil *Object has no
// members, so lookups can be chained.
func (v Value) Object() *Object {
	if v.kind == kindNode && v.p.kind == KindObject {
		return (*Object)(v.p)
	}
	return nil
}

// Array returns the array, or nil for any other value; a nil *Array is empty.
func (v Value) Array() *Array {
	if v.kind == kindNode && v.p.kind == KindArray {
		return (*Array)(v.p)
	}
	return nil
}

// Str returns the string with its identity, or nil for any other value.
func (v Value) Str() *String {
	if v.kind == kindNode && v.p.kind == KindString {
		return (*String)(v.p)
	}
	return nil
}

// Text returns the text of a string.
func (v Value) Text() (s string, ok bool) {
	if v.kind == kindNode && v.p.kind == KindString {
		return v.p.text, true
	}
	return "", false
}

// Bool returns a Boolean.
func (v Value) Bool() (b, ok bool) {
	ok = v.kind == KindBoolean
	return ok && v.n != 0, ok
}

// Int returns an integer of any of the eight types if an int64 holds it.
func (v Value) Int() (n int64, ok bool) {
	switch v.kind {
	case KindInt32, KindInt64, KindInt16, KindSByte, KindByte, KindUInt16, KindUInt32:
		return int64(v.n), true
	case KindUInt64:
		return int64(v.n), v.n <= math.MaxInt64
	}
	return 0, false
}

// Uint returns an integer of any of the eight types if it is not negative.
func (v Value) Uint() (n uint64, ok bool) {
	switch v.kind {
	case KindInt32, KindInt64, KindInt16, KindSByte:
		return v.n, int64(v.n) >= 0
	case KindByte, KindUInt16, KindUInt32, KindUInt64:
		return v.n, true
	}
	return 0, false
}

// Float returns a Double or a Single.
func (v Value) Float() (f float64, ok bool) {
	switch v.kind {
	case KindDouble:
		return math.Float64frombits(v.n), true
	case KindSingle:
		return float64(math.Float32frombits(uint32(v.n))), true
	}
	return 0, false
}

// Char returns a Char.
func (v Value) Char() (clr.Char, bool) {
	if v.kind != KindChar {
		return 0, false
	}
	return clr.Char(v.n), true
}

// TimeSpan returns a TimeSpan.
func (v Value) TimeSpan() (clr.TimeSpan, bool) {
	if v.kind != KindTimeSpan {
		return 0, false
	}
	return clr.TimeSpan(v.n), true
}

// DateTime returns a DateTime with its kind.
func (v Value) DateTime() (clr.DateTime, bool) {
	if v.kind != KindDateTime {
		return clr.DateTime{}, false
	}
	return dateTime(v.n), true
}

// Decimal returns a Decimal. The stream holds text, which is parsed here.
func (v Value) Decimal() (clr.Decimal, bool) {
	if v.kind != KindDecimal {
		return clr.Decimal{}, false
	}
	d, err := parseDecimal(v.decimalText())
	return d, err == nil
}

// Bits returns a primitive as it is stored: the IEEE bits of a float, all 64
// bits of a DateTime (kind in the top two, 3 for a local time that a change to
// winter time made ambiguous), the byte of a Boolean. False for a Decimal.
func (v Value) Bits() (uint64, bool) {
	if !v.kind.Primitive() || v.kind == KindDecimal {
		return 0, false
	}
	return v.n, true
}

// Any returns the value in the Go type that its [Kind] names.
func (v Value) Any() any {
	switch v.Kind() {
	case KindBoolean:
		return v.n != 0
	case KindByte:
		return uint8(v.n)
	case KindChar:
		return clr.Char(v.n)
	case KindDecimal:
		d, _ := v.Decimal()
		return d
	case KindDouble:
		return math.Float64frombits(v.n)
	case KindInt16:
		return int16(v.n)
	case KindInt32:
		return int32(v.n)
	case KindInt64:
		return int64(v.n)
	case KindSByte:
		return int8(v.n)
	case KindSingle:
		return math.Float32frombits(uint32(v.n))
	case KindTimeSpan:
		return clr.TimeSpan(v.n)
	case KindDateTime:
		return dateTime(v.n)
	case KindUInt16:
		return uint16(v.n)
	case KindUInt32:
		return uint32(v.n)
	case KindUInt64:
		return v.n
	case KindString:
		return v.p.text
	case KindObject:
		return (*Object)(v.p)
	case KindArray:
		return (*Array)(v.p)
	}
	return nil
}

// String is for people: the value of a primitive, the class of an object.
func (v Value) String() string {
	switch v.Kind() {
	case KindNone:
		return "none"
	case KindNull:
		return "null"
	case KindObject:
		return v.Object().Class().Name()
	case KindArray:
		return v.Array().String()
	case KindString:
		return fmt.Sprintf("%q", clip(v.p.text))
	}
	return fmt.Sprint(v.Any())
}

func (v Value) decimalText() []byte {
	return v.p.arr.data[v.n>>32:][:uint32(v.n)]
}

// dateTime splits the stored bits; both local kinds are Local.
func dateTime(bits uint64) clr.DateTime {
	kind := clr.Kind(bits >> 62)
	if kind > clr.Local {
		kind = clr.Local
	}
	return clr.DateTime{Ticks: int64(bits & (1<<62 - 1)), Kind: kind}
}

// parseDecimal reads short numbers, which nearly all are, without a string.
func parseDecimal(b []byte) (clr.Decimal, error) {
	var n int64
	scale, digits, point, bad := 0, 0, false, false
	neg := len(b) > 0 && b[0] == '-'
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
			digits++
			if point {
				scale++
			}
		case c == '.' && !point:
			point = true
		default:
			bad = bad || i > 0 || !neg
		}
		if digits > 18 {
			bad = true
			break
		}
	}
	if bad || digits == 0 || neg && n == 0 {
		return clr.ParseDecimal(string(b))
	}
	if neg {
		n = -n
	}
	return clr.NewDecimal(n, uint8(scale)), nil
}
