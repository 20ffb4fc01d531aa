package nrbf

import "strings"

// New returns an empty graph to build a stream in. Give it a root with
// [Graph.SetRoot]. The names of types are arguments of the program: never take
// them from a request.
func New(opt Options) *Graph {
	return &Graph{opt: opt.withDefaults(), headerID: -1, major: 1, changed: true}
}

// add makes a node and gives it its place and id.
func (g *Graph) add(kind Kind, inPlace bool) *node {
	g.next = g.free(g.next)
	n := g.nodes.one()
	*n = node{g: g, kind: kind, id: g.next, seq: int32(len(g.order))}
	if inPlace {
		n.id = -n.id
		g.neg.put(-n.id, n)
	} else {
		g.pos.put(n.id, n)
	}
	g.order = append(g.order, n)
	return n
}

// NewString makes a string with identity: set it in two places and .NET sees
// one string twice. Bytes that are not UTF-8 become U+FFFD.
func (g *Graph) NewString(s string) *String {
	n := g.add(KindString, false)
	n.text = validText(s)
	return (*String)(n)
}

// NewClass describes a class for new objects: .NET's full name, the assembly's
// full name (empty for mscorlib) and the serialized fields in any order. It
// refuses with [ErrGadget] types that are known to run code when they are
// deserialized. Objects of a class that was read take [Object.Class] instead.
func (g *Graph) NewClass(name, library string, members ...Member) (*Class, error) {
	if name == "" || validText(name) != name || validText(library) != library {
		return nil, usage("class", ErrType, "name %q, library %q", clip(name), clip(library))
	}
	if err := refuseGadget(name); err != nil {
		return nil, err
	}
	if len(members) > g.opt.Members {
		return nil, usage(name, ErrLimit, "%d members, at most %d", len(members), g.opt.Members)
	}
	for _, m := range members {
		if bad := m.Type.check(); bad != "" || m.Name == "" || validText(m.Name) != m.Name {
			return nil, usage(name+"."+m.Name, ErrType, "%s", bad)
		}
		if err := refuseGadget(m.Type.Name); err != nil {
			return nil, err
		}
	}
	c := &Class{name: name, library: library, members: append([]Member(nil), members...), seq: g.nclass, g: g, harmless: true}
	if twice, ok := c.finish(); !ok {
		return nil, usage(name+"."+twice, ErrType, "two members of one name")
	}
	g.nclass++
	g.declare(library)
	for _, m := range members {
		g.declare(m.Type.Library)
	}
	return c, nil
}

// declare makes sure that the graph has a library.
func (g *Graph) declare(name string) {
	if name != "" && g.lib(name) < 0 {
		g.next = g.free(g.next)
		g.addLib(name, g.next)
	}
}

// NewObject makes an object of a class of this graph, one that was read
// included: members null, zero or false. Others refer to it; for a struct take
// [Graph.NewStruct].
func (g *Graph) NewObject(c *Class) (*Object, error) { return g.object(c, false) }

// NewStruct makes a struct: it stands in place in the one member or element
// that it is set to, as .NET writes value types and enums whose declared type
// is their own. A boxed one, in an object[] or a member of type object, is made
// with [Graph.NewObject].
func (g *Graph) NewStruct(c *Class) (*Object, error) { return g.object(c, true) }

func (g *Graph) object(c *Class, inPlace bool) (*Object, error) {
	if c == nil || c.g != g {
		return nil, usage("class", ErrType, "belongs to another graph")
	}
	if !c.harmless {
		if err := refuseGadget(c.name); err != nil {
			return nil, err
		}
		c.harmless = true
	}
	n := g.add(KindObject, inPlace)
	n.class, n.vals = c, g.values.many(len(c.members))
	for i := range c.members {
		n.vals[i] = zero(c.members[i].Type)
	}
	return (*Object)(n), nil
}

func zero(t Type) Value {
	switch {
	case t.Form != FormPrimitive:
		return null
	case t.Kind == KindDecimal:
		return Value{kind: KindDecimal, n: uint64(len(zeroDecimal.arr.data)), p: zeroDecimal}
	}
	return Value{kind: t.Kind}
}

// zeroDecimal holds the text of all of them. Nothing changes it.
var zeroDecimal = &node{arr: &shape{data: []byte("0")}}

// NewArray makes an array of rank 1 with n elements, null or zero. Elements of
// a class type that are arrays themselves need jagged: .NET writes those in
// another form. Primitives are made with [NewPrimitives].
func (g *Graph) NewArray(elem Type, n int, jagged bool) (*Array, error) {
	if bad := elem.check(); bad != "" {
		return nil, usage("array", ErrType, "%s", bad)
	}
	if n < 0 || n > g.opt.Elements {
		return nil, usage(elem.String()+"[]", ErrLimit, "%d elements, at most %d", n, g.opt.Elements)
	}
	if err := refuseGadget(elem.Name); err != nil {
		return nil, err
	}
	g.declare(elem.Library)
	s := &shape{elem: elem, total: n}
	switch {
	case elem.Form == FormPrimitive:
		s.record, s.total, s.owned = ArraySinglePrimitive, 0, true
	case elem.Form == FormObject && !jagged:
		s.record = ArraySingleObject
	case elem.Form == FormString && !jagged:
		s.record = ArraySingleString
	default:
		s.record, s.lengths = BinaryArray, []int32{int32(n)}
		if jagged || elem.array() {
			s.form = Jagged
		}
	}
	a := (*Array)(g.add(KindArray, false))
	a.arr = s
	if elem.Form == FormPrimitive {
		return a, a.Resize(n)
	}
	if n > 0 {
		a.vals = []Value{{kind: KindNull, n: uint64(n)}}
		a.index()
	}
	return a, nil
}

// NewPrimitives makes an array of primitives, a copy of vs.
func NewPrimitives[T Primitive](g *Graph, vs []T) (*Array, error) {
	data, err := encodePrimitives(g, vs)
	if err != nil {
		return nil, err
	}
	s := &shape{elem: PrimitiveType(KindOf[T]()), record: ArraySinglePrimitive, total: len(vs), data: data, owned: true}
	a := (*Array)(g.add(KindArray, false))
	a.arr = s
	return a, nil
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
