package payload

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/aspsession/aspsession/nrbf"
)

// An Object is a .NET object as it is stored: a whole BinaryFormatter stream
// [MS-NRBF], without the type id in front. [Items.Get] returns objects so; what
// is in one [Value] maps to Go types, and Graph shows. Setting one stores it as
// it is, and ASP.NET will deserialize it: never set bytes that came from a client.
type Object []byte

// Graph reads the stream as data; see package nrbf. The graph keeps o, which must
// not be changed.
func (o Object) Graph() (*nrbf.Graph, error) { return nrbf.Decode(o, nrbf.Options{}) }

const (
	nrbfHeader = 17 // SerializationHeaderRecord, MS-NRBF 2.6.1
	nrbfEnd    = 11 // MessageEnd, MS-NRBF 2.6.3
)

// check looks at both ends of the stream only: enough to tell a stream that was
// cut, or is none, from one worth carrying on.
func (o Object) check() error {
	switch {
	case len(o) < nrbfHeader+1:
		return fmt.Errorf("%w: an object stream has at least %d bytes, this has %d", ErrTruncated, nrbfHeader+1, len(o))
	case o[0] != 0:
		return fmt.Errorf("%w: an object stream starts with a header record (0), this with %d", ErrCorrupt, o[0])
	case o[len(o)-1] != nrbfEnd:
		return fmt.Errorf("%w: an object stream ends with a message end (11), this with %d", ErrCorrupt, o[len(o)-1])
	}
	return nil
}

// SetTypes says which Go types stand for which .NET classes, for Set. Nil, the
// default, knows those that need no name: strings, numbers, their slices and maps.
func (it *Items) SetTypes(t *nrbf.Types) { it.types = t }

func (it *Items) mapping() nrbf.Mapping { return nrbf.Mapping{Zone: it.loc} }

// stream is the object stream of an item; ok is false where it holds none.
func (item Item) stream() (stream []byte, ok bool) {
	switch {
	case item.Encoding == Stream:
		return item.Data, true
	case item.Type() == TypeObject:
		return item.Data[1:], true
	}
	return nil, false
}

// mapsObject reports a Go value that becomes an object where it has no form of
// its own.
func mapsObject(v any) bool {
	if _, raw := v.(Object); raw {
		return false // it had its chance
	}
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return false
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		return true
	}
	return false
}

// integer reports a Go integer of any type.
func integer(v any) bool {
	r := reflect.ValueOf(v)
	return r.CanInt() || r.CanUint()
}

// appendEnum adds an enum's stream with another number; is reports that the old
// stream is an enum.
func appendEnum(dst, old []byte, v any) (out []byte, is bool, err error) {
	g, err := nrbf.Decode(old, nrbf.Options{})
	if err != nil {
		return nil, false, nil
	}
	const number = "value__"
	enum := g.Root().Object()
	if enum.Len() != 1 || !enum.Get(number).Exists() {
		return nil, false, nil
	}
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		err = enum.Set(number, int(r.Int())) // an int takes the enum's own size
	case r.Uint() <= math.MaxInt:
		err = enum.Set(number, int(r.Uint()))
	default:
		err = enum.Set(number, r.Uint())
	}
	if err != nil {
		return nil, true, fmt.Errorf("%w: %w", ErrOverflow, err)
	}
	out, err = g.Append(append(dst, byte(TypeObject)))
	return out, true, err
}

// appendObject adds the type id and stream of a Go value. Over an object it is
// written into that one, so that what Go does not know of it stays.
func (it *Items) appendObject(dst []byte, i int, v any) ([]byte, error) {
	types := it.types
	if types == nil {
		types = new(nrbf.Types)
	}
	var stream []byte
	var err error
	if g, ok := v.(*nrbf.Graph); ok {
		stream, err = g.Append(nil)
	} else {
		var old []byte
		if i >= 0 {
			old, _ = it.item(i).stream()
		}
		if old != nil {
			stream, err = types.UpdateIn(it.mapping(), old, v)
		} else {
			stream, err = types.MarshalIn(it.mapping(), v)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoForm, err)
	}
	return append(append(dst, byte(TypeObject)), stream...), nil
}

// unmarshal maps an object item to what out points to.
func (it *Items) unmarshal(item Item, stream []byte, out any) error {
	if err := Object(stream).check(); err != nil {
		return item.fail(0, err)
	}
	if item.Offset < 0 {
		stream = bytes.Clone(stream) // what is kept of it must outlive the next change
	}
	if g, ok := out.(**nrbf.Graph); ok {
		var err error
		if *g, err = nrbf.Decode(stream, nrbf.Options{}); err != nil {
			return item.fail(1, objectError(err))
		}
		return nil
	}
	if err := it.mapping().Unmarshal(stream, out); err != nil {
		return item.fail(0, objectError(err))
	}
	return nil
}

// objectError gives nrbf's reasons this package's names.
func objectError(err error) error {
	for _, pair := range []struct{ theirs, ours error }{
		{nrbf.ErrTruncated, ErrTruncated}, {nrbf.ErrCorrupt, ErrCorrupt}, {nrbf.ErrLimit, ErrLimit}, {nrbf.ErrRange, ErrOverflow}, {nrbf.ErrType, ErrType},
	} {
		if errors.Is(err, pair.theirs) {
			return fmt.Errorf("%w: %w", pair.ours, err)
		}
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
