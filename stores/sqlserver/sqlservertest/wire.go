package sqlservertest

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"
)

var errShort = errors.New("sqlservertest: message ends early")

// A decoder takes a message apart. After its first error it returns zeros, so
// that callers look at err once.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) take(n int) []byte {
	if d.err == nil && (n < 0 || n > len(d.b)) {
		d.err = errShort
	}
	if d.err != nil {
		return nil
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

// uint reads a little-endian number of n bytes, at most 8.
func (d *decoder) uint(n int) uint64 {
	var v uint64
	for i, c := range d.take(n) {
		v |= uint64(c) << (8 * i)
	}
	return v
}

func (d *decoder) u8() byte    { return byte(d.uint(1)) }
func (d *decoder) u16() uint16 { return uint16(d.uint(2)) }
func (d *decoder) u32() uint32 { return uint32(d.uint(4)) }

// chars reads n UTF-16 units.
func (d *decoder) chars(n int) string { return fromUTF16(d.take(2 * n)) }

// headers skips ALL_HEADERS (MS-TDS 2.2.5.3), whose length counts itself.
func (d *decoder) headers() {
	n := int(d.u32())
	if n < 4 && d.err == nil {
		d.err = errShort
	}
	d.take(n - 4)
}

func fromUTF16(p []byte) string {
	u := make([]uint16, len(p)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(p[2*i:])
	}
	return string(utf16.Decode(u))
}

// An encoder builds the tokens of a reply.
type encoder struct{ b []byte }

func (e *encoder) bytes(p ...byte) { e.b = append(e.b, p...) }
func (e *encoder) u16(v uint16)    { e.b = binary.LittleEndian.AppendUint16(e.b, v) }
func (e *encoder) u32(v uint32)    { e.b = binary.LittleEndian.AppendUint32(e.b, v) }
func (e *encoder) u64(v uint64)    { e.b = binary.LittleEndian.AppendUint64(e.b, v) }

func (e *encoder) uint(v uint64, n int) {
	for i := range n {
		e.b = append(e.b, byte(v>>(8*i)))
	}
}

func (e *encoder) chars(u []uint16) {
	for _, c := range u {
		e.u16(c)
	}
}

// shortText writes B_VARCHAR, cut at what its count can hold.
func (e *encoder) shortText(s string) {
	u := utf16.Encode([]rune(s))
	u = u[:min(len(u), 255)]
	e.bytes(byte(len(u)))
	e.chars(u)
}

// longText writes US_VARCHAR. The cut keeps an ERROR token, whose length is 16
// bits of bytes, in one piece.
func (e *encoder) longText(s string) {
	u := utf16.Encode([]rune(s))
	u = u[:min(len(u), 8000)]
	e.u16(uint16(len(u)))
	e.chars(u)
}

// token writes a token with a 16-bit length before its body.
func (e *encoder) token(id byte, body func(*encoder)) {
	e.bytes(id)
	at := len(e.b)
	e.u16(0)
	body(e)
	binary.LittleEndian.PutUint16(e.b[at:], uint16(len(e.b)-at-2))
}
