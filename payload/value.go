package payload

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/aspsession/aspsession/clr"
)

// Value reads the item of a key as a T. A missing item and a null give T's zero
// value; [Items.Has] tells them apart. T may be
//
//   - the type of the table at [Items.Get], or any type with it underneath
//     (type UserID int32);
//   - any integer type, Go's int among them, that the stored integer fits, and
//     float64 for a Single: reading never loses a digit, else it is ErrOverflow;
//   - clr.DateTime and clr.TimeSpan for the stored ticks, and any [16]byte for
//     a Guid;
//   - a pointer to one of these, nil for null: C#'s Nullable;
//   - for an object, what package nrbf maps: a struct, slice or map, a []byte;
//     *nrbf.Object, *nrbf.Array or *nrbf.Graph for the object as data, which
//     copies nothing;
//   - any, for what Get returns.
//
// Every other combination is ErrType and says which type the item has. Value
// never marks an item changed.
func Value[T any](it *Items, key string) (T, error) {
	var out T
	i := it.find(key)
	if i < 0 {
		return out, nil
	}
	// The three commonest types without a trip through an interface.
	if d := it.data(i); it.encoding(i) == Typed && len(d) > 0 {
		switch any(out).(type) {
		case string:
			if Type(d[0]) == TypeString {
				s, err := decodeString(d[1:])
				if err != nil {
					return out, it.item(i).fail(0, err)
				}
				return any(s).(T), nil
			}
		case int:
			if Type(d[0]) == TypeInt32 && len(d) >= 5 {
				return any(int(int32(uint32(d[1]) | uint32(d[2])<<8 | uint32(d[3])<<16 | uint32(d[4])<<24))).(T), nil
			}
		case bool:
			if Type(d[0]) == TypeBoolean && len(d) >= 2 {
				return any(d[1] != 0).(T), nil
			}
		}
	}
	return valueSlow[T](it, i)
}

func valueSlow[T any](it *Items, i int) (T, error) {
	var out T
	item := it.item(i)
	if stream, ok := item.stream(); ok {
		switch any(&out).(type) {
		case *Object, *any: // as it is stored
		default:
			if err := it.unmarshal(item, stream, &out); err != nil {
				var zero T
				return zero, err
			}
			return out, nil
		}
	}
	v, err := item.Decode(it.loc)
	if err != nil {
		return out, err
	}
	if v, ok := v.(T); ok {
		return v, nil
	}
	// The raw ticks, where they are wanted.
	switch p := any(&out).(type) {
	case *clr.DateTime:
		if item.Type() == TypeDateTime {
			*p, err = decodeDateTime(item.Data[1:])
			return out, err
		}
	case *clr.TimeSpan:
		if d, ok := v.(time.Duration); ok {
			*p = clr.TimeSpanOf(d)
			return out, nil
		}
	}
	if err := assign(reflect.ValueOf(&out).Elem(), v); err != nil {
		var zero T
		return zero, item.fail(0, err)
	}
	return out, nil
}

// assign stores v in dst where that loses nothing.
func assign(dst reflect.Value, v any) error {
	if v == nil {
		return nil // null is the zero value
	}
	if dst.Kind() == reflect.Pointer {
		p := reflect.New(dst.Type().Elem())
		if err := assign(p.Elem(), v); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	}
	src := reflect.ValueOf(v)
	mismatch := fmt.Errorf("%w: Go type %s cannot hold it", ErrType, dst.Type())
	switch {
	case src.Type().AssignableTo(dst.Type()):
		dst.Set(src)
	case src.CanInt() && plain(v):
		return assignInt(dst, src.Int(), mismatch)
	case src.CanUint() && plain(v):
		if src.Uint() > math.MaxInt64 {
			if !dst.CanUint() || dst.OverflowUint(src.Uint()) || !plain(dst.Interface()) {
				return overflowInto(dst, src.Uint(), mismatch)
			}
			dst.SetUint(src.Uint())
			return nil
		}
		return assignInt(dst, int64(src.Uint()), mismatch)
	case src.CanFloat() && dst.CanFloat() && src.Type().Size() <= dst.Type().Size():
		dst.SetFloat(src.Float())
	case src.Kind() == dst.Kind() && src.Kind() != reflect.Slice && src.CanConvert(dst.Type()) && plain(v) && plain(dst.Interface()):
		dst.Set(src.Convert(dst.Type()))
	default:
		return mismatch
	}
	return nil
}

// plain tells numbers from types that only look like them underneath: a
// duration is no int64, a character no uint16.
func plain(v any) bool {
	switch v.(type) {
	case time.Duration, clr.TimeSpan, clr.Char:
		return false
	}
	return true
}

func assignInt(dst reflect.Value, v int64, mismatch error) error {
	switch {
	case !plain(dst.Interface()):
		return mismatch
	case dst.CanInt() && !dst.OverflowInt(v):
		dst.SetInt(v)
	case dst.CanUint() && v >= 0 && !dst.OverflowUint(uint64(v)):
		dst.SetUint(uint64(v))
	default:
		return overflowInto(dst, v, mismatch)
	}
	return nil
}

func overflowInto(dst reflect.Value, v any, mismatch error) error {
	if dst.CanInt() || dst.CanUint() {
		return fmt.Errorf("%w: %v does not fit Go type %s", ErrOverflow, v, dst.Type())
	}
	return mismatch
}
