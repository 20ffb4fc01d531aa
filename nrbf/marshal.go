package nrbf

import (
	"reflect"
	"time"
)

// Marshal writes v as a stream of its own: a string, a slice, a map, a
// registered struct or a pointer to one. See [Types] for what becomes what. Where
// pointers meet, .NET has one object; cycles are cycles. Maps are written in the
// order of their keys, so that equal values give equal bytes. Nil slices, maps
// and pointers inside others are null.
func (t *Types) Marshal(v any) ([]byte, error) { return t.MarshalIn(Mapping{}, v) }

// MarshalIn is [Types.Marshal] with limits and a zone: a time.Time that is not
// in UTC is written as the wall clock of Mapping.Zone.
func (t *Types) MarshalIn(m Mapping, v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return nil, usage("root", ErrType, "a Go nil has no stream")
	}
	w := newMarshaler(t, New(m.Options), m)
	decl, err := t.declare(rv.Type(), tag{})
	if err == nil && (decl.Form == FormPrimitive || genericOf(decl, "System.Nullable`1") != nil) {
		err = usage("", ErrType, "Go %s alone has no stream: it is stored as an item of its own", rv.Type())
	}
	if err != nil {
		return nil, at(err, "root")
	}
	w.boxRoot = true
	root, err := w.put(decl, rv, null)
	if err == nil {
		err = w.drain()
	}
	if err == nil && root.IsNull() {
		err = usage("", ErrType, "a Go nil has no stream")
	}
	if err != nil {
		return nil, at(err, plainName(decl.String()))
	}
	w.g.root = root
	return w.g.Append(nil)
}

// Update writes v into an existing stream whose root v maps, and returns the new
// stream. What Go does not know stays: members without a field, the assembly's
// name, the comparer of a dictionary, capacity, the kind of a DateTime. If nothing
// differs the result is the bytes that were given. A field that has a value and
// no member to take it is ErrNoMember: it would be lost.
//
// The usual way is to Unmarshal a stream into v, change v and Update the same
// stream. Objects are found again by where they are. Elements of lists and
// arrays of objects are found again by the fields with the tag option key if
// there are any. Without, those whose fields (pointers apart) are unchanged are
// recognised wherever they have moved, then those of which half the fields are,
// and of the rest, between two that are recognised, the first is taken for the
// first and so on if there are as many as before. Others are new, with nothing
// but what Go knows: give a key to elements of which Go does not map every
// member.
//
// A Go struct whose object is shared in .NET and that is no pointer in Go is
// written to the one object if all of its copies are equal, else the others get
// objects of their own, copied with the members that Go does not know. An object
// that is new in Go takes class and assembly of one of its type in the stream, else
// those registered. Arrays, List, ArrayList and Dictionary can be changed;
// other collections are written only if they are as they were, else it is
// [ErrUnsupported].
func (t *Types) Update(stream []byte, v any) ([]byte, error) { return t.UpdateIn(Mapping{}, stream, v) }

// UpdateIn is [Types.Update] with limits and a zone: the ones v was read with.
func (t *Types) UpdateIn(m Mapping, stream []byte, v any) ([]byte, error) {
	g, err := Decode(stream, m.Options)
	if err != nil {
		return nil, err
	}
	if err := t.UpdateGraph(m, g, v); err != nil {
		return nil, err
	}
	return g.Append(nil)
}

// UpdateGraph is [Types.Update] on a graph that has been read. After an error
// the graph may be changed in part: do not write it.
func (t *Types) UpdateGraph(m Mapping, g *Graph, v any) error {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() || rv.Kind() == reflect.Pointer && rv.IsNil() {
		return usage("root", ErrType, "a Go nil cannot be written into a stream")
	}
	name := rootName(g.root)
	w := newMarshaler(t, g, m)
	w.boxRoot = true
	root, err := w.put(typeOfValue(g.root), rv, g.root)
	if err == nil {
		err = w.drain()
	}
	if err != nil {
		return at(err, name)
	}
	if root != g.root {
		return usage(name, ErrType, "Go %s does not fit the object", rv.Type())
	}
	return nil
}

func typeOfValue(v Value) Type {
	switch v.Kind() {
	case KindObject:
		return ClassType(v.p.class.name, v.p.class.library)
	case KindArray:
		return arrayType(v.p.arr.elem)
	case KindString:
		return StringType()
	}
	return ObjectType()
}

// A marshaler is one call of Marshal or Update.
type marshaler struct {
	types   *Types
	g       *Graph
	mapping Mapping
	zone    *time.Location
	depth   int
	boxRoot bool // the next value is the root, which is never in place

	ptrs    map[identity]*node
	claimed map[*node]identity // which Go value an object holds by now
	classes map[string]*node   // an object of each class, to learn from
	matches matches
	queue   []task
}

type identity struct {
	p   any // the pointer; nil for a struct that is no pointer
	typ reflect.Type
}

type task struct {
	o  *Object
	p  *plan
	rv reflect.Value
}

func newMarshaler(t *Types, g *Graph, m Mapping) *marshaler {
	w := &marshaler{types: t, g: g, mapping: m, zone: m.Zone, ptrs: map[identity]*node{}, claimed: map[*node]identity{}}
	if w.zone == nil {
		w.zone = time.UTC
	}
	return w
}

func (w *marshaler) drain() error {
	for len(w.queue) > 0 {
		t := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		if err := w.fill(t.p, t.o, t.rv); err != nil {
			return err
		}
	}
	return nil
}

// put makes of a Go value what a place of type t holds; old is what it holds
// now, null for a new place. It returns old where nothing differs.
func (w *marshaler) put(t Type, rv reflect.Value, old Value) (Value, error) {
	box := w.boxRoot || t.Form == FormObject
	w.boxRoot = false
	if w.depth++; w.depth > depthMost {
		return Value{}, usage("", ErrLimit, "Go values in one another more than %d deep, or a cycle without a pointer", depthMost)
	}
	defer func() { w.depth-- }()
	if rv.Kind() == reflect.Interface {
		if rv.IsNil() {
			return w.null(t, rv)
		}
		rv = rv.Elem()
	}
	p := planOf(rv.Type())
	switch p.op {
	case opPointer:
		if rv.IsNil() {
			return w.null(t, rv)
		}
		if p.elem.op == opStruct {
			return w.object(t, p.elem, rv.Elem(), old, box, identity{rv.UnsafePointer(), p.elem.typ})
		}
		w.boxRoot = box && t.Form != FormObject
		return w.put(t, rv.Elem(), old)
	case opStruct:
		return w.object(t, p, rv, old, box, identity{nil, p.typ})
	case opSlice, opArray:
		return w.sequence(t, p, rv, old)
	case opMap:
		return w.dictionary(t, p, rv, old)
	case opValue, opObject, opArrayNode, opStringNode:
		return w.part(rv, old)
	case opGuid:
		return w.guid(t, p, rv, old, box)
	}
	return w.scalar(t, p, rv, old, box)
}

func (w *marshaler) null(t Type, rv reflect.Value) (Value, error) {
	if t.Form == FormPrimitive {
		return Value{}, usage("", ErrType, "a nil Go %s into %s", rv.Type(), t)
	}
	return null, nil
}

// part keeps what Go holds as a piece of a graph that was read from the same
// stream.
func (w *marshaler) part(rv reflect.Value, old Value) (Value, error) {
	var v Value
	switch x := rv.Interface().(type) {
	case Value:
		v = x
	case *Object:
		v = x.Value()
	case *Array:
		v = x.Value()
	case *String:
		v = x.Value()
	}
	switch {
	case v.kind == KindNone, v.kind == KindNull:
		return null, nil
	case v == old, v.kind != kindNode, v.p.g == w.g:
		return v, nil
	case old.kind == kindNode && old.p.kind == v.p.kind && old.p.id == v.p.id && netName(old) == netName(v):
		return old, nil
	}
	return Value{}, usage("", ErrType, "%s %d belongs to another graph", v.Kind(), v.p.id)
}

// unchanged reports that a place holds already what rv says.
func (w *marshaler) unchanged(rv reflect.Value, old Value) bool {
	if !old.Exists() || old.IsNull() {
		return false
	}
	fresh := reflect.New(rv.Type())
	m := w.mapping
	if m.UnmarshalValue(old, fresh.Interface()) != nil {
		return false
	}
	return reflect.DeepEqual(fresh.Elem().Interface(), rv.Interface())
}
