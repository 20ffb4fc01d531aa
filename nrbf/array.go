package nrbf

import (
	"iter"
	"slices"
	"sort"
	"strings"
)

// An Array is an array of any rank. Elements of a primitive type stay as bytes
// of the stream; others are a list in which a run of nulls is one entry,
// however long it is. Elements are numbered from 0 in the order of memory (the
// last dimension fastest), whatever the lower bounds are. The methods that read
// treat a nil *Array as an empty one.
type Array node

// An ArrayForm is the format's BinaryArrayTypeEnum.
type ArrayForm uint8

// The forms; those with Offset state their lower bounds.
const (
	Single            ArrayForm = 0
	Jagged            ArrayForm = 1 // an array of arrays
	Rectangular       ArrayForm = 2
	SingleOffset      ArrayForm = 3
	JaggedOffset      ArrayForm = 4
	RectangularOffset ArrayForm = 5
)

type shape struct {
	elem    Type
	form    ArrayForm
	record  RecordType // BinaryArray or one of the three short forms
	total   int
	lengths []int32 // nil: rank 1, from 0
	lowers  []int32 // nil: all 0
	data    []byte  // primitive elements
	owned   bool    // data is ours, no longer the stream's
	starts  []int32 // first element of each entry; nil: all entries are single
}

// ID is the array's id in the stream.
func (a *Array) ID() int32 { return a.id }

// Value is the array as a Value; a nil Array is null.
func (a *Array) Value() Value { return (*node)(a).value() }

// Len is the number of elements, over all dimensions.
func (a *Array) Len() int {
	if a == nil {
		return 0
	}
	return a.arr.total
}

// Elem is the declared type of the elements.
func (a *Array) Elem() Type {
	if a == nil {
		return Type{}
	}
	return a.arr.elem
}

// Form tells single, jagged and rectangular arrays apart. Arrays of strings,
// objects and primitives in their short records are Single.
func (a *Array) Form() ArrayForm { return a.arr.form }

// Rank is the number of dimensions.
func (a *Array) Rank() int { return max(1, len(a.arr.lengths)) }

// Length is the number of elements of one dimension, 0..Rank()-1.
func (a *Array) Length(dim int) int {
	if a.arr.lengths == nil && dim == 0 {
		return a.arr.total
	}
	return int(a.arr.lengths[dim])
}

// LowerBound is the first index of one dimension, 0 in nearly all arrays.
func (a *Array) LowerBound(dim int) int {
	if a.arr.lowers == nil {
		return 0
	}
	return int(a.arr.lowers[dim])
}

// String is .NET's name of the type, "System.Int32[,]"; arrays of arrays have
// the outer brackets last, as Type.FullName has them.
func (a *Array) String() string {
	if a == nil {
		return "null"
	}
	suffix := "[" + strings.Repeat(",", a.Rank()-1) + "]"
	if a.Rank() == 1 && a.arr.lowers != nil && a.arr.lowers[0] != 0 {
		suffix = "[*]"
	}
	return a.arr.elem.String() + suffix
}

// primitive reports that the elements are in data.
func (a *Array) primitive() bool { return a.arr.elem.Form == FormPrimitive }

// entry finds the entry of element i, which must exist.
func (a *Array) entry(i int) int {
	if a.arr.starts == nil {
		return i
	}
	return sort.Search(len(a.arr.starts), func(k int) bool { return int(a.arr.starts[k]) > i }) - 1
}

// At returns element i, KindNone outside the array. In an array of Char or
// Decimal each call reads from the front: take those with [Primitives].
func (a *Array) At(i int) Value {
	if a == nil || i < 0 || i >= a.arr.total {
		return Value{}
	}
	if a.primitive() {
		return a.primitiveAt(i)
	}
	v := a.vals[a.entry(i)]
	if v.kind == KindNull {
		return null
	}
	return v
}

// All yields every element.
func (a *Array) All() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if a == nil {
			return
		}
		if a.primitive() {
			a.allPrimitives(yield)
			return
		}
		i := 0
		for _, v := range a.vals {
			n := 1
			if v.kind == KindNull {
				n, v = int(v.n), null
			}
			for ; n > 0; n-- {
				if !yield(i, v) {
					return
				}
				i++
			}
		}
	}
}

// Runs yields the elements of an array of references with each run of nulls as
// one null and its length, other elements with length 1. It costs no more than
// the stream did.
func (a *Array) Runs() iter.Seq2[Value, int] {
	return func(yield func(Value, int) bool) {
		if a == nil {
			return
		}
		nulls := 0
		for _, v := range a.vals {
			if v.kind == KindNull {
				nulls += int(v.n)
				continue
			}
			if nulls > 0 && !yield(null, nulls) {
				return
			}
			nulls = 0
			if !yield(v, 1) {
				return
			}
		}
		if nulls > 0 {
			yield(null, nulls)
		}
	}
}

// index computes starts from entry from on.
func (a *Array) index() {
	a.arr.starts = a.arr.starts[:0]
	flat := true
	at := 0
	for _, v := range a.vals {
		flat = flat && (v.kind != KindNull || v.n == 1)
		a.arr.starts = append(a.arr.starts, int32(at))
		if v.kind == KindNull {
			at += int(v.n)
		} else {
			at++
		}
	}
	if flat {
		a.arr.starts = nil
	}
}

// put replaces element i, which must exist, by one entry.
func (a *Array) put(i int, v Value) {
	k := a.entry(i)
	old := a.vals[k]
	if old.kind != KindNull || old.n == 1 {
		a.vals[k] = v
		return
	}
	before := i - int(a.arr.starts[k])
	after := int(old.n) - before - 1
	var parts [3]Value
	n, s := 0, [3]int32{}
	if before > 0 {
		parts[n], s[n] = Value{kind: KindNull, n: uint64(before)}, a.arr.starts[k]
		n++
	}
	parts[n], s[n] = v, int32(i)
	n++
	if after > 0 {
		parts[n], s[n] = Value{kind: KindNull, n: uint64(after)}, int32(i+1)
		n++
	}
	a.vals = slices.Replace(a.vals, k, k+1, parts[:n]...)
	a.arr.starts = slices.Replace(a.arr.starts, k, k+1, s[:n]...)
}
