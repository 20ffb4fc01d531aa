package nrbf

import (
	"math"
	"slices"
)

// Set changes the member with exactly this name: see [Object.SetMember].
func (o *Object) Set(name string, v any) error {
	if o == nil {
		return usage(name, ErrNoMember, "of null")
	}
	i := o.class.Index(name)
	if i < 0 {
		return usage(o.class.name+"."+name, ErrNoMember, "")
	}
	return o.SetMember(i, v)
}

// SetMember changes member i. v is a Go value as [Value.Any] gives it, a Value,
// an *Object, *Array or *String of the same graph, or nil; an int becomes the
// declared integer type, or Int32 where any object may stand, and ErrType if it
// does not fit. A Go string becomes a new string. The type must be the declared
// one; whether one class can stand for another only .NET knows.
func (o *Object) SetMember(i int, v any) error {
	if o == nil || i < 0 || i >= len(o.vals) {
		return usage("member", ErrNoMember, "number %d", i)
	}
	m := &o.class.members[i]
	val, err := o.g.convert(v, m.Type, o.class.name+"."+m.Name)
	if err != nil {
		return err
	}
	o.vals[i] = val
	o.g.changed = true
	return nil
}

// Set changes element i; v as for [Object.SetMember]. The first change of an
// array of primitives copies it out of the stream.
func (a *Array) Set(i int, v any) error {
	if a == nil || i < 0 || i >= a.arr.total {
		return usage(a.String(), ErrRange, "%d of %d", i, a.Len())
	}
	val, err := a.g.convert(v, a.arr.elem, a.String())
	if err != nil {
		return err
	}
	a.g.changed = true
	if !a.primitive() {
		a.put(i, val)
		return nil
	}
	size := int(kindSizes[val.kind])
	if size == 0 { // the elements behind move
		var all []Value
		a.allPrimitives(func(_ int, e Value) bool { all = append(all, e); return true })
		all[i] = val
		a.store(all)
		return nil
	}
	a.detach()
	appendPrimitive(a.arr.data[i*size:i*size], val)
	return nil
}

// Append adds elements at the end of an array of rank 1; all or, on error, none.
func (a *Array) Append(vs ...any) error {
	if a == nil || a.Rank() != 1 {
		return usage(a.String(), ErrRange, "only an array of rank 1 can grow")
	}
	if err := a.room(a.arr.total + len(vs)); err != nil {
		return err
	}
	vals := make([]Value, len(vs))
	for i, v := range vs {
		var err error
		if vals[i], err = a.g.convert(v, a.arr.elem, a.String()); err != nil {
			return err
		}
	}
	if a.primitive() {
		a.detach()
		for _, v := range vals {
			a.arr.data = appendPrimitive(a.arr.data, v)
		}
		a.resized(a.arr.total + len(vals))
		return nil
	}
	for i, v := range vals {
		if a.arr.starts != nil {
			a.arr.starts = append(a.arr.starts, int32(a.arr.total+i))
		}
		a.vals = append(a.vals, v)
	}
	a.resized(a.arr.total + len(vals))
	return nil
}

// Resize cuts an array of rank 1, or fills it with nulls or zeros to n elements.
// Nulls cost no memory.
func (a *Array) Resize(n int) error {
	if a == nil || a.Rank() != 1 {
		return usage(a.String(), ErrRange, "only an array of rank 1 can be resized")
	}
	if err := a.room(n); err != nil {
		return err
	}
	switch {
	case a.primitive():
		if size := int(kindSizes[a.arr.elem.Kind]); size > 0 {
			a.detach()
			a.arr.data = slices.Grow(a.arr.data, max(0, n*size-len(a.arr.data)))
			old := len(a.arr.data)
			a.arr.data = a.arr.data[:n*size]
			if old < n*size {
				clear(a.arr.data[old:])
			}
			break
		}
		var all []Value
		a.allPrimitives(func(_ int, e Value) bool { all = append(all, e); return true })
		for len(all) < n {
			all = append(all, zero(a.arr.elem))
		}
		a.store(all[:n])
	case n > a.arr.total:
		a.vals = append(a.vals, Value{kind: KindNull, n: uint64(n - a.arr.total)})
		a.index()
	case n < a.arr.total:
		k := a.entry(n)
		if a.arr.starts != nil {
			if part := n - int(a.arr.starts[k]); part > 0 {
				a.vals[k].n = uint64(part)
				k++
			}
		}
		clear(a.vals[k:])
		a.vals = a.vals[:k]
		a.index()
	}
	a.resized(n)
	return nil
}

// SetPrimitives replaces all elements of an array of rank 1. The elements must
// be T's.
func SetPrimitives[T Primitive](a *Array, vs []T) error {
	kind := KindOf[T]()
	if a == nil || !a.primitive() || a.arr.elem.Kind != kind || a.Rank() != 1 {
		return usage(a.String(), ErrType, "cannot hold %s in one dimension", kind)
	}
	if err := a.room(len(vs)); err != nil {
		return err
	}
	data, err := encodePrimitives(a.g, vs)
	if err != nil {
		return err
	}
	a.arr.data, a.arr.owned = data, true
	a.resized(len(vs))
	return nil
}

func encodePrimitives[T Primitive](g *Graph, vs []T) ([]byte, error) {
	kind := KindOf[T]()
	if b, ok := any(vs).([]byte); ok {
		return slices.Clone(b), nil
	}
	data := make([]byte, 0, len(vs)*max(1, int(kindSizes[kind])))
	for _, v := range vs {
		val, err := g.convert(v, PrimitiveType(kind), kind.String()+"[]")
		if err != nil {
			return nil, err
		}
		data = appendPrimitive(data, val)
	}
	return data, nil
}

// store writes primitives of varying size. Half a pair of surrogates cannot
// come from outside: a pair that was read is written as a pair only if both
// halves are still side by side.
func (a *Array) store(vals []Value) {
	var data []byte
	if a.arr.elem.Kind == KindChar {
		data = appendUnits(nil, vals)
	} else {
		for _, v := range vals {
			data = appendPrimitive(data, v)
		}
	}
	a.arr.data, a.arr.owned = data, true
}

// detach makes data ours.
func (a *Array) detach() {
	if !a.arr.owned {
		a.arr.data, a.arr.owned = slices.Clone(a.arr.data), true
	}
}

// room reports an error where an array of rank 1 cannot have n elements: over
// the limit, or beyond the highest index, since its first may have a high one.
func (a *Array) room(n int) error {
	if n < 0 || n > a.g.opt.Elements || int64(a.LowerBound(0))+int64(n) > math.MaxInt32 {
		return usage(a.String(), ErrRange, "cannot have %d elements", n)
	}
	return nil
}

// resized notes a new length.
func (a *Array) resized(n int) {
	a.arr.total = n
	if a.arr.lengths != nil {
		a.arr.lengths = []int32{int32(n)}
	}
	a.g.changed = true
}

// SetRoot makes v, an *Object, *Array, *String or Go string, the root.
func (g *Graph) SetRoot(v any) error {
	val, err := g.convert(v, ObjectType(), "root")
	if err != nil {
		return err
	}
	if val.kind != kindNode {
		return usage("root", ErrType, "%s is no object, array or string", val.Kind())
	}
	g.root = val
	g.changed = true
	return nil
}
