package nrbf

import (
	"encoding/binary"
	"math"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
)

// Bytes returns the elements of a byte[] without copying: they are the bytes
// that were given to [Decode] and must not be changed. It returns nil for any
// other array.
func (a *Array) Bytes() []byte {
	if a == nil || !a.primitive() || a.arr.elem.Kind != KindByte {
		return nil
	}
	return a.arr.data[:len(a.arr.data):len(a.arr.data)]
}

// Raw returns the stored bytes of an array of primitives without copying,
// little-endian values one behind the other, and their kind. Char is UTF-8,
// Decimal is text with a length in front. KindNone for other arrays.
func (a *Array) Raw() ([]byte, Kind) {
	if a == nil || !a.primitive() {
		return nil, KindNone
	}
	return a.arr.data[:len(a.arr.data):len(a.arr.data)], a.arr.elem.Kind
}

// A Primitive is a Go type that stands for a primitive .NET type.
type Primitive interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 |
		clr.Char | clr.Decimal | clr.DateTime | clr.TimeSpan
}

// KindOf returns the kind for which T stands.
func KindOf[T Primitive]() Kind {
	var zero T
	return kindOf(zero)
}

func kindOf(v any) Kind {
	switch v.(type) {
	case bool:
		return KindBoolean
	case int8:
		return KindSByte
	case int16:
		return KindInt16
	case int32:
		return KindInt32
	case int64:
		return KindInt64
	case uint8:
		return KindByte
	case uint16:
		return KindUInt16
	case uint32:
		return KindUInt32
	case uint64:
		return KindUInt64
	case float32:
		return KindSingle
	case float64:
		return KindDouble
	case clr.Char:
		return KindChar
	case clr.Decimal:
		return KindDecimal
	case clr.DateTime:
		return KindDateTime
	case clr.TimeSpan:
		return KindTimeSpan
	}
	return KindNone
}

// Primitives copies the elements of an array of primitives, whatever its rank.
// It returns false when a's elements are not T's: nothing is converted.
func Primitives[T Primitive](a *Array) ([]T, bool) {
	if a == nil || !a.primitive() || a.arr.elem.Kind != KindOf[T]() {
		return nil, false
	}
	out := make([]T, 0, a.arr.total)
	data := a.arr.data
	// One switch on the type, not one per element.
	switch p := any(&out).(type) {
	case *[]uint8:
		*p = append(*p, data...)
	case *[]int32:
		for ; len(data) >= 4; data = data[4:] {
			*p = append(*p, int32(binary.LittleEndian.Uint32(data)))
		}
	case *[]int64:
		for ; len(data) >= 8; data = data[8:] {
			*p = append(*p, int64(binary.LittleEndian.Uint64(data)))
		}
	case *[]float64:
		for ; len(data) >= 8; data = data[8:] {
			*p = append(*p, math.Float64frombits(binary.LittleEndian.Uint64(data)))
		}
	default:
		a.allPrimitives(func(_ int, v Value) bool {
			t, _ := v.Any().(T)
			out = append(out, t)
			return true
		})
	}
	return out, true
}

// primitiveAt reads element i, which must exist.
func (a *Array) primitiveAt(i int) Value {
	kind := a.arr.elem.Kind
	if size := int(kindSizes[kind]); size > 0 {
		return Value{kind: kind, n: loadFixed(kind, a.arr.data[i*size:])}
	}
	var v Value
	a.allPrimitives(func(k int, e Value) bool {
		v = e
		return k < i
	})
	return v
}

func (a *Array) allPrimitives(yield func(int, Value) bool) {
	kind, data := a.arr.elem.Kind, a.arr.data
	switch kind {
	case KindChar:
		for i := 0; len(data) > 0; {
			r, size := utf8.DecodeRune(data)
			data = data[size:]
			if r >= 0x10000 { // two units
				hi, lo := utf16.EncodeRune(r)
				if !yield(i, Value{kind: kind, n: uint64(hi)}) {
					return
				}
				i, r = i+1, lo
			}
			if !yield(i, Value{kind: kind, n: uint64(r)}) {
				return
			}
			i++
		}
	case KindDecimal:
		// Of its own: a Value stays what it is when the array changes.
		source := &node{arr: &shape{data: data}}
		for i, off := 0, 0; off < len(data); i++ {
			n, size := binary.Uvarint(data[off:])
			off += size
			if !yield(i, Value{kind: kind, n: uint64(off)<<32 | n, p: source}) {
				return
			}
			off += int(n)
		}
	default:
		size := int(kindSizes[kind])
		for i := 0; len(data) > 0; i++ {
			if !yield(i, Value{kind: kind, n: loadFixed(kind, data)}) {
				return
			}
			data = data[size:]
		}
	}
}

// loadFixed reads a primitive of fixed size; signed ones fill all 64 bits.
func loadFixed(kind Kind, b []byte) uint64 {
	switch kind {
	case KindBoolean, KindByte:
		return uint64(b[0])
	case KindSByte:
		return uint64(int8(b[0]))
	case KindInt16:
		return uint64(int16(binary.LittleEndian.Uint16(b)))
	case KindUInt16:
		return uint64(binary.LittleEndian.Uint16(b))
	case KindInt32:
		return uint64(int32(binary.LittleEndian.Uint32(b)))
	case KindUInt32, KindSingle:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// appendPrimitive writes what a stream has without a record.
func appendPrimitive(dst []byte, v Value) []byte {
	switch v.kind {
	case KindChar:
		return utf8.AppendRune(dst, rune(v.n))
	case KindDecimal:
		text := v.decimalText()
		return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	for i := range kindSizes[v.kind] {
		dst = append(dst, byte(v.n>>(8*i)))
	}
	return dst
}

// appendUnits writes UTF-16 units as UTF-8; half of a pair becomes U+FFFD, as
// .NET writes it.
func appendUnits(dst []byte, vals []Value) []byte {
	for i := 0; i < len(vals); i++ {
		r := rune(vals[i].n)
		if utf16.IsSurrogate(r) && i+1 < len(vals) {
			if pair := utf16.DecodeRune(r, rune(vals[i+1].n)); pair != utf8.RuneError {
				r = pair
				i++
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
