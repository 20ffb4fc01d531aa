package sqlservertest

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf16"
)

// Data types on the wire, MS-TDS 2.2.5.4.
const (
	typeNull           = 0x1F
	typeImage          = 0x22
	typeText           = 0x23
	typeGUID           = 0x24
	typeIntN           = 0x26
	typeDate           = 0x28
	typeDateTime2      = 0x2A
	typeDateTimeOffset = 0x2B
	typeTinyInt        = 0x30
	typeBit            = 0x32
	typeSmallInt       = 0x34
	typeInt            = 0x38
	typeReal           = 0x3B
	typeDateTime       = 0x3D
	typeFloat          = 0x3E
	typeNText          = 0x63
	typeBitN           = 0x68
	typeFloatN         = 0x6D
	typeDateTimeN      = 0x6F
	typeBigInt         = 0x7F
	typeVarBinary      = 0xA5
	typeVarChar        = 0xA7
	typeBinary         = 0xAD
	typeChar           = 0xAF
	typeNVarChar       = 0xE7
	typeNChar          = 0xEF
)

const (
	sizeMax    = 0xFFFF     // of a (max) type, sent in chunks
	plpNull    = ^uint64(0) // MS-TDS 2.2.5.2.3
	plpUnknown = ^uint64(0) - 1
)

// collation is SQL_Latin1_General_CP1_CI_AS, the usual default.
var collation = [5]byte{0x09, 0x04, 0xD0, 0x00, 0x34}

// A wireType is TYPE_INFO. size is bytes, sizeMax for (max) types; scale is of
// the newer date types.
type wireType struct {
	id    byte
	size  int
	scale byte
}

var fixedTypes = map[byte]wireType{ // and the nullable type of the same values
	typeTinyInt: {id: typeIntN, size: 1}, typeSmallInt: {id: typeIntN, size: 2}, typeInt: {id: typeIntN, size: 4}, typeBigInt: {id: typeIntN, size: 8},
	typeBit: {id: typeBitN, size: 1}, typeReal: {id: typeFloatN, size: 4}, typeFloat: {id: typeFloatN, size: 8}, typeDateTime: {id: typeDateTimeN, size: 8},
}

var nullableSizes = map[byte][]int{
	typeIntN: {1, 2, 4, 8}, typeBitN: {1}, typeFloatN: {4, 8}, typeDateTimeN: {4, 8}, typeGUID: {0, 16},
}

// wireType reads TYPE_INFO of a parameter.
func (d *decoder) wireType() wireType {
	t := wireType{id: d.u8()}
	switch t.id {
	case typeNull, typeTinyInt, typeSmallInt, typeInt, typeBigInt, typeBit, typeReal, typeFloat, typeDateTime:
		t.size = fixedTypes[t.id].size
	case typeIntN, typeBitN, typeFloatN, typeDateTimeN, typeGUID:
		t.size = int(d.u8())
		if !slices.Contains(nullableSizes[t.id], t.size) && d.err == nil {
			d.err = fmt.Errorf("sqlservertest: parameter type 0x%02x of %d bytes", t.id, t.size)
		}
	case typeDate:
	case typeDateTime2, typeDateTimeOffset:
		if t.scale = d.u8(); t.scale > 7 && d.err == nil {
			d.err = fmt.Errorf("sqlservertest: parameter type 0x%02x of scale %d", t.id, t.scale)
		}
	case typeVarBinary, typeBinary:
		t.size = int(d.u16())
	case typeVarChar, typeChar, typeNVarChar, typeNChar:
		t.size = int(d.u16())
		d.take(len(collation))
	case typeImage:
		t.size = int(int32(d.u32()))
	case typeText, typeNText:
		t.size = int(int32(d.u32()))
		d.take(len(collation))
	default:
		if d.err == nil {
			d.err = fmt.Errorf("sqlservertest: parameter type 0x%02x is not spoken here", t.id)
		}
	}
	return t
}

// value reads a value: nil, int64, bool, float64, string, []byte, time.Time.
func (d *decoder) value(t wireType) any {
	if t.id == typeNull {
		return nil
	}
	raw := d.raw(t)
	if raw == nil || d.err != nil {
		return nil
	}
	v, ok := parseValue(t, raw)
	if !ok {
		d.err = fmt.Errorf("sqlservertest: a %s of %d bytes", t, len(raw))
	}
	return v
}

// raw returns a value's bytes, nil for NULL and never nil otherwise.
func (d *decoder) raw(t wireType) []byte {
	switch t.id {
	case typeImage, typeText, typeNText:
		n := int32(d.u32())
		if n == -1 {
			return nil
		}
		return append([]byte{}, d.take(int(n))...)
	case typeVarBinary, typeBinary, typeVarChar, typeChar, typeNVarChar, typeNChar:
		if t.size == sizeMax {
			return d.chunks()
		}
		n := int(d.u16())
		if n == 0xFFFF {
			return nil
		}
		return append([]byte{}, d.take(n)...)
	}
	if _, fixed := fixedTypes[t.id]; fixed {
		return d.take(t.size)
	}
	if n := int(d.u8()); n != 0 {
		return d.take(n)
	}
	return nil
}

func (d *decoder) chunks() []byte {
	total := d.uint(8)
	if total == plpNull || d.err != nil {
		return nil
	}
	out := []byte{}
	for {
		n := int(d.u32())
		if n == 0 || d.err != nil {
			break
		}
		out = append(out, d.take(n)...)
	}
	if d.err == nil && total != plpUnknown && total != uint64(len(out)) {
		d.err = fmt.Errorf("sqlservertest: a value of %d bytes announced as %d", len(out), total)
	}
	return out
}

func parseValue(t wireType, p []byte) (any, bool) {
	switch t.id {
	case typeIntN, typeTinyInt, typeSmallInt, typeInt, typeBigInt:
		switch len(p) {
		case 1:
			return int64(p[0]), true // tinyint has no sign
		case 2:
			return int64(int16(binary.LittleEndian.Uint16(p))), true
		case 4:
			return int64(int32(binary.LittleEndian.Uint32(p))), true
		case 8:
			return int64(binary.LittleEndian.Uint64(p)), true
		}
		return nil, false
	case typeBitN, typeBit:
		return p[0] != 0, len(p) == 1
	case typeFloatN, typeFloat, typeReal:
		switch len(p) {
		case 4:
			return float64(math.Float32frombits(binary.LittleEndian.Uint32(p))), true
		case 8:
			return math.Float64frombits(binary.LittleEndian.Uint64(p)), true
		}
		return nil, false
	case typeDateTimeN, typeDateTime, typeDate, typeDateTime2, typeDateTimeOffset:
		return parseTime(t, p)
	case typeNVarChar, typeNChar, typeNText:
		return fromUTF16(p), len(p)%2 == 0
	case typeVarChar, typeChar, typeText:
		return string(p), true
	}
	return p, true // binary types and GUIDs
}

// typeInfo writes TYPE_INFO.
func (e *encoder) typeInfo(t wireType) {
	e.bytes(t.id)
	switch t.id {
	case typeIntN, typeBitN, typeFloatN, typeDateTimeN, typeGUID:
		e.bytes(byte(t.size))
	case typeDateTime2, typeDateTimeOffset:
		e.bytes(t.scale)
	case typeVarBinary, typeBinary:
		e.u16(uint16(t.size))
	case typeVarChar, typeChar, typeNVarChar, typeNChar:
		e.u16(uint16(t.size))
		e.bytes(collation[:]...)
	case typeImage:
		e.u32(math.MaxInt32)
	}
}

// value writes v in type t, or says why it cannot be.
func (e *encoder) value(t wireType, v any) error {
	v, err := convert(v, t)
	if err != nil {
		return err
	}
	var p []byte
	switch v := v.(type) {
	case nil:
		e.null(t)
		return nil
	case int64:
		p = binary.LittleEndian.AppendUint64(nil, uint64(v))[:t.size]
	case bool:
		p = []byte{0}
		if v {
			p[0] = 1
		}
	case float64:
		p = binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))
		if t.size == 4 {
			p = binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v)))
		}
	case time.Time:
		p = appendTime(nil, t, v)
	case string:
		if p = []byte(v); t.id == typeNVarChar || t.id == typeNChar {
			p = p[:0:0]
			for _, u := range utf16.Encode([]rune(v)) {
				p = binary.LittleEndian.AppendUint16(p, u)
			}
		}
	case []byte:
		p = v
	}
	switch {
	case t.id == typeImage: // a text pointer and a timestamp come first
		e.bytes(16)
		e.bytes(make([]byte, 16+8)...)
		e.u32(uint32(len(p)))
	case !t.variable():
		e.bytes(byte(len(p)))
	case t.size != sizeMax:
		e.u16(uint16(len(p)))
	default:
		e.u64(uint64(len(p)))
		if len(p) != 0 {
			e.u32(uint32(len(p)))
			e.bytes(p...)
		}
		p = nil
		e.u32(0)
	}
	e.bytes(p...)
	return nil
}

func (e *encoder) null(t wireType) {
	switch {
	case t.id == typeImage || !t.variable():
		e.bytes(0)
	case t.size == sizeMax:
		e.u64(plpNull)
	default:
		e.u16(0xFFFF)
	}
}

// variable says whether the length before a value has 16 bits or more.
func (t wireType) variable() bool { return t.id == typeImage || t.id >= typeVarBinary }

// String is the type's name in T-SQL.
func (t wireType) String() string {
	sized := func(name string, unit int) string {
		if t.size == sizeMax {
			return name + "(max)"
		}
		return fmt.Sprintf("%s(%d)", name, t.size/unit)
	}
	if n, fixed := fixedTypes[t.id]; fixed {
		t = n
	}
	switch t.id {
	case typeNull:
		return "null"
	case typeIntN:
		return map[int]string{1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"}[t.size]
	case typeBitN:
		return "bit"
	case typeFloatN:
		return map[int]string{4: "real", 8: "float"}[t.size]
	case typeDateTimeN:
		return map[int]string{4: "smalldatetime", 8: "datetime"}[t.size]
	case typeGUID:
		return "uniqueidentifier"
	case typeDate:
		return "date"
	case typeDateTime2:
		return fmt.Sprintf("datetime2(%d)", t.scale)
	case typeDateTimeOffset:
		return fmt.Sprintf("datetimeoffset(%d)", t.scale)
	case typeImage:
		return "image"
	case typeText:
		return "text"
	case typeNText:
		return "ntext"
	case typeVarBinary:
		return sized("varbinary", 1)
	case typeBinary:
		return sized("binary", 1)
	case typeVarChar:
		return sized("varchar", 1)
	case typeChar:
		return sized("char", 1)
	case typeNVarChar:
		return sized("nvarchar", 2)
	case typeNChar:
		return sized("nchar", 2)
	}
	return fmt.Sprintf("type 0x%02x", t.id)
}
