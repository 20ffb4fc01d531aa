package nrbf

import "strings"

const (
	guidClass = "System.Guid"
	listName  = "System.Collections.Generic.List`1"
	dictName  = "System.Collections.Generic.Dictionary`2"
	pairName  = "System.Collections.Generic.KeyValuePair`2"

	// mscorlib is how assemblies for .NET Framework 4 name it in generic arguments.
	mscorlib = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
)

// genericType is a generic class of mscorlib.
func genericType(name string, args ...Type) Type {
	var b strings.Builder
	b.WriteString(name)
	for i, a := range args {
		if i == 0 {
			b.WriteByte('[')
		} else {
			b.WriteByte(',')
		}
		b.WriteByte('[')
		b.WriteString(a.String() + ", ")
		if a.Library != "" {
			b.WriteString(a.Library)
		} else {
			b.WriteString(mscorlib)
		}
		b.WriteByte(']')
	}
	b.WriteByte(']')
	return ClassType(b.String(), "")
}

// arrayType is the type of arrays of e.
func arrayType(e Type) Type {
	switch e.Form {
	case FormPrimitive:
		return PrimitiveArrayType(e.Kind)
	case FormString:
		return Type{Form: FormStringArray}
	case FormObject:
		return Type{Form: FormObjectArray}
	}
	return ClassType(e.String()+"[]", e.Library)
}

// elemType is what an array of type t holds; false for what is no array.
func elemType(t Type) (Type, bool) {
	switch t.Form {
	case FormPrimitiveArray:
		return PrimitiveType(t.Kind), true
	case FormStringArray:
		return StringType(), true
	case FormObjectArray:
		return ObjectType(), true
	case FormSystemClass, FormClass:
		if name, ok := strings.CutSuffix(t.Name, "[]"); ok {
			return typeByName(name, t.Library), true
		}
	}
	return Type{}, false
}

// typeByName is the type that a name means where generic arguments and elements
// are named.
func typeByName(name, library string) Type {
	if library == "" || library == "mscorlib" || strings.HasPrefix(library, "mscorlib,") {
		library = ""
		if short, ok := strings.CutPrefix(name, "System."); ok {
			short, isArray := strings.CutSuffix(short, "[]")
			switch short {
			case "String":
				return wrap(StringType(), isArray)
			case "Object":
				return wrap(ObjectType(), isArray)
			}
			for k := KindBoolean; k <= KindUInt64; k++ {
				if k.Primitive() && k.String() == short {
					return wrap(PrimitiveType(k), isArray)
				}
			}
		}
	}
	return ClassType(name, library)
}

func wrap(t Type, array bool) Type {
	if array {
		return arrayType(t)
	}
	return t
}

// cutLibrary parts "Name, assembly"; commas inside brackets belong to the name.
func cutLibrary(s string) (name, library string) {
	depth := 0
	for i, c := range s {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth == 0 {
				return s[:i], strings.TrimSpace(s[i+1:])
			}
		}
	}
	return s, ""
}

// genericOf are the arguments of a closed generic class: name`n[[A, lib],[B, lib]].
func genericOf(t Type, class string) (args []Type) {
	if t.Form != FormSystemClass && t.Form != FormClass {
		return nil
	}
	rest, ok := strings.CutPrefix(t.Name, class+"[[")
	if !ok || !strings.HasSuffix(rest, "]]") {
		return nil
	}
	rest = rest[:len(rest)-1]
	depth, start := 1, 0
	for i, c := range rest {
		switch c {
		case '[':
			if depth == 0 {
				start = i + 1
			}
			depth++
		case ']':
			if depth--; depth == 0 {
				args = append(args, typeByName(cutLibrary(rest[start:i])))
			}
		}
	}
	return args
}

// kindOfType is the primitive that a type holds: also a Nullable of one, and
// one that is declared as a class, as .NET declares Nullables that have a value.
func kindOfType(t Type) Kind {
	if t.Form == FormPrimitive {
		return t.Kind
	}
	if args := genericOf(t, "System.Nullable`1"); len(args) == 1 {
		t = args[0]
	}
	if t.Form == FormSystemClass {
		t = typeByName(t.Name, "")
	}
	if t.Form == FormPrimitive {
		return t.Kind
	}
	return KindNone
}

// tableSizes are those of hash tables as .NET chooses them.
var tableSizes = [...]int{3, 7, 11, 17, 23, 29, 37, 47, 59, 71, 89, 107, 131, 163, 197, 239, 293, 353, 431, 521, 631, 761, 919, 1103, 1327, 1597,
	1931, 2333, 2801, 3371, 4049, 4861, 5839, 7013, 8419, 10103, 12143, 14591, 17519, 21023, 25229, 30293, 36353, 43627, 52361, 62851, 75431,
	90523, 108631, 130363, 156437, 187751, 225307, 270371, 324449, 389357, 467237, 560689, 672827, 807403, 968897, 1162687, 1395263, 1674319, 2009191}

func tableSize(n int) int {
	for _, p := range tableSizes {
		if p >= n {
			return p
		}
	}
	return n | 1
}
