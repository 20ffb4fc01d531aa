package payload

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
)

// Get decodes the item of a key. ok is false where there is none; an item that
// holds null is (nil, true, nil). What it returns is a copy: changing it changes
// nothing, Set does.
//
//	id  .NET                     Go
//	1   String                   string; bytes that are no UTF-8 become U+FFFD
//	2   Int32                    int32
//	3   Boolean                  bool
//	4   DateTime                 time.Time in the zone of SetLocation
//	5   Decimal                  clr.Decimal
//	6   Byte                     uint8
//	7   Char                     clr.Char
//	8   Single                   float32
//	9   Double                   float64
//	10  SByte                    int8
//	11  Int16                    int16
//	12  Int64                    int64
//	13  UInt16                   uint16
//	14  UInt32                   uint32
//	15  UInt64                   uint64
//	16  TimeSpan                 time.Duration, or clr.TimeSpan beyond +-292 years
//	17  Guid                     clr.Guid
//	18  IntPtr                   clr.IntPtr
//	19  UIntPtr                  clr.UIntPtr
//	20  any other object         Object; see Value for Go types in its place
//	21  null                     nil
//
// The error is an [*Error] with ErrTruncated, ErrCorrupt, ErrUnknownType or, for
// an item in a foreign encoding, ErrEncoding.
func (it *Items) Get(key string) (value any, ok bool, err error) {
	i := it.find(key)
	if i < 0 {
		return nil, false, nil
	}
	value, err = it.item(i).Decode(it.loc)
	return value, true, err
}

// Decode is what [Items.Get] returns for this item; loc is the zone of DateTime
// values, nil for UTC.
func (item Item) Decode(loc *time.Location) (any, error) {
	if item.Encoding == Foreign {
		return nil, item.fail(0, fmt.Errorf("%w: only its own serializer can read it", ErrEncoding))
	}
	if item.Encoding == Stream {
		o := Object(item.Data)
		if err := o.check(); err != nil {
			return nil, item.fail(0, err)
		}
		return append(Object(nil), o...), nil
	}
	v, err := decodeValue(item.Data, loc)
	if err != nil {
		return nil, item.fail(0, err)
	}
	return v, nil
}

// fail wraps a reason with the item's place.
func (item Item) fail(rel int, err error) error {
	e := &Error{Offset: item.Offset, Field: "value", Index: item.Index, Key: item.Key, Type: item.Type(), Err: err}
	if e.Offset >= 0 {
		e.Offset += rel
	}
	return e
}

// Sizes of the data behind the type id; 0 where it varies.
var fixedSize = [TypeNull + 1]int{
	TypeInt32: 4, TypeBoolean: 1, TypeDateTime: 8, TypeDecimal: 16, TypeByte: 1, TypeSingle: 4, TypeDouble: 8,
	TypeSByte: 1, TypeInt16: 2, TypeInt64: 8, TypeUInt16: 2, TypeUInt32: 4, TypeUInt64: 8, TypeTimeSpan: 8, TypeGuid: 16,
}

// decodeValue reads a type id and its data. Bytes of the item behind the value
// are ignored, as .NET ignores them.
func decodeValue(data []byte, loc *time.Location) (any, error) {
	t, b, err := splitValue(data)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	switch t {
	case TypeString:
		return decodeString(b)
	case TypeInt32:
		return int32(le.Uint32(b)), nil
	case TypeBoolean:
		return b[0] != 0, nil
	case TypeDateTime:
		d, err := decodeDateTime(b)
		if err != nil {
			return nil, err
		}
		return d.In(loc), nil
	case TypeDecimal:
		d, err := clr.DecimalFromBits([4]int32{int32(le.Uint32(b)), int32(le.Uint32(b[4:])), int32(le.Uint32(b[8:])), int32(le.Uint32(b[12:]))})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return d, nil
	case TypeByte:
		return b[0], nil
	case TypeChar:
		return decodeChar(b)
	case TypeSingle:
		return math.Float32frombits(le.Uint32(b)), nil
	case TypeDouble:
		return math.Float64frombits(le.Uint64(b)), nil
	case TypeSByte:
		return int8(b[0]), nil
	case TypeInt16:
		return int16(le.Uint16(b)), nil
	case TypeInt64:
		return int64(le.Uint64(b)), nil
	case TypeUInt16:
		return le.Uint16(b), nil
	case TypeUInt32:
		return le.Uint32(b), nil
	case TypeUInt64:
		return le.Uint64(b), nil
	case TypeTimeSpan:
		s := clr.TimeSpan(le.Uint64(b))
		if d, ok := s.Duration(); ok {
			return d, nil
		}
		return s, nil
	case TypeGuid:
		return clr.GuidFromNET([16]byte(b)), nil
	case TypeIntPtr:
		if len(b) == 4 {
			return clr.IntPtr{Value: int64(int32(le.Uint32(b))), Narrow: true}, nil
		}
		return clr.IntPtr{Value: int64(le.Uint64(b))}, nil
	case TypeUIntPtr:
		if len(b) == 4 {
			return clr.UIntPtr{Value: uint64(le.Uint32(b)), Narrow: true}, nil
		}
		return clr.UIntPtr{Value: le.Uint64(b)}, nil
	case TypeObject:
		if err := Object(b).check(); err != nil {
			return nil, err
		}
		return append(Object(nil), b...), nil
	default: // TypeNull: splitValue lets no other through
		return nil, nil
	}
}

// splitValue checks the type id and that fixed data is all there.
func splitValue(data []byte) (Type, []byte, error) {
	if len(data) == 0 {
		return 0, nil, fmt.Errorf("%w: no type id, the item has no bytes", ErrTruncated)
	}
	t, b := Type(data[0]), data[1:]
	if !t.valid() {
		return 0, nil, fmt.Errorf("%w %d", ErrUnknownType, data[0])
	}
	need := fixedSize[t]
	if t == TypeIntPtr || t == TypeUIntPtr {
		// The width is that of the process that wrote it.
		if need = 4; len(b) > 4 {
			need = 8
		}
	}
	if len(b) < need {
		return 0, nil, fmt.Errorf("%w: %d bytes needed, %d left in the item", ErrTruncated, need, len(b))
	}
	return t, b, nil
}

func decodeString(b []byte) (string, error) {
	n, used, err := readLength(b)
	if err != nil {
		return "", err
	}
	if n > len(b)-used {
		return "", fmt.Errorf("%w: the string takes %d bytes, %d are left in the item", ErrTruncated, n, len(b)-used)
	}
	return decodeText(b[used : used+n]), nil
}

func decodeDateTime(b []byte) (clr.DateTime, error) {
	d, err := clr.NewDateTime(int64(binary.LittleEndian.Uint64(b)), clr.Unspecified)
	if err != nil {
		return d, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return d, nil
}

// decodeChar reads one character of the basic plane in 1 to 3 bytes. Bytes that
// can start nothing are U+FFFD, as .NET has it.
func decodeChar(b []byte) (clr.Char, error) {
	if len(b) == 0 {
		return 0, fmt.Errorf("%w: a character has no bytes", ErrTruncated)
	}
	r, n, ok := decodeRune(b)
	switch {
	case ok && r <= 0xffff:
		return clr.Char(r), nil
	case ok:
		return 0, fmt.Errorf("%w: U+%04X takes two UTF-16 units, a character is one", ErrCorrupt, r)
	case sequence(b[0]) == 0 || n == 2 && impossible(b[0], b[1]):
		return utf8.RuneError, nil
	case n == len(b) && incomplete(b):
		return 0, fmt.Errorf("%w: the character takes %d bytes, the item has %d", ErrTruncated, sequence(b[0]), len(b))
	}
	return 0, fmt.Errorf("%w: bytes % x are no character", ErrCorrupt, b[:min(len(b), 4)])
}
