package nrbf

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
)

// The reading of bytes, each with a check that they are there.

func (d *decoder) left() int { return len(d.data) - d.off }

// fail makes the error; start is where the record began.
func (d *decoder) fail(reason error, format string, args ...any) error {
	return &Error{
		Offset: d.off, Record: d.record, What: d.where(),
		Err: fmt.Errorf("%w: "+format, append([]any{reason}, args...)...),
	}
}

func (d *decoder) need(n int) error {
	if d.left() < n {
		return d.fail(ErrTruncated, "%d bytes wanted, %d left", n, d.left())
	}
	return nil
}

func (d *decoder) byte() (byte, error) {
	if d.off >= len(d.data) {
		return 0, d.need(1)
	}
	d.off++
	return d.data[d.off-1], nil
}

func (d *decoder) int32() (int32, error) {
	if err := d.need(4); err != nil {
		return 0, err
	}
	d.off += 4
	return int32(binary.LittleEndian.Uint32(d.data[d.off-4:])), nil
}

// count reads an int32 that must not be negative.
func (d *decoder) count(what string) (int, error) {
	n, err := d.int32()
	if err == nil && n < 0 {
		d.off -= 4
		return 0, d.fail(ErrCorrupt, "%s is %d", what, n)
	}
	return int(n), err
}

// textBytes reads a length of seven bits a byte and that many bytes of UTF-8.
// .NET's reader throws on bad UTF-8, unlike that of the session's own strings.
func (d *decoder) textBytes() ([]byte, error) {
	n, shift := 0, 0
	for {
		b, err := d.byte()
		if err != nil {
			return nil, err
		}
		if shift == 28 && b > 7 {
			d.off--
			return nil, d.fail(ErrCorrupt, "a string length of more than 31 bits")
		}
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			break
		}
		shift += 7
	}
	if n > d.opt.StringBytes {
		return nil, d.fail(ErrLimit, "a string of %d bytes, at most %d", n, d.opt.StringBytes)
	}
	if err := d.need(n); err != nil {
		return nil, err
	}
	b := d.data[d.off : d.off+n]
	if !utf8.Valid(b) {
		return nil, d.fail(ErrCorrupt, "bad UTF-8 in a string")
	}
	d.off += n
	return b, nil
}

func (d *decoder) text() (string, error) {
	b, err := d.textBytes()
	return d.g.texts.copy(b), err
}

// primitive reads a bare value of a primitive kind.
func (d *decoder) primitive(kind Kind) (Value, error) {
	switch kind {
	case KindChar:
		r, size := utf8.DecodeRune(d.data[d.off:])
		if r == utf8.RuneError && size <= 1 {
			if !utf8.FullRune(d.data[d.off:]) {
				return Value{}, d.fail(ErrTruncated, "a Char")
			}
			return Value{}, d.fail(ErrCorrupt, "bad UTF-8 in a Char")
		}
		if r >= 0x10000 {
			return Value{}, d.fail(ErrCorrupt, "a Char of two UTF-16 units")
		}
		d.off += size
		return Value{kind: kind, n: uint64(r)}, nil
	case KindDecimal:
		start := d.off
		b, err := d.textBytes()
		if err != nil {
			return Value{}, err
		}
		if _, err := parseDecimal(b); err != nil {
			d.off = start
			return Value{}, d.fail(ErrCorrupt, "%v", err)
		}
		return Value{kind: kind, n: uint64(d.off-len(b))<<32 | uint64(len(b)), p: d.source()}, nil
	}
	size := int(kindSizes[kind])
	if err := d.need(size); err != nil {
		return Value{}, err
	}
	n := loadFixed(kind, d.data[d.off:])
	if kind == KindDateTime && n&(1<<62-1) > clr.MaxTicks {
		return Value{}, d.fail(ErrCorrupt, "a DateTime of %d ticks", n&(1<<62-1))
	}
	d.off += size
	return Value{kind: kind, n: n}, nil
}

// source is the node through which Decimals find their text.
func (d *decoder) source() *node {
	if d.g.source == nil {
		d.g.source = &node{g: d.g, arr: &shape{data: d.data}}
	}
	return d.g.source
}

// kind reads a type code that must be one of the primitive types.
func (d *decoder) kind() (Kind, error) {
	b, err := d.byte()
	if err == nil && !Kind(b).Primitive() {
		d.off--
		return 0, d.fail(ErrCorrupt, "no primitive type has code %d", b)
	}
	return Kind(b), err
}
