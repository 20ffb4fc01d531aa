package redis

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/aspsession/aspsession/payload"
)

// Layouts A and B keep every item as a BinaryFormatter stream of its own, numbers
// and strings too (MS-NRBF; .NET Framework 4.8 BinaryFormatter). A single value
// always has the same bytes around it, so it can be told and written without
// reading the graph: here the streams of the primitive types of package payload
// become its typed values and back. Whatever differs by one byte from what
// BinaryFormatter writes stays a stream, as all objects do.

// header is the SerializationHeaderRecord of a stream whose root has the id 1
// (MS-NRBF 2.6.1).
const header = "\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00"

const (
	stringHead = header + "\x06\x01\x00\x00\x00" // BinaryObjectString, MS-NRBF 2.5.7
	messageEnd = 11                              // MS-NRBF 2.6.3
)

// Primitive types of a member, MS-NRBF 2.1.2.3.
const (
	kindBoolean = 1
	kindByte    = 2
	kindChar    = 3
	kindDouble  = 6
	kindInt16   = 7
	kindInt32   = 8
	kindInt64   = 9
	kindSByte   = 10
	kindSingle  = 11
	kindUInt16  = 14
	kindUInt32  = 15
	kindUInt64  = 16
)

// A boxed is a struct alone in a stream: what stands before and behind the bytes
// of its members.
type boxed struct {
	head string
	typ  payload.Type
	size int // of the members; 0 for a Char, whose UTF-8 varies
}

// box describes a SystemClassWithMembersAndTypes record (MS-NRBF 2.3.2.3) whose
// members are primitive.
func box(typ payload.Type, size int, class string, members []string, kinds ...byte) boxed {
	b := []byte(header + "\x04\x01\x00\x00\x00")
	b = append(append(b, byte(len(class))), class...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(members)))
	for _, m := range members {
		b = append(append(b, byte(len(m))), m...)
	}
	b = append(b, make([]byte, len(members))...) // every member is BinaryType Primitive
	return boxed{string(append(b, kinds...)), typ, size}
}

var (
	value = []string{"m_value"}
	boxes = []boxed{
		box(payload.TypeInt32, 4, "System.Int32", value, kindInt32),
		box(payload.TypeBoolean, 1, "System.Boolean", value, kindBoolean),
		box(payload.TypeDateTime, 16, "System.DateTime", []string{"ticks", "dateData"}, kindInt64, kindUInt64),
		box(payload.TypeDecimal, 16, "System.Decimal", []string{"flags", "hi", "lo", "mid"}, kindInt32, kindInt32, kindInt32, kindInt32),
		box(payload.TypeByte, 1, "System.Byte", value, kindByte),
		box(payload.TypeChar, 0, "System.Char", value, kindChar),
		box(payload.TypeSingle, 4, "System.Single", value, kindSingle),
		box(payload.TypeDouble, 8, "System.Double", value, kindDouble),
		box(payload.TypeSByte, 1, "System.SByte", value, kindSByte),
		box(payload.TypeInt16, 2, "System.Int16", value, kindInt16),
		box(payload.TypeInt64, 8, "System.Int64", value, kindInt64),
		box(payload.TypeUInt16, 2, "System.UInt16", value, kindUInt16),
		box(payload.TypeUInt32, 4, "System.UInt32", value, kindUInt32),
		box(payload.TypeUInt64, 8, "System.UInt64", value, kindUInt64),
		box(payload.TypeTimeSpan, 8, "System.TimeSpan", []string{"_ticks"}, kindInt64),
		box(payload.TypeGuid, 16, "System.Guid", []string{"_a", "_b", "_c", "_d", "_e", "_f", "_g", "_h", "_i", "_j", "_k"},
			kindInt32, kindInt16, kindInt16, kindByte, kindByte, kindByte, kindByte, kindByte, kindByte, kindByte, kindByte),
		box(payload.TypeIntPtr, 8, "System.IntPtr", []string{"value"}, kindInt64),
		box(payload.TypeUIntPtr, 8, "System.UIntPtr", []string{"value"}, kindUInt64),
	}
	boxOf = func() (of [payload.TypeNull + 1]*boxed) {
		for i := range boxes {
			of[boxes[i].typ] = &boxes[i]
		}
		return of
	}()
)

// isStream looks at both ends: enough to tell a stream that was cut, or is none.
func isStream(data string) bool {
	return len(data) > len(header) && data[0] == 0 && data[len(data)-1] == messageEnd
}

// typed adds the typed form of a stream of one primitive value; ok is false for
// every other stream.
func typed(dst []byte, stream string) (out []byte, ok bool) {
	if len(stream) < len(stringHead)+2 || stream[:len(header)] != header {
		return dst, false
	}
	body := stream[:len(stream)-1]
	switch stream[len(header)] {
	case 6:
		if stream[:len(stringHead)] != stringHead || stream[len(body)] != messageEnd {
			return dst, false
		}
		text := body[len(stringHead):] // with its length in front, the same as in a typed value
		n, used := binary.Uvarint([]byte(text[:min(len(text), 5)]))
		if used <= 0 || uint64(len(text)-used) != n || used > 1 && text[used-1] == 0 || !utf8.ValidString(text[used:]) {
			return dst, false
		}
		return append(append(dst, byte(payload.TypeString)), text...), true
	case 4:
		for i := range boxes {
			if b := &boxes[i]; len(body) > len(b.head) && body[:len(b.head)] == b.head && stream[len(body)] == messageEnd {
				return b.typed(dst, body[len(b.head):])
			}
		}
	}
	return dst, false
}

func (b *boxed) typed(dst []byte, data string) (out []byte, ok bool) {
	if b.size != 0 && len(data) != b.size {
		return dst, false
	}
	out = append(dst, byte(b.typ))
	switch b.typ {
	case payload.TypeDateTime: // ticks, then ticks and kind in one
		if data[:7] != data[8:15] || data[7] != data[15]&0x3f {
			return dst, false
		}
		return append(out, data[:8]...), true
	case payload.TypeDecimal:
		return append(append(append(out, data[8:16]...), data[4:8]...), data[:4]...), true
	case payload.TypeBoolean:
		return append(out, data...), data[0] <= 1
	case payload.TypeChar:
		r, n := utf8.DecodeRuneInString(data)
		return append(out, data...), n == len(data) && r <= 0xffff && (r != utf8.RuneError || n == 3)
	}
	return append(out, data...), true
}

// stream adds the stream of an item for layouts A and B. A null has none there:
// it is a missing field.
func stream(dst []byte, item payload.Item) ([]byte, error) {
	if item.Encoding == payload.Stream {
		return append(dst, item.Data...), nil
	}
	if _, err := item.Decode(nil); err != nil {
		return nil, err // what cannot be read must not be stored as if it could
	}
	data := item.Data[1:]
	switch t := item.Type(); t {
	case payload.TypeObject:
		return append(dst, data...), nil
	case payload.TypeString:
		n, used := binary.Uvarint(data)
		if text := data[used : used+int(n)]; !utf8.Valid(text) {
			return nil, fmt.Errorf("item %q is no UTF-8", item.Key)
		}
		dst = append(append(dst, stringHead...), data[:used+int(n)]...)
	case payload.TypeDateTime:
		dst = append(append(append(dst, boxOf[t].head...), data[:8]...), data[:8]...) // kind Unspecified
	case payload.TypeDecimal:
		dst = append(append(append(append(dst, boxOf[t].head...), data[12:16]...), data[8:12]...), data[:8]...)
	case payload.TypeIntPtr, payload.TypeUIntPtr:
		dst = append(dst, boxOf[t].head...)
		dst = append(dst, wide(data, t == payload.TypeIntPtr)...)
	case payload.TypeChar:
		_, n := utf8.DecodeRune(data)
		dst = append(append(dst, boxOf[t].head...), data[:n]...)
	default:
		dst = append(append(dst, boxOf[t].head...), data[:boxOf[t].size]...)
	}
	return append(dst, messageEnd), nil
}

// wide makes the 8 bytes of a pointer of a 32-bit process.
func wide(data []byte, signed bool) []byte {
	if len(data) >= 8 {
		return data[:8]
	}
	fill := byte(0)
	if signed && data[3] >= 0x80 {
		fill = 0xff
	}
	return append(bytes.Clone(data[:4]), fill, fill, fill, fill)
}

// streamText is the stream of a string of less than 128 bytes.
func streamText(s string) []byte {
	return append(append(append([]byte(stringHead), byte(len(s))), s...), messageEnd)
}
