package nrbf

import (
	"iter"
	"strings"
)

// A List views a sequence: arrays of any rank, List<T>, ArrayList, Queue, Stack,
// HashSet<T>, SortedSet<T>, LinkedList<T>, BitArray, and the wrappers
// Collection<T>, ReadOnlyCollection<T> and ObservableCollection<T>.
//
// Elements are in the order of the collection's own serialization: a Queue's
// from its head, a Stack's from the bottom, a SortedSet's sorted. Changing one
// keeps what .NET relies on: counts, capacities, positions and versions.
type List struct {
	form listForm
	o    *Object // holder; nil for an array
	arr  *Array  // an array as such
	base string  // "List`1+" in front of inherited members
}

type listForm uint8

const (
	listArray  listForm = iota
	listItems           // _items, _size, _version
	listStack           // _array, _size, _version
	listQueue           // _array, _head, _tail, _size, _version
	listSet             // Elements, Capacity, Version
	listSorted          // Items, Count, Version
	listLinked          // Data, Version
	listBits            // m_array, m_length, _version
)

type listClass struct {
	form    listForm
	members []string
}

var listClasses = map[string]listClass{
	"System.Collections.Generic.List`1":       {listItems, []string{"_items", "_size", "_version"}},
	"System.Collections.ArrayList":            {listItems, []string{"_items", "_size", "_version"}},
	"System.Collections.Generic.Stack`1":      {listStack, []string{"_array", "_size", "_version"}},
	"System.Collections.Stack":                {listStack, []string{"_array", "_size", "_version"}},
	"System.Collections.Generic.Queue`1":      {listQueue, []string{"_array", "_head", "_tail", "_size", "_version"}},
	"System.Collections.Queue":                {listQueue, []string{"_array", "_head", "_tail", "_size", "_version"}},
	"System.Collections.Generic.HashSet`1":    {listSet, []string{"Version", "Capacity"}},
	"System.Collections.Generic.SortedSet`1":  {listSorted, []string{"Count", "Version"}},
	"System.Collections.Generic.TreeSet`1":    {listSorted, []string{"Count", "Version"}},
	"System.Collections.Generic.LinkedList`1": {listLinked, []string{"Version"}},
	"System.Collections.BitArray":             {listBits, []string{"m_array", "m_length", "_version"}},
}

// wrapped names the member in which a wrapper keeps its list.
var wrapped = []string{"list", "items", "Collection`1+items", "ReadOnlyCollection`1+list"}

// ListOf views a sequence; false for anything else, and for a wrapper whose list
// is not one.
func ListOf(v Value) (List, bool) {
	if a := v.Array(); a != nil {
		return List{arr: a}, true
	}
	o := v.Object()
	for range 4 { // wrappers of wrappers
		if o == nil {
			return List{}, false
		}
		if l, ok := listObject(o); ok {
			return l, true
		}
		inner := wrappedIn(o)
		if a := inner.Array(); a != nil {
			return List{arr: a}, true
		}
		o = inner.Object()
	}
	return List{}, false
}

func wrappedIn(o *Object) Value {
	plain := strings.HasPrefix(o.class.name, "System.Collections.ObjectModel.")
	for _, name := range wrapped {
		if v := o.Get(name); v.Exists() && (plain || strings.Contains(name, "+")) {
			return v
		}
	}
	return Value{}
}

func listObject(o *Object) (List, bool) {
	name := genericName(o)
	if c, ok := listClasses[name]; ok {
		return listAt(o, c, "")
	}
	if strings.HasPrefix(name, "System.") {
		return List{}, false
	}
	for _, m := range o.class.members { // a derived class
		switch m.Name {
		case "List`1+_items":
			return listAt(o, listClasses["System.Collections.Generic.List`1"], "List`1+")
		case "ArrayList+_items":
			return listAt(o, listClasses["System.Collections.ArrayList"], "ArrayList+")
		case "Queue`1+_array":
			return listAt(o, listClasses["System.Collections.Generic.Queue`1"], "Queue`1+")
		case "Stack`1+_array":
			return listAt(o, listClasses["System.Collections.Generic.Stack`1"], "Stack`1+")
		}
	}
	if o.Get("Capacity").Exists() && o.Get("Version").Exists() && o.Get("Comparer").Exists() && !o.Get("HashSize").Exists() {
		return List{form: listSet, o: o}, true
	}
	return List{}, false
}

func listAt(o *Object, c listClass, base string) (List, bool) {
	for _, name := range c.members {
		if !o.Get(base + name).Exists() {
			return List{}, false
		}
	}
	l := List{form: c.form, o: o, base: base}
	if c.form == listSet || c.form == listSorted || c.form == listLinked {
		return l, true // the array is left out when there is nothing in it
	}
	return l, l.back() != nil
}

// arrayMember is the name of the member that holds the elements.
func (l List) arrayMember() string {
	switch l.form {
	case listItems:
		return l.base + "_items"
	case listSet:
		return "Elements"
	case listSorted:
		return "Items"
	case listLinked:
		return "Data"
	case listBits:
		return "m_array"
	}
	return l.base + "_array"
}

// back is the array of elements; nil where there is none.
func (l List) back() *Array {
	if l.o == nil {
		return l.arr
	}
	return l.o.Get(l.arrayMember()).Array()
}

// Holder is the object that is viewed, past any wrapper; nil for an array.
func (l List) Holder() *Object { return l.o }

// Array is the array that holds the elements, a part of it perhaps; nil for an
// empty set or LinkedList, which has none.
func (l List) Array() *Array { return l.back() }

// Len is the number of elements.
func (l List) Len() int {
	a := l.back()
	switch l.form {
	case listItems, listStack, listQueue:
		return intOf(l.o, l.base+"_size", a.Len())
	case listBits:
		return intOf(l.o, "m_length", 32*a.Len())
	}
	return a.Len()
}

// place is where element i stands in the array.
func (l List) place(i int) int {
	if l.form == listQueue {
		if n := l.back().Len(); n > 0 {
			return (intOf(l.o, l.base+"_head", n-1) + i) % n
		}
	}
	return i
}

// At is element i, KindNone outside the list.
func (l List) At(i int) Value {
	if i < 0 || i >= l.Len() {
		return Value{}
	}
	if l.form == listBits {
		word, _ := l.back().At(i / 32).Int()
		return Value{kind: KindBoolean, n: uint64(word) >> (i % 32) & 1}
	}
	return l.back().At(l.place(i))
}

// All yields the elements in order.
func (l List) All() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		n := l.Len()
		if a := l.back(); l.form != listBits && l.place(0) == 0 {
			for i, v := range a.All() {
				if i >= n || !yield(i, v) {
					return
				}
			}
			return
		}
		for i := range n {
			if !yield(i, l.At(i)) {
				return
			}
		}
	}
}

// Extra yields the members that a derived class adds to the framework's.
func (l List) Extra() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if l.o == nil || strings.HasPrefix(l.o.class.name, "System.") {
			return
		}
		for name, v := range l.o.Members() {
			own := l.base == "" || !strings.HasPrefix(name, l.base)
			if l.form == listSet {
				own = name != "Version" && name != "Comparer" && name != "Capacity" && name != "Elements"
			}
			if own && !yield(name, v) {
				return
			}
		}
	}
}
