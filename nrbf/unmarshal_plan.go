package nrbf

import (
	"encoding"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/aspsession/aspsession/clr"
)

// An op is how a Go type takes a value.
type op uint8

const (
	opNone op = iota
	opBool
	opInt
	opUint
	opFloat
	opString
	opText // an encoding.TextUnmarshaler
	opStruct
	opPointer
	opSlice
	opArray
	opMap
	opAny
	opTime
	opDuration
	opDecimal
	opDateTime
	opTimeSpan
	opChar
	opGuid
	opIntPtr
	opUIntPtr
	opValue
	opObject
	opArrayNode
	opStringNode
)

// A plan is what is known of a Go type. Plans are made once and never change.
type plan struct {
	typ    reflect.Type
	op     op
	size   uintptr
	elem   *plan // of pointers, slices, arrays, maps
	key    *plan
	fields []field
	keeps  bool // values hold parts of the graph
	prim   Kind // of a Go type that is one of Primitive's, by kind
}

// A field is one that can take a member.
type field struct {
	tag
	index []int
	plan  *plan
	goes  string // the Go name
}

// of is the field in a struct.
func (f *field) of(rv reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return rv.Field(f.index[0])
	}
	return rv.FieldByIndex(f.index)
}

// A tag is what net:"..." says.
type tag struct {
	name     string // empty: the field's own
	declared string // type=, the declared .NET type; list=, its elements
	list     bool   // a List<T>, not an array
	property bool   // an auto-property
	key      bool   // tells the elements of a list apart
}

func parseTag(s string) tag {
	name, rest, _ := strings.Cut(s, ",")
	t := tag{name: name}
	for rest != "" {
		var opt string
		// A type name has commas of its own: type= and list= come last.
		if v, ok := strings.CutPrefix(rest, "type="); ok {
			t.declared = v
			break
		}
		if v, ok := strings.CutPrefix(rest, "list="); ok {
			t.declared, t.list = v, true
			break
		}
		opt, rest, _ = strings.Cut(rest, ",")
		switch opt {
		case "list":
			t.list = true
		case "property":
			t.property = true
		case "key":
			t.key = true
		}
	}
	return t
}

var (
	plans     sync.Map // reflect.Type: *plan, complete ones
	plansLock sync.Mutex
)

// planOf returns the plan of a type, made on first use.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	plansLock.Lock()
	defer plansLock.Unlock()
	made := map[reflect.Type]*plan{} // types refer to themselves
	p := makePlan(t, made)
	for t, p := range made {
		p.keeps = p.keepsGraph(map[*plan]bool{})
		plans.Store(t, p)
	}
	return p
}

var opsByType = map[reflect.Type]op{
	reflect.TypeFor[time.Time]():     opTime,
	reflect.TypeFor[time.Duration](): opDuration,
	reflect.TypeFor[clr.Decimal]():   opDecimal,
	reflect.TypeFor[clr.DateTime]():  opDateTime,
	reflect.TypeFor[clr.TimeSpan]():  opTimeSpan,
	reflect.TypeFor[clr.Char]():      opChar,
	reflect.TypeFor[clr.IntPtr]():    opIntPtr,
	reflect.TypeFor[clr.UIntPtr]():   opUIntPtr,
	reflect.TypeFor[Value]():         opValue,
	reflect.TypeFor[*Object]():       opObject,
	reflect.TypeFor[*Array]():        opArrayNode,
	reflect.TypeFor[*String]():       opStringNode,
	reflect.TypeFor[any]():           opAny,
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

var goKinds = map[reflect.Kind]struct {
	op   op
	prim Kind
}{
	reflect.Bool: {opBool, KindBoolean}, reflect.String: {opString, KindString},
	reflect.Int: {opInt, KindNone}, reflect.Int8: {opInt, KindSByte}, reflect.Int16: {opInt, KindInt16}, reflect.Int32: {opInt, KindInt32}, reflect.Int64: {opInt, KindInt64},
	reflect.Uint: {opUint, KindNone}, reflect.Uint8: {opUint, KindByte}, reflect.Uint16: {opUint, KindUInt16}, reflect.Uint32: {opUint, KindUInt32}, reflect.Uint64: {opUint, KindUInt64},
	reflect.Uintptr: {opUint, KindNone}, reflect.Float32: {opFloat, KindSingle}, reflect.Float64: {opFloat, KindDouble},
}

func makePlan(t reflect.Type, made map[reflect.Type]*plan) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	if p := made[t]; p != nil {
		return p
	}
	p := &plan{typ: t, size: t.Size()}
	made[t] = p
	if op, ok := opsByType[t]; ok {
		p.op = op
		return p
	}
	if t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 {
		p.op, p.elem = opGuid, makePlan(t.Elem(), made)
		return p
	}
	if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(textUnmarshaler) {
		p.op = opText
		return p
	}
	switch t.Kind() {
	case reflect.Struct:
		p.op = opStruct
		p.fields = makeFields(t, nil, made)
	case reflect.Pointer:
		p.op, p.elem = opPointer, makePlan(t.Elem(), made)
	case reflect.Slice:
		p.op, p.elem = opSlice, makePlan(t.Elem(), made)
	case reflect.Array:
		p.op, p.elem = opArray, makePlan(t.Elem(), made)
	case reflect.Map:
		p.op, p.key, p.elem = opMap, makePlan(t.Key(), made), makePlan(t.Elem(), made)
	default:
		k := goKinds[t.Kind()]
		p.op, p.prim = k.op, k.prim
	}
	return p
}

func makeFields(t reflect.Type, index []int, made map[reflect.Type]*plan) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		text, tagged := f.Tag.Lookup("net")
		if text == "-" {
			continue
		}
		at := append(append([]int(nil), index...), i)
		_, special := opsByType[f.Type]
		if f.Anonymous && !tagged && !special && f.Type.Kind() == reflect.Struct {
			fields = append(fields, makeFields(f.Type, at, made)...)
			continue
		}
		if !f.IsExported() {
			continue
		}
		fields = append(fields, field{tag: parseTag(text), index: at, plan: makePlan(f.Type, made), goes: f.Name})
	}
	return fields
}

// matches remembers which member each field takes.
type matches struct {
	classes []classPlan
	byClass map[planClass]int // where there are many
	last    int               // the one used last
}

type planClass struct {
	p *plan
	c *Class
}

type classPlan struct {
	planClass
	members []int32
}

// members finds out once per class which member each field takes.
func (d *matches) members(p *plan, c *Class) ([]int32, error) {
	if d.last < len(d.classes) && d.classes[d.last].p == p && d.classes[d.last].c == c {
		return d.classes[d.last].members, nil
	}
	key := planClass{p, c}
	if d.byClass == nil {
		for i := range d.classes {
			if d.classes[i].planClass == key {
				d.last = i
				return d.classes[i].members, nil
			}
		}
	} else if i, ok := d.byClass[key]; ok {
		d.last = i
		return d.classes[i].members, nil
	}
	members, err := p.match(c)
	if err != nil {
		return nil, err
	}
	d.last = len(d.classes)
	d.classes = append(d.classes, classPlan{key, members})
	if d.byClass != nil {
		d.byClass[key] = d.last
	} else if len(d.classes) == 16 {
		d.byClass = map[planClass]int{}
		for i := range d.classes {
			d.byClass[d.classes[i].planClass] = i
		}
	}
	return members, nil
}

// match finds the member of a class for every field; -1 where there is none.
func (p *plan) match(c *Class) ([]int32, error) {
	members := make([]int32, len(p.fields))
	for i := range p.fields {
		k, err := p.fields[i].find(c)
		if err != nil {
			return nil, err
		}
		members[i] = int32(k)
	}
	return members, nil
}

// find is the rule of [Mapping.Unmarshal].
func (f *field) find(c *Class) (int, error) {
	name := f.name
	if name == "" {
		name = f.goes
	}
	if i := c.Index(name); i >= 0 {
		return i, nil
	}
	if f.name != "" {
		return c.Property(name), nil
	}
	i, err := f.fold(c, func(m string) string {
		if strings.HasPrefix(m, "<") {
			return ""
		}
		return m
	})
	if i >= 0 || err != nil {
		return i, err
	}
	if i := c.Property(name); i >= 0 {
		return i, nil
	}
	i, err = f.fold(c, func(m string) string {
		if p := propertyName(m); p != m {
			return p
		}
		return ""
	})
	if i >= 0 || err != nil {
		return i, err
	}
	return f.fold(c, func(m string) string {
		if s, ok := strings.CutPrefix(m, "_"); ok {
			return s
		}
		s, _ := strings.CutPrefix(m, "m_")
		return s
	})
}

// fold finds the one member that is the field's name but for its case.
func (f *field) fold(c *Class, name func(string) string) (int, error) {
	found := -1
	for i := range c.members {
		if m := name(c.members[i].Name); len(m) != len(f.goes) || !strings.EqualFold(m, f.goes) {
			continue
		}
		if found >= 0 {
			return -1, usage("", ErrType, "members %q and %q both fit the Go field %s: write a tag",
				clip(c.members[found].Name), clip(c.members[i].Name), f.goes)
		}
		found = i
	}
	return found, nil
}
