package nrbf

import "math"

// Decode reads one stream. It keeps data, which must not be changed as long as
// the Graph is used; arrays of primitives are views of it, and an unchanged
// Graph is written from it. What stands behind the MessageEnd record is ignored:
// see [Graph.Size].
//
// Nothing is executed or looked up: names of types are text.
func Decode(data []byte, opt Options) (*Graph, error) {
	d, err := decodeIn(data, opt, nil)
	if err != nil {
		return nil, err
	}
	return d.g, nil
}

// decodeIn reads into the memory of an arena, if there is one.
func decodeIn(data []byte, opt Options, a *arena) (*decoder, error) {
	d := &decoder{data: data, opt: opt.withDefaults(), g: &Graph{}}
	d.g.opt = d.opt
	if len(data) > d.opt.Bytes {
		return nil, d.fail(ErrLimit, "a stream of %d bytes, at most %d", len(data), d.opt.Bytes)
	}
	// A guess at the first chunks, small in case that it is one large array.
	guess := min(max(len(data)/40, 4), 64)
	if a != nil {
		a.lend(d)
	}
	d.g.nodes.next, d.g.values.next = guess, 2*guess
	if d.g.order == nil {
		d.g.order = make([]*node, 0, 2*guess)
	}
	if d.g.pos.dense == nil {
		d.g.pos.dense = make([]*node, 2*guess)
	}
	d.g.texts.next = 8 * guess
	if err := d.run(); err != nil {
		return nil, err
	}
	return d, nil
}

type decoder struct {
	data    []byte
	off     int
	record  RecordType // the one being read, for errors
	opt     Options
	g       *Graph
	stack   []frame
	scratch []Value // elements of the one array that is open
	classes map[int32]*Class
	last    *Class // the class used last, and the id of its description
	lastID  int32

	elements int // of Options.Elements
	objects  int // of Options.Objects
	open     int // nodes that are referred to and not defined yet
	libs     int // libraries before here belong to a record
}

// A frame is an object or an array of references whose values are being read.
type frame struct {
	n      *node
	i      int // members read, elements covered
	arr    bool
	record RecordType
}

func (d *decoder) run() error {
	root, err := d.header()
	if err != nil {
		return err
	}
	for {
		if len(d.stack) > 0 {
			if err := d.fill(); err != nil {
				return err
			}
			continue
		}
		start := d.off
		b, err := d.byte()
		if err != nil {
			return err
		}
		d.record = RecordType(b)
		switch d.record {
		case MessageEnd:
			return d.finish(root)
		case BinaryLibrary:
			err = d.library()
		case BinaryObjectString:
			_, err = d.string()
		case ClassWithID, SystemClassWithMembers, ClassWithMembers, SystemClassWithMembersAndTypes, ClassWithMembersAndTypes:
			_, err = d.class(false)
		case BinaryArray, ArraySinglePrimitive, ArraySingleObject, ArraySingleString:
			err = d.array()
		default:
			d.off = start
			return d.stray("at top level")
		}
		if err != nil {
			return err
		}
	}
}

// stray refuses the record d.record, which starts at d.off.
func (d *decoder) stray(where string) error {
	switch {
	case d.record == MethodCall || d.record == MethodReturn:
		return d.fail(ErrUnsupported, "a remote method call is no data")
	case d.record > ArraySingleString:
		return d.fail(ErrCorrupt, "no such record")
	}
	return d.fail(ErrCorrupt, "the record must not stand %s", where)
}

func (d *decoder) header() (root int32, err error) {
	b, err := d.byte()
	if err != nil {
		return 0, err
	}
	if RecordType(b) != SerializedStreamHeader {
		d.off = 0
		d.record = RecordType(b)
		return 0, d.fail(ErrCorrupt, "a stream starts with a SerializedStreamHeader")
	}
	for _, p := range []*int32{&root, &d.g.headerID, &d.g.major, &d.g.minor} {
		if *p, err = d.int32(); err != nil {
			return 0, err
		}
	}
	if d.g.major > 1 {
		d.off -= 8
		return 0, d.fail(ErrUnsupported, "version %d.%d", d.g.major, d.g.minor)
	}
	return root, nil
}

func (d *decoder) finish(root int32) error {
	if d.open > 0 {
		var first *node
		d.g.pos.each(func(n *node) {
			if n.kind == KindNone && (first == nil || n.id < first.id) {
				first = n
			}
		})
		return d.fail(ErrCorrupt, "a reference to id %d, which is nowhere", first.id)
	}
	n := d.g.pos.get(root)
	if root <= 0 || n == nil {
		return d.fail(ErrCorrupt, "the root has id %d, which is nowhere", root)
	}
	d.g.root = n.value()
	d.g.data = d.data[:d.off:d.off]
	return nil
}

// where names the innermost open object or array, and the member.
func (d *decoder) where() string {
	if len(d.stack) == 0 {
		return ""
	}
	f := &d.stack[len(d.stack)-1]
	if f.arr {
		return (*Array)(f.n).String()
	}
	if f.i < 1 || f.i > len(f.n.class.members) {
		return f.n.class.name
	}
	return f.n.class.name + "." + f.n.class.members[f.i-1].Name
}

func (d *decoder) library() error {
	if err := d.spendObject(); err != nil {
		return err
	}
	id, err := d.int32()
	if err != nil {
		return err
	}
	name, err := d.text()
	if err != nil {
		return err
	}
	if d.g.libByID(id) >= 0 {
		return d.fail(ErrCorrupt, "library id %d twice", id)
	}
	if name == "" || id <= 0 {
		return d.fail(ErrCorrupt, "library %q with id %d", clip(name), id)
	}
	d.g.addLib(name, id)
	d.g.next = max(d.g.next, id)
	return nil
}

func (d *decoder) string() (*node, error) {
	id, err := d.int32()
	if err != nil {
		return nil, err
	}
	n, err := d.define(id, KindString, false)
	if err != nil {
		return nil, err
	}
	n.text, err = d.text()
	return n, err
}

func (d *decoder) spendObject() error {
	if d.objects++; d.objects > d.opt.Objects {
		return d.fail(ErrLimit, "more than %d objects", d.opt.Objects)
	}
	return nil
}

func (d *decoder) spend(elements int) error {
	if elements > d.opt.Elements-d.elements {
		return d.fail(ErrLimit, "more than %d members and elements", d.opt.Elements)
	}
	d.elements += elements
	return nil
}

// node makes one with an id that has none yet.
func (d *decoder) node(id int32) (*node, error) {
	if err := d.spendObject(); err != nil {
		return nil, err
	}
	n := d.g.nodes.one()
	n.g, n.id = d.g, id
	if id > 0 {
		d.g.pos.put(id, n)
		d.g.next = max(d.g.next, id)
	} else {
		d.g.neg.put(-id, n)
		d.g.next = max(d.g.next, -id)
	}
	return n, nil
}

// define gives the node with this id its kind. Only structs in place have
// negative ids; at top level .NET could never refer to one.
func (d *decoder) define(id int32, kind Kind, inPlace bool) (*node, error) {
	if id == 0 || id == math.MinInt32 || id < 0 && !inPlace {
		return nil, d.fail(ErrCorrupt, "id %d for %s", id, kind)
	}
	n := d.g.lookup(id)
	if n == nil {
		var err error
		if n, err = d.node(id); err != nil {
			return nil, err
		}
	} else {
		if n.kind != KindNone {
			return nil, d.fail(ErrCorrupt, "id %d twice", id)
		}
		d.open--
	}
	n.kind = kind
	n.seq = int32(len(d.g.order))
	d.g.order = append(d.g.order, n)
	if kind != KindString && d.libs < len(d.g.libs) {
		n.libs = int32(d.libs) + 1
		for ; d.libs < len(d.g.libs); d.libs++ {
			d.g.libs[d.libs].before = n
		}
	}
	return n, d.wanted(n)
}

// wanted compares what a node is with what its referrers declared.
func (d *decoder) wanted(n *node) error {
	if n.want&wantString != 0 && n.kind != KindString {
		return d.fail(ErrCorrupt, "id %d is %s where a string is declared", n.id, n.kind)
	}
	if n.want&wantArray != 0 && n.kind != KindArray {
		return d.fail(ErrCorrupt, "id %d is %s where an array is declared", n.id, n.kind)
	}
	return nil
}
