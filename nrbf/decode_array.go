package nrbf

import (
	"math"
	"unicode/utf8"
)

const maxRank = 32 // .NET's

// array reads an array record: all of it if the elements are primitive, else up
// to its elements, and opens a frame for those. Arrays stand at top level only.
func (d *decoder) array() error {
	id, err := d.int32()
	if err != nil {
		return err
	}
	s := d.g.shapes.one()
	s.record = d.record
	if d.record == BinaryArray {
		err = d.bounds(s)
	} else {
		s.total, err = d.count("the length")
		switch d.record {
		case ArraySinglePrimitive:
			s.elem.Form = FormPrimitive
			if err == nil {
				s.elem.Kind, err = d.kind()
			}
		case ArraySingleObject:
			s.elem.Form = FormObject
		case ArraySingleString:
			s.elem.Form = FormString
		}
	}
	if err != nil {
		return err
	}
	n, err := d.define(id, KindArray, false)
	if err != nil {
		return err
	}
	n.arr = s
	if s.elem.Form == FormPrimitive {
		return d.primitives(s)
	}
	if err := d.spend(s.total); err != nil {
		return err
	}
	d.scratch = d.scratch[:0]
	d.stack = append(d.stack, frame{n: n, arr: true})
	return nil
}

// bounds reads what a BinaryArray says of itself.
func (d *decoder) bounds(s *shape) error {
	form, err := d.byte()
	if err != nil {
		return err
	}
	s.form = ArrayForm(form)
	if s.form > RectangularOffset {
		return d.fail(ErrCorrupt, "no array form has code %d", form)
	}
	rank, err := d.count("the rank")
	if err != nil {
		return err
	}
	if rank < 1 || rank > maxRank || rank > 1 && s.form != Rectangular && s.form != RectangularOffset {
		return d.fail(ErrCorrupt, "rank %d in array form %d", rank, form)
	}
	s.lengths = make([]int32, rank)
	total, zero := int64(1), false
	for i := range s.lengths {
		n, err := d.count("the length")
		if err != nil {
			return err
		}
		s.lengths[i] = int32(n)
		zero = zero || n == 0
		if total *= int64(n); total > math.MaxInt32 {
			total = math.MaxInt32 + 1 // over any limit, unless a length of 0 follows
		}
	}
	if zero {
		total = 0
	}
	if total > math.MaxInt32 {
		return d.fail(ErrLimit, "an array of more than 2^31-1 elements")
	}
	s.total = int(total)
	if s.form >= SingleOffset {
		s.lowers = make([]int32, rank)
		for i := range s.lowers {
			if s.lowers[i], err = d.int32(); err != nil {
				return err
			}
			if int64(s.lowers[i])+int64(s.lengths[i]) > math.MaxInt32 {
				return d.fail(ErrCorrupt, "lower bound %d with length %d", s.lowers[i], s.lengths[i])
			}
		}
	}
	elem, err := d.byte()
	if err != nil {
		return err
	}
	s.elem.Form = TypeForm(elem)
	if s.elem.Form > FormPrimitiveArray {
		return d.fail(ErrCorrupt, "no type form has code %d", elem)
	}
	// .NET loses its place in the stream there.
	if s.elem.array() && (s.form == Single || s.form == SingleOffset) {
		return d.fail(ErrCorrupt, "an array of arrays that is not jagged")
	}
	return d.typeInfo(&s.elem)
}

// primitives checks the elements and leaves them where they are.
func (d *decoder) primitives(s *shape) error {
	kind, start := s.elem.Kind, d.off
	least := 1 // byte per element
	switch kind {
	case KindChar:
	case KindDecimal:
		least = 2
	default:
		least = int(kindSizes[kind])
	}
	if s.total > d.left()/least {
		return d.fail(ErrTruncated, "%d elements of %s announced, %d bytes left", s.total, kind, d.left())
	}
	switch kind {
	case KindChar:
		for units := 0; units < s.total; {
			r, size := utf8.DecodeRune(d.data[d.off:])
			if r == utf8.RuneError && size <= 1 {
				if !utf8.FullRune(d.data[d.off:]) {
					return d.fail(ErrTruncated, "a Char")
				}
				return d.fail(ErrCorrupt, "bad UTF-8 in a Char")
			}
			units++
			if r >= 0x10000 {
				units++
			}
			if units > s.total {
				return d.fail(ErrCorrupt, "half a surrogate pair at the end of char[]")
			}
			d.off += size
		}
	case KindDecimal, KindDateTime:
		for range s.total {
			if _, err := d.primitive(kind); err != nil {
				return err
			}
		}
	default:
		d.off += s.total * least
	}
	s.data = d.data[start:d.off:d.off]
	return nil
}
