package nrbf

import (
	"errors"
	"fmt"
)

var errThere = fmt.Errorf("%w: the element is there already", ErrType)

// Set changes element i; v as for [Object.SetMember]. In a set it must not be
// there already.
func (l List) Set(i int, v any) error {
	if i < 0 || i >= l.Len() {
		return usage("list", ErrRange, "%d of %d", i, l.Len())
	}
	a := l.back()
	switch l.form {
	case listBits:
		if b, ok := v.(Value); ok {
			v = b.Any()
		}
		b, ok := v.(bool)
		if !ok {
			return usage("BitArray", ErrType, "a Go %T", v)
		}
		word, _ := a.At(i / 32).Int()
		n := uint32(word) &^ (1 << (i % 32))
		if b {
			n |= 1 << (i % 32)
		}
		if err := a.Set(i/32, int32(n)); err != nil {
			return err
		}
	case listSet, listSorted:
		vals, err := l.with(v)
		if err != nil {
			return err
		}
		last := vals[len(vals)-1]
		vals = append(vals[:i:i], vals[i+1:len(vals)-1]...)
		return l.storeSet(vals, last, i)
	default:
		if err := a.Set(l.place(i), v); err != nil {
			return err
		}
	}
	l.bump()
	return nil
}

// Append adds elements at the end; to a set, those that it has not. A
// SortedSet keeps its order. Types are checked before the first is added. Only
// arrays of rank 1 grow.
func (l List) Append(vs ...any) error {
	if l.o == nil {
		return l.arr.Append(vs...)
	}
	for i := range vs { // check all before the first is added
		if _, err := element(l.o.g, l.elem(), vs[i], l.o.class.name); err != nil {
			return err
		}
	}
	for _, v := range vs {
		if err := l.add(v); err != nil {
			return err
		}
	}
	return nil
}

func (l List) add(v any) error {
	a, n := l.back(), l.Len()
	switch l.form {
	case listItems, listStack, listQueue:
		if n == a.Len() {
			next, err := element(l.o.g, a.Elem(), v, l.o.class.name)
			if err != nil {
				return err
			}
			v = next
			if err := l.grow(n, next); err != nil {
				return err
			}
			a = l.back()
		}
		if err := a.Set(l.place(n), v); err != nil {
			return err
		}
		if l.form == listQueue {
			if err := l.o.Set(l.base+"_tail", int32((l.place(0)+n+1)%a.Len())); err != nil {
				return err
			}
		}
		if err := l.o.Set(l.base+"_size", int32(n+1)); err != nil {
			return err
		}
	case listBits:
		if n == 32*a.Len() {
			if err := a.Append(int32(0)); err != nil {
				return err
			}
		}
		if err := l.o.Set("m_length", int32(n+1)); err != nil {
			return err
		}
		return l.Set(n, v)
	case listSet, listSorted:
		vals, err := l.with(v)
		if err != nil {
			return err
		}
		err = l.storeSet(vals[:n], vals[n], n)
		if errors.Is(err, errThere) {
			return nil
		}
		return err
	case listLinked:
		vals, err := l.with(v)
		if err != nil {
			return err
		}
		if err := l.store(vals); err != nil {
			return err
		}
	}
	l.bump()
	return nil
}

// Delete removes element i; those behind it move up.
func (l List) Delete(i int) error {
	n := l.Len()
	if i < 0 || i >= n {
		return usage("list", ErrRange, "%d of %d", i, n)
	}
	vals := l.values()
	vals = append(vals[:i], vals[i+1:]...)
	switch l.form {
	case listBits:
		for k := i; k < n-1; k++ {
			if err := l.Set(k, vals[k]); err != nil {
				return err
			}
		}
		if err := l.Set(n-1, false); err != nil {
			return err
		}
		if err := l.back().Resize((n - 1 + 31) / 32); err != nil {
			return err
		}
		return l.o.Set("m_length", int32(n-1))
	case listArray, listSet, listSorted, listLinked:
		if err := l.store(vals); err != nil {
			return err
		}
	default:
		// Where they are: an array keeps its capacity, the last place is cleared.
		a := l.back()
		for k := i; k < n-1; k++ {
			if err := a.Set(l.place(k), vals[k]); err != nil {
				return err
			}
		}
		unused, err := blank(a)
		if err != nil {
			return err
		}
		if err := a.Set(l.place(n-1), unused); err != nil {
			return err
		}
		if l.form == listQueue {
			if err := l.o.Set(l.base+"_tail", int32(l.place(n-1))); err != nil {
				return err
			}
		}
		if err := l.o.Set(l.base+"_size", int32(n-1)); err != nil {
			return err
		}
	}
	l.bump()
	return nil
}

func (l List) bump() {
	switch l.form {
	case listItems, listStack, listQueue:
		bump(l.o, l.base+"_version")
	case listBits:
		bump(l.o, "_version")
	case listSet, listSorted, listLinked:
		bump(l.o, "Version")
	}
}

// elem is the type of the elements.
func (l List) elem() Type {
	if l.form == listBits {
		return PrimitiveType(KindBoolean)
	}
	if a := l.back(); a != nil {
		return a.Elem()
	}
	if args := typeArgs(l.o.class.name); len(args) > 0 {
		return args[0]
	}
	return ObjectType()
}

// values is a copy of the elements.
func (l List) values() []Value {
	vals := make([]Value, 0, l.Len())
	for _, v := range l.All() {
		vals = append(vals, v)
	}
	return vals
}

// with is a copy of the elements with one more, in its stored form.
func (l List) with(v any) ([]Value, error) {
	val, err := element(l.o.g, l.elem(), v, l.o.class.name)
	if err != nil {
		return nil, err
	}
	if val.IsNull() && l.form == listSet {
		return nil, usage(l.o.class.name, ErrType, "null cannot be in it: .NET does not read it back")
	}
	return append(l.values(), val), nil
}

// storeSet stores vals with v at place i, or where it belongs in a sorted set.
func (l List) storeSet(vals []Value, v Value, i int) error {
	if l.form == listSorted {
		at, found, err := search(vals, v, l.o.Get("Comparer"))
		if err != nil {
			return err
		}
		if found {
			return usage(l.o.class.name, errThere, "")
		}
		i = at
	} else {
		for _, w := range vals {
			if same, err := sameKey(w, v); err != nil || same {
				if err == nil {
					err = usage(l.o.class.name, errThere, "")
				}
				return err
			}
		}
	}
	vals = append(vals[:i:i], append([]Value{v}, vals[i:]...)...)
	if err := l.store(vals); err != nil {
		return err
	}
	l.bump()
	return nil
}

// store replaces the elements of a collection whose array is exactly as long.
func (l List) store(vals []Value) error {
	a := l.back()
	if a == nil {
		elem := l.elem()
		fresh, err := l.o.g.NewArray(elem, 0, false)
		if err != nil {
			return err
		}
		m := Member{l.arrayMember(), arrayOf(elem)}
		if l.o.class.Index(m.Name) < 0 {
			err = addMember(l.o, m, fresh)
		} else {
			err = l.o.Set(m.Name, fresh)
		}
		if err != nil {
			return err
		}
		a = fresh
	}
	if err := replace(a, vals); err != nil {
		return err
	}
	switch l.form {
	case listSet:
		n, _ := l.o.Get("Capacity").Int()
		return l.o.Set("Capacity", int32(hashSize(int(n), len(vals))))
	case listSorted:
		return l.o.Set("Count", int32(len(vals)))
	}
	return nil
}

// replace makes an array of rank 1 hold exactly vals.
func replace(a *Array, vals []Value) error {
	n := a.Len()
	for i, v := range vals[:min(n, len(vals))] {
		if err := a.Set(i, v); err != nil {
			return err
		}
	}
	if len(vals) < n {
		return a.Resize(len(vals))
	}
	for _, v := range vals[n:] {
		if err := a.Append(v); err != nil {
			return err
		}
	}
	return nil
}

// grow makes room behind n elements as .NET does, by doubling. An empty List
// refers to an array that all of its type may share, so that a new one takes its
// place; a Queue that wraps is straightened.
func (l List) grow(n int, next Value) error {
	a := l.back()
	vals := l.values()
	size := max(2*n, 4)
	fresh, err := l.o.g.NewArray(a.Elem(), size, a.Form() == Jagged)
	if err != nil {
		return err
	}
	if like := structIn(a, next); like != nil {
		for i := n; i < size; i++ {
			z, err := zeroStruct(like)
			if err != nil {
				return err
			}
			vals = append(vals, z.Value())
		}
	}
	for i, v := range vals {
		if err := fresh.Set(i, v); err != nil {
			return err
		}
	}
	if l.form == listQueue {
		if err := l.o.Set(l.base+"_head", int32(0)); err != nil {
			return err
		}
	}
	return l.o.Set(l.arrayMember(), fresh)
}

// structIn returns a struct of an array whose elements stand in place, or next
// if that is one: null cannot stand in an unused place there.
func structIn(a *Array, next Value) *Object {
	for _, v := range []Value{next, a.At(0)} {
		if o := v.Object(); o != nil && o.Inline() {
			return o
		}
	}
	return nil
}

// zeroStruct makes a struct of like's class with nothing in it, as .NET has it
// in the unused places of an array.
func zeroStruct(like *Object) (*Object, error) {
	z, err := like.g.NewStruct(like.class)
	if err != nil {
		return nil, err
	}
	for i, v := range like.vals {
		if o := v.Object(); o != nil && o.Inline() {
			inner, err := zeroStruct(o)
			if err != nil {
				return nil, err
			}
			z.vals[i] = inner.Value()
		}
	}
	return z, nil
}

// blank is what an unused place of an array holds.
func blank(a *Array) (any, error) {
	if a.primitive() {
		return zero(a.Elem()), nil
	}
	if like := structIn(a, Value{}); like != nil {
		return zeroStruct(like)
	}
	return nil, nil
}
