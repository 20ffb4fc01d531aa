package payload

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
)

// appendValue adds the type id and data of a Go value. have is the type id of
// the item that it replaces, or 0: it steers what an int becomes.
func appendValue(dst []byte, v any, have Type, loc *time.Location) ([]byte, error) {
	le := binary.LittleEndian
	switch v := v.(type) {
	case nil:
		return append(dst, byte(TypeNull)), nil
	case string:
		return appendString(dst, v)
	case bool:
		return appendBool(dst, v), nil
	case int:
		return appendInt(dst, int64(v), have)
	case int8:
		return append(dst, byte(TypeSByte), byte(v)), nil
	case int16:
		return le.AppendUint16(append(dst, byte(TypeInt16)), uint16(v)), nil
	case int32:
		return le.AppendUint32(append(dst, byte(TypeInt32)), uint32(v)), nil
	case int64:
		return le.AppendUint64(append(dst, byte(TypeInt64)), uint64(v)), nil
	case uint:
		return appendUint(dst, uint64(v), have)
	case uint8:
		return append(dst, byte(TypeByte), v), nil
	case uint16:
		return le.AppendUint16(append(dst, byte(TypeUInt16)), v), nil
	case uint32:
		return le.AppendUint32(append(dst, byte(TypeUInt32)), v), nil
	case uint64:
		return le.AppendUint64(append(dst, byte(TypeUInt64)), v), nil
	case float32:
		return le.AppendUint32(append(dst, byte(TypeSingle)), math.Float32bits(v)), nil
	case float64:
		return le.AppendUint64(append(dst, byte(TypeDouble)), math.Float64bits(v)), nil
	case time.Time:
		if loc == nil {
			loc = time.UTC
		}
		d, err := clr.DateTimeOf(v.In(loc))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoForm, err)
		}
		return appendDateTime(dst, d)
	case time.Duration:
		return le.AppendUint64(append(dst, byte(TypeTimeSpan)), uint64(clr.TimeSpanOf(v))), nil
	case clr.TimeSpan:
		return le.AppendUint64(append(dst, byte(TypeTimeSpan)), uint64(v)), nil
	case clr.DateTime:
		return appendDateTime(dst, v)
	case clr.Decimal:
		dst = append(dst, byte(TypeDecimal))
		for _, part := range v.Bits() {
			dst = le.AppendUint32(dst, uint32(part))
		}
		return dst, nil
	case clr.Guid:
		return appendGuid(dst, v), nil
	case clr.Char:
		if v.IsSurrogate() {
			return nil, fmt.Errorf("%w: U+%04X is half of a surrogate pair", ErrNoForm, uint16(v))
		}
		return utf8.AppendRune(append(dst, byte(TypeChar)), rune(v)), nil
	case clr.IntPtr:
		return appendPointer(dst, TypeIntPtr, uint64(v.Value), v.Narrow, v.Value == int64(int32(v.Value)))
	case clr.UIntPtr:
		return appendPointer(dst, TypeUIntPtr, v.Value, v.Narrow, v.Value <= math.MaxUint32)
	case Object:
		if err := v.check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoForm, err)
		}
		return append(append(dst, byte(TypeObject)), v...), nil
	}
	return appendReflect(dst, v, have, loc)
}

var guidType = reflect.TypeFor[[16]byte]()

// appendReflect takes named types by what they are underneath, and pointers by
// what they point to; a nil pointer is null, as a C# Nullable is.
func appendReflect(dst []byte, v any, have Type, loc *time.Location) ([]byte, error) {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.String:
		return appendString(dst, r.String())
	case reflect.Bool:
		return appendBool(dst, r.Bool()), nil
	case reflect.Int:
		return appendInt(dst, r.Int(), have)
	case reflect.Uint:
		return appendUint(dst, r.Uint(), have)
	case reflect.Int8:
		return appendValue(dst, int8(r.Int()), have, loc)
	case reflect.Int16:
		return appendValue(dst, int16(r.Int()), have, loc)
	case reflect.Int32:
		return appendValue(dst, int32(r.Int()), have, loc)
	case reflect.Int64:
		return appendValue(dst, r.Int(), have, loc)
	case reflect.Uint8:
		return appendValue(dst, uint8(r.Uint()), have, loc)
	case reflect.Uint16:
		return appendValue(dst, uint16(r.Uint()), have, loc)
	case reflect.Uint32:
		return appendValue(dst, uint32(r.Uint()), have, loc)
	case reflect.Uint64:
		return appendValue(dst, r.Uint(), have, loc)
	case reflect.Float32:
		return appendValue(dst, float32(r.Float()), have, loc)
	case reflect.Float64:
		return appendValue(dst, r.Float(), have, loc)
	case reflect.Array:
		if r.Type().ConvertibleTo(guidType) {
			return appendGuid(dst, clr.Guid(r.Convert(guidType).Interface().([16]byte))), nil
		}
	case reflect.Pointer:
		if r.IsNil() {
			return append(dst, byte(TypeNull)), nil
		}
		if r.Elem().Kind() != reflect.Pointer {
			return appendValue(dst, r.Elem().Interface(), have, loc)
		}
	}
	return nil, fmt.Errorf("%w for Go type %s", ErrNoForm, r.Type())
}

func appendString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("%w: the string is not UTF-8", ErrNoForm)
	}
	dst = appendLength(append(dst, byte(TypeString)), len(s))
	return append(dst, s...), nil
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, byte(TypeBoolean), 1)
	}
	return append(dst, byte(TypeBoolean), 0)
}

func appendGuid(dst []byte, g clr.Guid) []byte {
	net := g.NET()
	return append(append(dst, byte(TypeGuid)), net[:]...)
}

func appendDateTime(dst []byte, d clr.DateTime) ([]byte, error) {
	if _, err := clr.NewDateTime(d.Ticks, d.Kind); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoForm, err)
	}
	return binary.LittleEndian.AppendUint64(append(dst, byte(TypeDateTime)), uint64(d.Ticks)), nil
}

func appendPointer(dst []byte, t Type, v uint64, narrow, fits bool) ([]byte, error) {
	if !narrow {
		return binary.LittleEndian.AppendUint64(append(dst, byte(t)), v), nil
	}
	if !fits {
		return nil, fmt.Errorf("%w: the value takes more than the 4 bytes of a 32-bit process", ErrOverflow)
	}
	return binary.LittleEndian.AppendUint32(append(dst, byte(t)), uint32(v)), nil
}

// appendInt gives a Go int the integer type that the item has, else Int32.
func appendInt(dst []byte, v int64, have Type) ([]byte, error) {
	le := binary.LittleEndian
	t := have
	ok := true
	switch have {
	case TypeByte:
		ok = v == int64(uint8(v))
	case TypeSByte:
		ok = v == int64(int8(v))
	case TypeInt16:
		ok = v == int64(int16(v))
	case TypeUInt16:
		ok = v == int64(uint16(v))
	case TypeUInt32:
		ok = v == int64(uint32(v))
	case TypeUInt64:
		ok = v >= 0
	case TypeInt64:
	default:
		t = TypeInt32
		ok = v == int64(int32(v))
	}
	if !ok {
		return nil, overflow(fmt.Sprint(v), t, have)
	}
	dst = append(dst, byte(t))
	switch fixedSize[t] {
	case 1:
		return append(dst, byte(v)), nil
	case 2:
		return le.AppendUint16(dst, uint16(v)), nil
	case 4:
		return le.AppendUint32(dst, uint32(v)), nil
	}
	return le.AppendUint64(dst, uint64(v)), nil
}

// appendUint gives a Go uint the integer type that the item has, else UInt32.
func appendUint(dst []byte, v uint64, have Type) ([]byte, error) {
	switch have {
	case TypeByte, TypeSByte, TypeInt16, TypeUInt16, TypeInt32, TypeUInt32, TypeInt64:
		if v > math.MaxInt64 {
			return nil, overflow(fmt.Sprint(v), have, have)
		}
		return appendInt(dst, int64(v), have)
	case TypeUInt64:
		return binary.LittleEndian.AppendUint64(append(dst, byte(TypeUInt64)), v), nil
	}
	if v > math.MaxUint32 {
		return nil, overflow(fmt.Sprint(v), TypeUInt32, have)
	}
	return binary.LittleEndian.AppendUint32(append(dst, byte(TypeUInt32)), uint32(v)), nil
}

func overflow(v string, t, have Type) error {
	if t == have {
		return fmt.Errorf("%w: %s does not fit %s, the type this item has", ErrOverflow, v, t)
	}
	return fmt.Errorf("%w: %s does not fit %s, the type of a new item; set an int64 or uint64 for a wider one", ErrOverflow, v, t)
}
