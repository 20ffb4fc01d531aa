package payload

import (
	"fmt"
	"time"
)

// A StaticObject is one entry of the static tail: an <object> element of
// Global.asax with scope="session".
type StaticObject struct {
	Index     int // place in the tail
	Name      string
	Instance  bool   // it was created; Data is its value
	Data      []byte // type id and data; read only
	Offset    int    // of Data in the frame
	TypeName  string // of one that was never created: what to create
	LateBound bool
}

// Type is the type id of an instance, else 0.
func (o StaticObject) Type() Type {
	if len(o.Data) == 0 {
		return 0
	}
	return Type(o.Data[0])
}

// Decode is what [Items.Get] would return for an instance, and nil for one that
// was never created.
func (o StaticObject) Decode(loc *time.Location) (any, error) {
	if !o.Instance {
		return nil, nil
	}
	return Item{Index: o.Index, Key: o.Name, Data: o.Data, Offset: o.Offset}.Decode(loc)
}

// StaticObjects lists the static tail, for tools. An object or pointer in it has
// no length of its own: the first of type 18 to 20 takes all the rest as its
// Data, which is exact when it is the last entry.
func (p *Payload) StaticObjects() ([]StaticObject, error) {
	if p.static == nil {
		return nil, nil
	}
	var list []StaticObject
	_, err := walkStatic(p.raw, p.staticAt, func(o StaticObject) { list = append(list, o) })
	return list, err
}

// walkStatic visits the static objects that start at off and returns where they
// end. Where an entry's length cannot be known that is the last byte of all.
func walkStatic(data []byte, off int, visit func(StaticObject)) (end int, err error) {
	n, err := readInt32(data, off, "static object count")
	if err != nil {
		return 0, err
	}
	if n > (len(data)-off-4)/3 {
		return 0, frameError(off, "static object count", fmt.Errorf("%w: %d static objects cannot be in %d bytes", ErrCorrupt, n, len(data)-off-4))
	}
	off += 4
	for i := range max(n, 0) {
		fail := func(err error) error { return &Error{Offset: off, Field: "static object", Index: i, Err: err} }
		o := StaticObject{Index: i}
		if o.Name, off, err = staticText(data, off); err != nil {
			return 0, fail(err)
		}
		if off >= len(data) {
			return 0, fail(fmt.Errorf("%w: no instance flag", ErrTruncated))
		}
		o.Instance = data[off] != 0
		off++
		if !o.Instance {
			if o.TypeName, off, err = staticText(data, off); err != nil {
				return 0, fail(err)
			}
			if off >= len(data) {
				return 0, fail(fmt.Errorf("%w: no late-bound flag", ErrTruncated))
			}
			o.LateBound = data[off] != 0
			off++
			visit(o)
			continue
		}
		o.Offset = off
		size, known, err := staticSize(data[off:])
		if err != nil {
			return 0, fail(err)
		}
		if !known {
			o.Data = data[off : len(data)-1]
			visit(o)
			return len(data) - 1, nil
		}
		o.Data = data[off : off+size]
		visit(o)
		off += size
	}
	return off, nil
}

func staticText(data []byte, off int) (string, int, error) {
	n, used, err := readLength(data[off:])
	if err == nil && n > len(data)-off-used {
		err = fmt.Errorf("%w: a name takes %d bytes, %d are left", ErrTruncated, n, len(data)-off-used)
	}
	if err != nil {
		return "", off, err
	}
	return decodeText(data[off+used : off+used+n]), off + used + n, nil
}

// staticSize is the length of a value that nothing delimits; known is false for
// types whose data alone does not tell.
func staticSize(b []byte) (size int, known bool, err error) {
	if len(b) == 0 {
		return 0, false, fmt.Errorf("%w: no type id", ErrTruncated)
	}
	switch t := Type(b[0]); {
	case t == TypeObject, t == TypeIntPtr, t == TypeUIntPtr:
		return 0, false, nil
	case t == TypeString:
		n, used, err := readLength(b[1:])
		if err != nil {
			return 0, false, err
		}
		size = 1 + used + n
	case t == TypeChar:
		if len(b) < 2 {
			return 0, false, fmt.Errorf("%w: a character has no bytes", ErrTruncated)
		}
		_, n, _ := decodeRune(b[1:])
		size = 1 + n
	case t.valid():
		size = 1 + fixedSize[t]
	default:
		size = 1 // .NET reads nothing more and takes it for null
	}
	if size > len(b) {
		return 0, false, fmt.Errorf("%w: %d bytes needed, %d left", ErrTruncated, size, len(b))
	}
	return size, true, nil
}
