package nrbf

import (
	"encoding/binary"
	"fmt"
)

// Append writes the graph behind dst. One that was read and not changed gives
// the bytes that were read. Any other is written in the order in which .NET's
// BinaryFormatter writes: the root, then what is referred to, first come first
// written; structs and strings in place; a class described where it is first
// used, a library right before. Objects keep the ids that they were read with;
// what the root does not reach is left out. dst is returned as it was on error.
func (g *Graph) Append(dst []byte) ([]byte, error) {
	if !g.changed && g.data != nil {
		return append(dst, g.data...), nil
	}
	return g.encode(dst)
}

// Reencode is Append that writes from the graph even what was not changed: the
// bytes show then whether reading understood all of it.
func (g *Graph) Reencode(dst []byte) ([]byte, error) { return g.encode(dst) }

type encoder struct {
	g     *Graph
	out   []byte
	start int
	queue []*node
	stack []writing
	seen  bits    // by node.seq: queued or written
	open  bits    // by node.seq: structs being written
	metas []int32 // by Class.seq: id under which it was described
	libs  bits    // by place in Graph.libs
	next  int32
}

// A writing is an object or array of references whose values are being written.
type writing struct {
	n     *node
	i     int
	nulls int // of an array, not written yet
}

type bits []uint64

func (b bits) has(i int32) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bits) set(i int32)      { b[i>>6] |= 1 << (i & 63) }
func (b bits) clear(i int32)    { b[i>>6] &^= 1 << (i & 63) }
func newBits(n int) bits        { return make(bits, n/64+1) }

func (g *Graph) encode(dst []byte) ([]byte, error) {
	e := encoder{
		g: g, out: dst, start: len(dst), next: g.next,
		seen: newBits(len(g.order)), open: newBits(len(g.order)), libs: newBits(len(g.libs)),
		metas: make([]int32, g.nclass),
	}
	if err := e.run(); err != nil {
		return dst, err
	}
	return e.out, nil
}

func (e *encoder) run() error {
	if e.g.root.kind != kindNode {
		return usage("root", ErrType, "a stream needs an object, array or string as its root")
	}
	root := e.g.root.p
	id := root.id
	if id < 0 { // a struct in place, taken out of it
		id = e.fresh()
	}
	e.byte(byte(SerializedStreamHeader))
	for _, n := range []int32{id, e.g.headerID, e.g.major, e.g.minor} {
		e.int32(n)
	}
	if root.id > 0 {
		e.seen.set(root.seq)
	}
	if err := e.begin(root, id); err != nil {
		return err
	}
	for head := 0; ; head++ {
		for len(e.stack) > 0 {
			if err := e.fill(); err != nil {
				return err
			}
		}
		if head == len(e.queue) {
			break
		}
		if err := e.begin(e.queue[head], e.queue[head].id); err != nil {
			return err
		}
	}
	e.byte(byte(MessageEnd))
	return e.size()
}

func (e *encoder) size() error {
	if n := len(e.out) - e.start; n > e.g.opt.Bytes {
		return &Error{Offset: -1, Err: fmt.Errorf("%w: a stream of %d bytes, at most %d", ErrLimit, n, e.g.opt.Bytes)}
	}
	return nil
}

func (e *encoder) byte(b byte)   { e.out = append(e.out, b) }
func (e *encoder) int32(n int32) { e.out = binary.LittleEndian.AppendUint32(e.out, uint32(n)) }
func (e *encoder) text(s string) {
	e.out = append(binary.AppendUvarint(e.out, uint64(len(s))), s...)
}

func (e *encoder) fresh() int32 {
	e.next = e.g.free(e.next)
	return e.next
}

// begin writes a record under id, up to its values, and opens it for those.
func (e *encoder) begin(n *node, id int32) error {
	if err := e.size(); err != nil {
		return err
	}
	if n.libs > 0 {
		for i := int(n.libs) - 1; i < len(e.g.libs) && e.g.libs[i].before == n; i++ {
			e.library(i)
		}
	}
	switch n.kind {
	case KindString:
		e.byte(byte(BinaryObjectString))
		e.int32(id)
		e.text(n.text)
		return nil
	case KindArray:
		if e.array(n, id) {
			e.stack = append(e.stack, writing{n: n})
		}
		return nil
	}
	e.class(n.class, id)
	e.stack = append(e.stack, writing{n: n})
	return nil
}

// fill writes values of the innermost record until it is full or another opens.
func (e *encoder) fill() error {
	depth := len(e.stack)
	w := &e.stack[depth-1]
	n := w.n
	for w.i < len(n.vals) {
		v := n.vals[w.i]
		w.i++
		switch {
		case n.kind == KindArray:
			if v.kind == KindNull {
				w.nulls += int(v.n)
				continue
			}
			e.nulls(w.nulls)
			w.nulls = 0
		case n.class.members[w.i-1].Type.Form == FormPrimitive:
			e.out = appendPrimitive(e.out, v)
			continue
		}
		if err := e.value(v); err != nil {
			return err
		}
		if len(e.stack) > depth {
			return nil
		}
	}
	e.nulls(w.nulls)
	e.open.clear(n.seq)
	e.stack = e.stack[:depth-1]
	return nil
}

func (e *encoder) nulls(n int) {
	switch {
	case n == 0:
	case n == 1:
		e.byte(byte(ObjectNull))
	case n < 256:
		e.byte(byte(ObjectNullMultiple256))
		e.byte(byte(n))
	default:
		e.byte(byte(ObjectNullMultiple))
		e.int32(int32(n))
	}
}

// value writes a value that is declared as a reference.
func (e *encoder) value(v Value) error {
	switch {
	case v.kind == KindNull:
		e.byte(byte(ObjectNull))
		return nil
	case v.kind != kindNode:
		e.byte(byte(MemberPrimitiveTyped))
		e.byte(byte(v.kind))
		e.out = appendPrimitive(e.out, v)
		return nil
	}
	n := v.p
	if n.id < 0 {
		return e.inPlace(n)
	}
	first := !e.seen.has(n.seq)
	e.seen.set(n.seq)
	if first && n.kind == KindString {
		return e.begin(n, n.id)
	}
	if first {
		e.queue = append(e.queue, n)
	}
	e.byte(byte(MemberReference))
	e.int32(n.id)
	return nil
}

// inPlace writes a struct as a part of its holder; in a second place it is a
// copy and needs an id of its own.
func (e *encoder) inPlace(n *node) error {
	if e.open.has(n.seq) {
		return usage(n.class.name, ErrType, "a struct that contains itself")
	}
	if len(e.stack) >= e.g.opt.Depth {
		return usage(n.class.name, ErrLimit, "structs inside one another more than %d deep", e.g.opt.Depth)
	}
	id := n.id
	if e.seen.has(n.seq) {
		id = -e.fresh()
	}
	e.seen.set(n.seq)
	e.open.set(n.seq)
	return e.begin(n, id)
}

func (e *encoder) library(i int) {
	if e.libs.has(int32(i)) {
		return
	}
	e.libs.set(int32(i))
	e.byte(byte(BinaryLibrary))
	e.int32(e.g.libs[i].id)
	e.text(e.g.libs[i].name)
}

// need declares a library in front of the record that names it.
func (e *encoder) need(name string) {
	if name != "" {
		e.library(e.g.lib(name))
	}
}

func (e *encoder) libraryRef(name string) { e.int32(e.g.libs[e.g.lib(name)].id) }

func (e *encoder) class(c *Class, id int32) {
	if meta := e.metas[c.seq]; meta != 0 {
		e.byte(byte(ClassWithID))
		e.int32(id)
		e.int32(meta)
		return
	}
	e.metas[c.seq] = id
	e.need(c.library)
	for i := range c.members {
		e.need(c.members[i].Type.Library)
	}
	record := SystemClassWithMembersAndTypes
	if c.library != "" {
		record = ClassWithMembersAndTypes
	}
	e.byte(byte(record))
	e.int32(id)
	e.text(c.name)
	e.int32(int32(len(c.members)))
	for i := range c.members {
		e.text(c.members[i].Name)
	}
	for i := range c.members {
		e.byte(byte(c.members[i].Type.Form))
	}
	for i := range c.members {
		e.typeInfo(c.members[i].Type)
	}
	if c.library != "" {
		e.libraryRef(c.library)
	}
}

func (e *encoder) typeInfo(t Type) {
	switch t.Form {
	case FormPrimitive, FormPrimitiveArray:
		e.byte(byte(t.Kind))
	case FormSystemClass:
		e.text(t.Name)
	case FormClass:
		e.text(t.Name)
		e.libraryRef(t.Library)
	}
}

// array writes an array's record; true means that elements must follow.
func (e *encoder) array(n *node, id int32) bool {
	s := n.arr
	e.need(s.elem.Library)
	e.byte(byte(s.record))
	e.int32(id)
	switch s.record {
	case BinaryArray:
		e.byte(byte(s.form))
		e.int32(int32(max(1, len(s.lengths))))
		if s.lengths == nil {
			e.int32(int32(s.total))
		}
		for _, n := range s.lengths {
			e.int32(n)
		}
		for _, n := range s.lowers {
			e.int32(n)
		}
		e.byte(byte(s.elem.Form))
		e.typeInfo(s.elem)
	case ArraySinglePrimitive:
		e.int32(int32(s.total))
		e.byte(byte(s.elem.Kind))
	default:
		e.int32(int32(s.total))
	}
	if s.elem.Form == FormPrimitive {
		e.out = append(e.out, s.data...)
		return false
	}
	return true
}
