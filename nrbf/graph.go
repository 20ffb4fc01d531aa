package nrbf

import "iter"

// A Graph is what one stream holds: a root and everything that it reaches.
// Reading a Graph is safe from many goroutines; changing one is not.
type Graph struct {
	root    Value
	data    []byte // the stream as it came, MessageEnd included; nil if built
	changed bool
	opt     Options

	headerID, major, minor int32

	order    []*node // read nodes in stream order, new ones behind
	pos      ids     // what references can point to
	neg      ids     // structs in place
	next     int32   // highest id so far
	libs     []library
	libIDs   map[int32]int
	libNames map[string]int
	nclass   int32

	nodes  slab[node]
	values slab[Value]
	shapes slab[shape]
	texts  texts
	source *node // holds the stream for the Decimals in it

	decimals     *node // holds new Decimals
	decimalsUsed int   // bytes
}

// A node is an object, an array or a string: [Object], [Array] and [String] are
// the same struct under names with their own methods. One type lets one slab
// and one pointer serve all three.
type node struct {
	g     *Graph
	class *Class  // objects
	arr   *shape  // arrays
	vals  []Value // members; elements of arrays of references, nulls as runs
	text  string  // strings
	id    int32   // negative: a struct in place, nobody refers to it
	seq   int32   // place in Graph.order
	kind  Kind    // KindNone until it is defined: so far only referred to
	want  uint8   // what those who referred to it declared
	libs  int32   // 1 + the first of the libraries right before this one; 0: none
}

const (
	wantString uint8 = 1 << iota
	wantArray
)

type library struct {
	name   string
	id     int32
	before *node
}

// A String is a string with identity: two references to one String are one
// string in .NET, two Strings of the same text are two.
type String node

// ID is the string's id in the stream.
func (s *String) ID() int32 { return s.id }

// Text is the text.
func (s *String) Text() string {
	if s == nil {
		return ""
	}
	return s.text
}

// Value is the string as a Value.
func (s *String) Value() Value { return (*node)(s).value() }

func (n *node) value() Value {
	if n == nil {
		return null
	}
	return Value{p: n, kind: kindNode}
}

// Root is the object that was serialized. KindNone in a new graph.
func (g *Graph) Root() Value { return g.root }

// Len is the number of objects, arrays and strings.
func (g *Graph) Len() int { return len(g.order) }

// All yields every object, array and string in the order of the stream, those
// that the root does not reach among them.
func (g *Graph) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, n := range g.order {
			if !yield(n.value()) {
				return
			}
		}
	}
}

// ByID returns the object, array or string with this id of the stream; those of
// structs in place are negative.
func (g *Graph) ByID(id int32) Value {
	n := g.lookup(id)
	if n == nil || n.kind == KindNone {
		return Value{}
	}
	return n.value()
}

func (g *Graph) lookup(id int32) *node {
	if id >= 0 {
		return g.pos.get(id)
	}
	if id == -id {
		return nil
	}
	return g.neg.get(-id)
}

// Libraries yields the assembly names that the stream declares.
func (g *Graph) Libraries() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range g.libs {
			if !yield(g.libs[i].name) {
				return
			}
		}
	}
}

// Changed reports whether Append writes something else than was read.
func (g *Graph) Changed() bool { return g.changed }

// Size is the length of the stream that was read, MessageEnd included: what
// stands behind it is not part of it. 0 for a graph that was built.
func (g *Graph) Size() int { return len(g.data) }

// lib finds a library by name; -1 if there is none.
func (g *Graph) lib(name string) int {
	if i, ok := g.libNames[name]; ok {
		return i
	}
	return -1
}

func (g *Graph) libByID(id int32) int {
	if i, ok := g.libIDs[id]; ok {
		return i
	}
	return -1
}

// addLib appends a library; of two with one name the first is written again.
func (g *Graph) addLib(name string, id int32) {
	if g.libIDs == nil {
		g.libIDs, g.libNames = map[int32]int{}, map[string]int{}
	}
	g.libIDs[id] = len(g.libs)
	if _, ok := g.libNames[name]; !ok {
		g.libNames[name] = len(g.libs)
	}
	g.libs = append(g.libs, library{name: name, id: id})
}

// free returns an id that nothing has, above from where there are any.
func (g *Graph) free(from int32) int32 {
	for {
		from++
		if from <= 0 {
			from = 1
		}
		if g.pos.get(from) == nil && g.neg.get(from) == nil && g.libByID(from) < 0 {
			return from
		}
	}
}
