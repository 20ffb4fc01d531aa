package nrbf

import "strings"

// A layout is how a class of the framework keeps its elements. It is told by
// the members that the class serializes, so that derived classes have it too.
type layout struct {
	kind    layoutKind
	a, b, c int // places of members
}

type layoutKind uint8

const (
	layNone   layoutKind = iota
	layItems             // a: array, b: how many of it count
	layStack             // the same from behind
	layRing              // a: array, b: head, c: size
	layPlain             // a: array or -1
	layInside            // a: the collection that does the work
	layEither            // a or b, whichever is not null
	layPairs             // a: array of pairs or -1
	layTwo               // a: keys, b: values, c: size or -1
	layLinked            // a: first of key, value, next
)

// find is the place of a member, a base class's private one included.
func (c *Class) find(name string) int {
	if i := c.Index(name); i >= 0 {
		return i
	}
	for i := range c.members {
		m := c.members[i].Name
		if len(m) > len(name) && strings.HasSuffix(m, name) && m[len(m)-len(name)-1] == '+' {
			return i
		}
	}
	return -1
}

func layoutOf(c *Class) layout {
	base := plainName(c.name)
	has := func(names ...string) bool {
		for _, n := range names {
			if c.find(n) < 0 {
				return false
			}
		}
		return true
	}
	framework := strings.HasPrefix(base, "System.Collections.")
	switch {
	case has("_items", "_size"):
		return layout{layItems, c.find("_items"), c.find("_size"), 0}
	case has("_array", "_head", "_size"):
		return layout{layRing, c.find("_array"), c.find("_head"), c.find("_size")}
	case has("_array", "_size") && (framework || has("_version")):
		return layout{layStack, c.find("_array"), c.find("_size"), 0}
	case has("Version", "Comparer", "HashSize"):
		if has("Keys", "Values") {
			return layout{layTwo, c.find("Keys"), c.find("Values"), -1}
		}
		return layout{layPairs, c.find("KeyValuePairs"), 0, 0}
	case has("Version", "Comparer", "Capacity"):
		return layout{layPlain, c.find("Elements"), 0, 0}
	case has("Count", "Comparer", "Version", "Items"):
		return layout{layPlain, c.find("Items"), 0, 0}
	case has("Keys", "Values", "Count"):
		return layout{layTwo, c.find("Keys"), c.find("Values"), c.find("Count")}
	case framework && has("keys", "values", "_size"):
		return layout{layTwo, c.find("keys"), c.find("values"), c.find("_size")}
	case strings.HasSuffix(base, "LinkedList`1") && framework:
		return layout{layPlain, max(c.find("Data"), c.find("DataArray")), 0, 0}
	case framework && has("list", "hashtable"):
		return layout{layEither, c.find("list"), c.find("hashtable"), 0}
	case framework && has("head", "count"):
		return layout{layLinked, c.find("head"), 0, 0}
	case framework && has("ArrayList", "KeyComparer"):
		return layout{layPairs, c.find("ArrayList"), 0, 0}
	case c.Index("Collection`1+items") >= 0:
		return layout{layInside, c.Index("Collection`1+items"), 0, 0}
	}
	if framework {
		for _, name := range []string{"_set", "contents", "_dict", "m_dictionary", "list", "items", "_list"} {
			if i := c.Index(name); i >= 0 {
				return layout{layInside, i, 0, 0}
			}
		}
	}
	return layout{}
}

// layout is layoutOf, once per class.
func (d *unmarshaler) layout(c *Class) layout {
	if d.lastC == c {
		return d.lastL
	}
	l, ok := d.layouts[c]
	if !ok {
		l = layoutOf(c)
		if d.layouts == nil {
			d.layouts = map[*Class]layout{}
		}
		d.layouts[c] = l
	}
	d.lastC, d.lastL = c, l
	return l
}

// inside follows collections that only wrap another, a few steps.
func (d *unmarshaler) inside(v Value) (Value, layout) {
	for range 8 {
		o := v.Object()
		if o == nil {
			return v, layout{}
		}
		l := d.layout(o.class)
		switch l.kind {
		case layInside:
			v = o.vals[l.a]
		case layEither:
			if v = o.vals[l.a]; v.IsNull() {
				v = o.vals[l.b]
			}
			if v.IsNull() {
				return v, layout{kind: layPairs, a: -1}
			}
		default:
			return v, l
		}
	}
	return v, layout{}
}

// A seq is a run of elements in an array.
type seq struct {
	arr     *Array
	from, n int
	reverse bool
}

// elements finds the elements of an array or collection; false for others.
func (d *unmarshaler) elements(v Value) (s seq, ok bool, err error) {
	if a := v.Array(); a != nil {
		return seq{arr: a, n: a.Len()}, true, nil
	}
	v, l := d.inside(v)
	if a := v.Array(); a != nil {
		return seq{arr: a, n: a.Len()}, true, nil
	}
	o := v.Object()
	count := -1
	switch l.kind {
	case layItems, layStack:
		s = seq{arr: o.vals[l.a].Array(), reverse: l.kind == layStack}
		count = l.b
	case layRing:
		s = seq{arr: o.vals[l.a].Array()}
		head, ok := o.vals[l.b].Int()
		if !ok || head < 0 || head > int64(s.arr.Len()) {
			return s, true, usage("", ErrCorrupt, "the head of %s outside its array", plainName(o.class.name))
		}
		s.from = int(head)
		count = l.c
	case layPlain, layPairs:
		if l.a < 0 || o == nil || o.vals[l.a].IsNull() {
			return seq{}, true, nil
		}
		inner := o.vals[l.a]
		if list := inner.Object(); list != nil { // OrderedDictionary's
			if d.layout(list.class).kind == layItems {
				return d.elements(inner)
			}
		}
		s = seq{arr: inner.Array(), n: inner.Array().Len()}
		return s, s.arr != nil, nil
	default:
		return s, false, nil
	}
	n, isInt := o.vals[count].Int()
	if !isInt || n < 0 || n > int64(s.arr.Len()) {
		return s, true, usage("", ErrCorrupt, "%s has %v elements in an array of %d", plainName(o.class.name), o.vals[count], s.arr.Len())
	}
	s.n = int(n)
	return s, true, nil
}

// all yields the elements in the order of C#'s foreach.
func (s seq) all(yield func(int, Value) bool) {
	if s.from == 0 && !s.reverse {
		for i, v := range s.arr.All() {
			if i >= s.n || !yield(i, v) {
				return
			}
		}
		return
	}
	var vals []Value // in the order of memory
	for _, v := range s.arr.All() {
		vals = append(vals, v)
	}
	for i := range s.n {
		k := (s.from + i) % max(1, len(vals))
		if s.reverse {
			k = s.n - 1 - i
		}
		if !yield(i, vals[k]) {
			return
		}
	}
}
