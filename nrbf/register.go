package nrbf

import (
	"reflect"
	"sync"
)

// Types says which Go types stand for which .NET types, and writes Go values as
// streams. The zero value is ready and knows the types that need no name:
// strings, primitives, their slices, maps of those, Guid. Register everything
// first; after that it may be used by many goroutines. It must not be copied.
//
// # How Go types are declared
//
//	string, bool, int8 … uint64, float32, float64   String, Boolean, SByte … UInt64, Single, Double
//	int, uint                                       Int32, UInt32; ErrRange where it does not fit
//	time.Time, time.Duration                        DateTime (kind Utc in time.UTC, else Unspecified), TimeSpan
//	clr.Decimal, DateTime, TimeSpan, Char           theirs
//	[16]byte, clr.Guid                              Guid
//	[]T, [N]T; AsList[T]                            T[]; List<T>
//	map[K]V                                         Dictionary<K,V> with the default comparer
//	registered struct S; *S                         its class; the same, with identity and null
//	*T of a primitive, enum or registered value     Nullable<T>
//	any                                             Object
//
// # Tags
//
// Fields take the members that [Mapping.Unmarshal] describes. When the class is
// described anew, because no stream was read that describes it, every exported
// field becomes a member under its tag's name or its own, and these options of
// the tag say what Go's type does not. Those with a value come last.
//
//	net:"lines,list"               a slice is a List<T>
//	net:"lines,list=Rig.CartLine"  and its elements are declared so
//	net:"owner,type=Rig.IOwner"    the declared type: a registered class's name, or "Name, assembly"
//	net:"Name,property"            the auto-property Name, <Name>k__BackingField
//	net:"sku,key"                  tells elements of a list apart: see Types.Update
type Types struct {
	mu     sync.RWMutex
	byType map[reflect.Type]*registered
	byName map[string]*registered
}

type registered struct {
	typ           reflect.Type
	name, library string
	value         bool // a struct or enum
}

func (r *registered) declared() Type { return ClassType(r.name, r.library) }

// AsList is a slice that is written as a List<T>.
type AsList[T any] []T

func (AsList[T]) asList() {}

var asList = reflect.TypeFor[interface{ asList() }]()

// Register names the .NET class for which the Go struct T stands: its full name
// ("Rig.ShoppingCart"; nested ones "Outer+Inner") and its assembly's full name
// ("App_Code, Version=0.0.0.0, Culture=neutral, PublicKeyToken=null"), empty for
// mscorlib. Take both from the program, never from a request. Names of types that
// are known to run code are refused with [ErrGadget].
func Register[T any](t *Types, class, library string) error {
	return t.register(reflect.TypeFor[T](), class, library, false)
}

// RegisterValue is [Register] for a .NET struct (T is a Go struct) or enum (T is
// an integer type of its own; its size is the enum's).
func RegisterValue[T any](t *Types, class, library string) error {
	return t.register(reflect.TypeFor[T](), class, library, true)
}

func (t *Types) register(rt reflect.Type, class, library string, value bool) error {
	p := planOf(rt)
	enum := p.op == opInt || p.op == opUint
	switch {
	case class == "" || validText(class) != class || validText(library) != library:
		return usage("class", ErrType, "name %q, library %q", clip(class), clip(library))
	case p.op != opStruct && !(value && enum && rt.PkgPath() != ""):
		return usage(class, ErrType, "a Go %s; it takes a struct, or as a value an integer type of its own", rt)
	}
	if err := refuseGadget(class); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.byType[rt]; r != nil && (r.name != class || r.library != library) {
		return usage(class, ErrType, "Go %s is registered as %s", rt, r.name)
	}
	if r := t.byName[class]; r != nil && r.typ != rt {
		return usage(class, ErrType, "it is registered for Go %s", r.typ)
	}
	if t.byType == nil {
		t.byType, t.byName = map[reflect.Type]*registered{}, map[string]*registered{}
	}
	r := &registered{rt, class, library, value}
	t.byType[rt], t.byName[class] = r, r
	return nil
}

// IsEnum reports that v's type is registered as an enum.
func (t *Types) IsEnum(v any) bool {
	r := t.of(reflect.TypeOf(v))
	return r != nil && r.value && r.typ.Kind() != reflect.Struct
}

func (t *Types) of(rt reflect.Type) *registered {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byType[rt]
}

func (t *Types) named(name string) *registered {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byName[name]
}

var opKinds = map[op]Kind{opTime: KindDateTime, opDuration: KindTimeSpan, opDecimal: KindDecimal,
	opDateTime: KindDateTime, opTimeSpan: KindTimeSpan, opChar: KindChar}

// declare is the .NET type as which a Go type is declared.
func (t *Types) declare(rt reflect.Type, tg tag) (Type, error) { return t.declareIn(rt, tg, 0) }

// declaredDeep is how deep slices and maps may stand in one another: a Go type
// can hold itself without end, the name of a .NET type cannot.
const declaredDeep = 16

func (t *Types) declareIn(rt reflect.Type, tg tag, depth int) (Type, error) {
	if depth++; depth > declaredDeep {
		return Type{}, usage("", ErrType, "Go %s holds itself: .NET has no such type", rt)
	}
	if tg.declared != "" && !tg.list {
		return t.resolve(tg.declared), nil
	}
	if r := t.of(rt); r != nil {
		return r.declared(), nil
	}
	p := planOf(rt)
	switch p.op {
	case opBool, opFloat:
		return PrimitiveType(p.prim), nil
	case opInt, opUint:
		switch {
		case p.prim != KindNone:
			return PrimitiveType(p.prim), nil
		case p.op == opInt:
			return PrimitiveType(KindInt32), nil
		}
		return PrimitiveType(KindUInt32), nil
	case opString:
		return StringType(), nil
	case opTime, opDuration, opDecimal, opDateTime, opTimeSpan, opChar:
		return PrimitiveType(opKinds[p.op]), nil
	case opGuid:
		return ClassType(guidClass, ""), nil
	case opAny:
		return ObjectType(), nil
	case opPointer:
		e, err := t.declareIn(p.elem.typ, tag{}, depth)
		if err != nil || e.Form == FormString {
			return e, err
		}
		r := t.of(p.elem.typ)
		if e.Form == FormPrimitive || p.elem.op == opGuid || r != nil && r.value {
			return genericType("System.Nullable`1", e), nil
		}
		return e, nil
	case opSlice, opArray:
		e, err := t.declareIn(p.elem.typ, tag{}, depth)
		if tg.list && tg.declared != "" {
			e, err = t.resolve(tg.declared), nil
		}
		if err != nil {
			return Type{}, err
		}
		if tg.list || rt.Implements(asList) {
			return genericType(listName, e), nil
		}
		return arrayType(e), nil
	case opMap:
		k, err := t.declareIn(p.key.typ, tag{}, depth)
		if err != nil {
			return Type{}, err
		}
		v, err := t.declareIn(p.elem.typ, tag{}, depth)
		if err != nil {
			return Type{}, err
		}
		return genericType(dictName, k, v), nil
	}
	return Type{}, usage("", ErrType, "Go %s is not registered as a .NET type", rt)
}

// resolve is a type named in a tag.
func (t *Types) resolve(name string) Type {
	if r := t.named(name); r != nil {
		return r.declared()
	}
	name, library := cutLibrary(name)
	return typeByName(name, library)
}

// members describes a class anew from the fields of its Go struct.
func (t *Types) members(r *registered) ([]Member, error) {
	p := planOf(r.typ)
	if p.op != opStruct {
		decl := PrimitiveType(p.prim)
		if p.prim == KindNone {
			decl = PrimitiveType(KindInt32)
		}
		return []Member{{Name: "value__", Type: decl}}, nil
	}
	members := make([]Member, len(p.fields))
	for i := range p.fields {
		f := &p.fields[i]
		m := &members[i]
		if m.Name = f.name; m.Name == "" {
			m.Name = f.goes
		}
		if f.property {
			m.Name = "<" + m.Name + backing
		}
		var err error
		if m.Type, err = t.declare(f.plan.typ, f.tag); err != nil {
			return nil, at(err, r.name+"."+f.goes)
		}
	}
	return members, nil
}
