package nrbf

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Unmarshal reads a stream and stores its root in what dst points to, in the
// manner of encoding/json. It is Mapping{}.Unmarshal; the rules are there.
func Unmarshal(data []byte, dst any) error { return Mapping{}.Unmarshal(data, dst) }

// UnmarshalValue stores a value of a graph in what dst points to. It is
// Mapping{}.UnmarshalValue.
func UnmarshalValue(v Value, dst any) error { return Mapping{}.UnmarshalValue(v, dst) }

// A Mapping turns values of a graph into Go values. The zero value is ready.
type Mapping struct {
	// Options bound the reading of the stream.
	Options Options
	// Zone is where the wall clock of a DateTime of kind Unspecified or Local was
	// read; those of kind Utc are in UTC. Default UTC.
	Zone *time.Location
	// Bytes is about how much memory the Go values may take: an object that is
	// shared in the stream is there once for every place that is no pointer, so
	// that a small stream can be exponentially large in Go. Default 128 MiB.
	Bytes int
}

const (
	mappingBytes = 128 << 20
	visitBytes   = 16   // what a value costs at least
	depthMost    = 1000 // of values in values
	depthDefer   = 200  // pointers below here are filled later, from the top
)

// Unmarshal reads a stream and stores its root in what dst points to. dst must
// not be changed by others meanwhile. A destination that keeps parts of the
// graph (*Object, *Array, Value) keeps data: it must not change any more.
//
// The rules, by the Go type of the destination:
//
//   - Struct: fields take the members of an object. The struct tag net:"name"
//     gives the member's name, exactly, or that of an auto-property; net:"-"
//     leaves a field out. Without a name in the tag the field's own name is
//     looked for: exactly, then ignoring case, then as the auto-property's
//     backing field <Name>k__BackingField (exactly, then ignoring case), at
//     last ignoring case and an underscore or m_ in front of the member. Where
//     two members fit equally well it is an error: write a tag. Private fields of
//     a base class are "Base+field" and always need a tag. Members without a field
//     and fields without a member are left alone, as are unexported fields. The
//     fields of an embedded struct without a tag count as the outer struct's.
//   - Pointer: nil for null. The same object gives the same pointer wherever it
//     is met as the same Go type, so that cycles are cycles; the object for which
//     Unmarshal was called is dst itself. Strings and primitives are new each time.
//   - Slice and array: arrays, List, ArrayList, Queue, Stack (top first, as C#
//     enumerates), HashSet, SortedSet, LinkedList, Collection, and what is derived
//     from them. Arrays of two dimensions are slices of slices; lower bounds are
//     dropped. A Go array may be longer than what it takes. []byte is a copy.
//   - Map: Dictionary, SortedDictionary, SortedList, Hashtable, StringDictionary,
//     ListDictionary, HybridDictionary, OrderedDictionary, NameValueCollection,
//     and sequences of KeyValuePair. Values of a NameValueCollection are []string,
//     or a string joined with commas, as C# has it.
//   - Numbers: any .NET number that the Go type holds without loss; enums are
//     their number. A Decimal is a [clr.Decimal] and never a float.
//   - string: String, Char, Uri, StringBuilder, Version. A String also goes to
//     what implements encoding.TextUnmarshaler.
//   - [time.Time]: DateTime, by Zone, and DateTimeOffset with its offset.
//     [time.Duration]: TimeSpan. The types of package clr: theirs, exactly. Arrays
//     of 16 bytes, [clr.Guid] among them: Guid, in RFC order.
//   - any: string, bool, numbers and clr types as [Value.Any] has them, clr.Guid,
//     []byte, []any, map[string]any of dictionaries with keys of type string,
//     *Object for everything else.
//   - *Object, *Array, *String, [Value]: the part of the graph itself.
//
// Null sets the zero value: use a pointer to tell it apart. What fits nothing
// here is an [*Error] that says which member of which type met which Go type:
// "Rig.ShoppingCart.lines[1].Price: type mismatch: System.Decimal into Go int".
// dst is then filled in part. Objects that contain themselves and are not
// pointers in Go are an error, as is what is nested over 1,000 deep without a
// pointer; a list linked by pointers may be of any length.
func (m Mapping) Unmarshal(data []byte, dst any) error {
	var a *arena
	if rv := reflect.ValueOf(dst); rv.Kind() == reflect.Pointer && !planOf(rv.Type().Elem()).keeps {
		a = arenas.Get().(*arena)
	}
	d, err := decodeIn(data, m.Options, a)
	if err != nil {
		return err
	}
	if err = m.UnmarshalValue(d.g.root, dst); a != nil {
		a.recycle(d)
	}
	return err
}

// UnmarshalValue stores a value of a graph in what dst points to: see
// [Mapping.Unmarshal]. After an error the graph is as usable as before.
func (m Mapping) UnmarshalValue(v Value, dst any) error {
	rv := reflect.ValueOf(dst)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return usage("destination", ErrType, "a Go %T is no pointer to a value", dst)
	}
	if !v.Exists() {
		return usage("value", ErrType, "a value that is not there")
	}
	return m.start().run(v, rv)
}

func (m Mapping) start() *unmarshaler {
	d := &unmarshaler{zone: m.Zone, left: m.Bytes}
	if d.zone == nil {
		d.zone = time.UTC
	}
	if d.left <= 0 {
		d.left = mappingBytes
	}
	return d
}

// run fills what ptr points to.
func (d *unmarshaler) run(v Value, ptr reflect.Value) error {
	p := planOf(ptr.Type().Elem())
	if n := v.shared(); n != nil {
		d.remember(n, p, ptr)
	}
	d.gens++
	d.gen = d.gens
	if err := d.value(p, v, ptr.Elem()); err != nil {
		return at(err, rootName(v))
	}
	for len(d.queue) > 0 {
		q := d.queue[len(d.queue)-1]
		d.queue = d.queue[:len(d.queue)-1]
		d.gens++
		d.gen = d.gens
		if err := d.value(q.plan, q.v, q.rv); err != nil {
			return at(err, rootName(q.v))
		}
	}
	return nil
}

// An unmarshaler is one call of Unmarshal; depth is 0 between values.
type unmarshaler struct {
	zone  *time.Location
	left  int // of Mapping.Bytes
	depth int

	// open tells by node.seq in which generation a value is being filled: every
	// pointer starts a generation, and within one a value must not hold itself.
	open      []int32
	gen, gens int32

	first []int32 // by node.seq: 1 + the first of its pointers
	ptrs  []pointer
	queue []pending

	matches
	layouts map[*Class]layout
	lastC   *Class
	lastL   layout
}

type pointer struct {
	plan *plan
	ptr  reflect.Value
	next int32
}

type pending struct {
	plan *plan
	v    Value
	rv   reflect.Value
}

// shared is the node if references can point to it.
func (v Value) shared() *node {
	if v.kind == kindNode && v.p.kind != KindString && v.p.id > 0 {
		return v.p
	}
	return nil
}

func (d *unmarshaler) remember(n *node, p *plan, ptr reflect.Value) {
	if d.first == nil {
		d.first = make([]int32, len(n.g.order))
	}
	d.ptrs = append(d.ptrs, pointer{p, ptr, d.first[n.seq]})
	d.first[n.seq] = int32(len(d.ptrs))
}

func (d *unmarshaler) known(n *node, p *plan) (reflect.Value, bool) {
	if d.first == nil {
		return reflect.Value{}, false
	}
	for i := d.first[n.seq]; i > 0; i = d.ptrs[i-1].next {
		if d.ptrs[i-1].plan == p {
			return d.ptrs[i-1].ptr, true
		}
	}
	return reflect.Value{}, false
}

// spend counts n values of a Go type.
func (d *unmarshaler) spend(n int, size uintptr) error {
	each := int(size) + visitBytes
	if n > d.left/each {
		return usage("", ErrLimit, "the Go values take more memory than Mapping.Bytes allows")
	}
	d.left -= n * each
	return nil
}

// enter begins a value that has parts.
func (d *unmarshaler) enter(v Value) (old int32, err error) {
	if d.depth++; d.depth > depthMost {
		return 0, usage("", ErrLimit, "values in one another more than %d deep", depthMost)
	}
	n := v.shared()
	if n == nil {
		return 0, nil
	}
	if d.open == nil {
		d.open = make([]int32, len(n.g.order))
	}
	if old = d.open[n.seq]; old == d.gen {
		return old, usage("", ErrType, "it contains itself; only a Go pointer can hold that")
	}
	d.open[n.seq] = d.gen
	return old, nil
}

func (d *unmarshaler) leave(v Value, old int32) {
	d.depth--
	if n := v.shared(); n != nil {
		d.open[n.seq] = old
	}
}

// value stores v in rv, which is settable and of p's type.
func (d *unmarshaler) value(p *plan, v Value, rv reflect.Value) error {
	if v.kind == KindNull || v.kind == KindNone {
		if p.op == opValue {
			rv.Set(reflect.ValueOf(null))
		} else {
			rv.SetZero()
		}
		return nil
	}
	switch p.op {
	case opString:
		if v.kind == kindNode && v.p.kind == KindString {
			rv.SetString(v.p.text)
			return nil
		}
	case opStruct:
		return d.object(p, v, rv)
	case opPointer:
		return d.pointer(p, v, rv)
	case opSlice, opArray:
		return d.sequence(p, v, rv)
	case opMap:
		return d.dictionary(p, v, rv)
	case opAny:
		return d.any(p, v, rv)
	}
	return d.scalar(p, v, rv)
}

func (d *unmarshaler) pointer(p *plan, v Value, rv reflect.Value) error {
	n := v.shared()
	if n != nil {
		if ptr, ok := d.known(n, p.elem); ok {
			rv.Set(ptr)
			return nil
		}
	}
	if err := d.spend(1, p.elem.size); err != nil {
		return err
	}
	ptr := reflect.New(p.elem.typ)
	rv.Set(ptr)
	if n == nil {
		return d.value(p.elem, v, ptr.Elem())
	}
	d.remember(n, p.elem, ptr)
	if d.depth >= depthDefer {
		d.queue = append(d.queue, pending{p.elem, v, ptr.Elem()})
		return nil
	}
	old := d.gen
	d.gens++
	d.gen = d.gens
	err := d.value(p.elem, v, ptr.Elem())
	d.gen = old
	return err
}

func (d *unmarshaler) object(p *plan, v Value, rv reflect.Value) error {
	o := v.Object()
	if o == nil {
		return mismatch(v, p.typ)
	}
	members, err := d.members(p, o.class)
	if err != nil {
		return err
	}
	if err := d.spend(1+len(members)/4, 0); err != nil {
		return err
	}
	old, err := d.enter(v)
	if err != nil {
		return err
	}
	for i := range p.fields {
		k := members[i]
		if k < 0 {
			continue
		}
		f := &p.fields[i]
		if err := d.value(f.plan, o.vals[k], f.of(rv)); err != nil {
			return at(err, "."+propertyName(o.class.members[k].Name))
		}
	}
	d.leave(v, old)
	return nil
}

// at puts a place in front of where an error happened.
func at(err error, where string) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	if len(e.What) < 400 {
		e.What = where + e.What
	} else if !strings.HasPrefix(e.What, "...") {
		e.What = "..." + e.What
	}
	return e
}

// rootName starts a path; generic arguments would drown what follows.
func rootName(v Value) string {
	switch v.Kind() {
	case KindObject:
		return plainName(v.p.class.name)
	case KindArray:
		return plainName(v.Array().String())
	}
	return netName(v)
}

func plainName(s string) string {
	if i := strings.Index(s, "[["); i >= 0 {
		return s[:i]
	}
	return s
}

// propertyName is the auto-property of a backing field, or the name itself.
func propertyName(member string) string {
	if name, ok := strings.CutSuffix(member, backing); ok && strings.HasPrefix(name, "<") {
		return name[1:]
	}
	return member
}

const backing = ">k__BackingField"

// netName is .NET's name of a value's type.
func netName(v Value) string {
	switch v.Kind() {
	case KindObject:
		return clip(v.p.class.name)
	case KindArray:
		return clip(v.Array().String())
	}
	return "System." + v.Kind().String()
}

func mismatch(v Value, t reflect.Type) error {
	return usage("", ErrType, "%s into Go %s", netName(v), t)
}

func outOfRange(v Value, t reflect.Type) error {
	return usage("", ErrRange, "%s %s into Go %s", netName(v), clip(fmt.Sprint(v.Any())), t)
}
