package nrbf

import "strings"

// A view reads and changes an object of the framework by what it means and not
// by its members: see ListOf, DictOf, ScalarOf, TableOf and the others. A view
// holds on to the object and reads it anew with every call. Views recognise
// classes by their names, and classes derived from them by the members that they
// inherit; what they do not recognise stays navigable by name.

// split takes a class name apart: "System.Collections.Generic.List`1" and the
// text of the type arguments, brackets included.
func split(name string) (open, args string) {
	if i := strings.IndexByte(name, '['); i >= 0 {
		return name[:i], name[i:]
	}
	return name, ""
}

// genericName is the name of o's class without type arguments.
func genericName(o *Object) string {
	if o == nil {
		return ""
	}
	name, _ := split(o.class.name)
	return name
}

// typeArgs are the types between the brackets of a generic class's name:
// "[[System.Int32, mscorlib, …],[Shop.Cart, Shop, …]]".
func typeArgs(name string) []Type {
	_, text := split(name)
	if len(text) < 2 || text[0] != '[' {
		return nil
	}
	var args []Type
	depth, start := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '[':
			if depth++; depth == 2 {
				start = i + 1
			}
		case ']':
			if depth--; depth == 1 {
				args = append(args, typeNamed(text[start:i]))
			}
			if depth == 0 {
				return args
			}
		}
	}
	return nil
}

// typeNamed is the type of an assembly-qualified name as a member declares it.
func typeNamed(qualified string) Type {
	name, library := qualified, ""
	depth := 0
	for i := range len(qualified) {
		switch c := qualified[i]; {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth == 0:
			name, library = qualified[:i], strings.TrimSpace(qualified[i+1:])
			if library == "mscorlib" || strings.HasPrefix(library, "mscorlib,") {
				library = ""
			}
			return typeOf(name, library)
		}
	}
	return typeOf(name, library)
}

func typeOf(name, library string) Type {
	if library != "" {
		return ClassType(name, library)
	}
	switch name {
	case "System.String":
		return StringType()
	case "System.Object":
		return ObjectType()
	case "System.String[]":
		return Type{Form: FormStringArray}
	case "System.Object[]":
		return Type{Form: FormObjectArray}
	}
	bare, isArray := strings.CutSuffix(name, "[]")
	for k := KindBoolean; k <= KindUInt64; k++ {
		if k.Primitive() && bare == "System."+kindNames[k] {
			if isArray {
				return PrimitiveArrayType(k)
			}
			return PrimitiveType(k)
		}
	}
	return ClassType(name, "")
}

// arrayOf is the declared type of a member that holds a T[].
func arrayOf(t Type) Type {
	switch t.Form {
	case FormString:
		return Type{Form: FormStringArray}
	case FormObject:
		return Type{Form: FormObjectArray}
	case FormPrimitive:
		return PrimitiveArrayType(t.Kind)
	}
	return ClassType(t.String()+"[]", t.Library)
}

// addMember gives o a member that its class does not have: an ISerializable
// class leaves some out. Other objects of the class stay as they are.
func addMember(o *Object, m Member, v any) error {
	c := o.class
	members := append(append([]Member(nil), c.members...), m)
	fresh, err := o.g.NewClass(c.name, c.library, members...)
	if err != nil {
		return err
	}
	val, err := o.g.convert(v, m.Type, c.name+"."+m.Name)
	if err != nil {
		return err
	}
	o.class = fresh
	o.vals = append(append([]Value(nil), o.vals...), val)
	o.g.changed = true
	return nil
}

// setInt sets a member that is there and holds an integer.
func setInt(o *Object, name string, n int) error {
	if !o.Get(name).Exists() {
		return nil
	}
	return o.Set(name, n)
}

// bump counts a change in a member with a version, if there is one. It wraps as
// .NET's does.
func bump(o *Object, name string) {
	if n, ok := o.Get(name).Int(); ok {
		_ = o.Set(name, int32(n)+1) // an Int32 stays one
	}
}

// intOf is a member that counts elements: never negative, never over most.
func intOf(o *Object, name string, most int) int {
	n, _ := o.Get(name).Int()
	return int(min(max(n, 0), int64(most)))
}

// element checks one value for a place of type t before anything is changed.
func element(g *Graph, t Type, v any, what string) (Value, error) { return g.convert(v, t, what) }

// TypeName is .NET's full name of the type of a value, and the library of its
// class or element class, empty for mscorlib. A DBNull, a Type and a delegate
// are stored as holders; the name is that of what they hold.
func (v Value) TypeName() (name, library string) {
	switch v.Kind() {
	case KindNone, KindNull:
		return "", ""
	case KindString:
		return "System.String", ""
	case KindArray:
		return v.Array().String(), v.Array().Elem().Library
	case KindObject:
		o := v.Object()
		if d, ok := DelegateOf(v); ok {
			return d.Type, ""
		}
		if x, ok := ScalarOf(v); ok {
			switch x.(type) {
			case DBNull:
				return "System.DBNull", ""
			case RuntimeType:
				return "System.RuntimeType", ""
			}
		}
		return o.class.name, o.class.library
	}
	return "System." + v.kind.String(), ""
}
