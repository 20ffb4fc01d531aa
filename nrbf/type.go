package nrbf

// A TypeForm is how a stream declares the type of a member or of an array's
// elements; the numbers are the format's BinaryTypeEnum.
type TypeForm uint8

// The forms.
const (
	FormPrimitive      TypeForm = 0 // a value without a record, of Type.Kind
	FormString         TypeForm = 1
	FormObject         TypeForm = 2 // System.Object: anything
	FormSystemClass    TypeForm = 3 // a class or struct of mscorlib, Type.Name
	FormClass          TypeForm = 4 // one of Type.Library
	FormObjectArray    TypeForm = 5 // object[]
	FormStringArray    TypeForm = 6 // string[]
	FormPrimitiveArray TypeForm = 7 // an array of Type.Kind
)

// A Type is the declared type of a member or of an array's elements. It is
// comparable.
type Type struct {
	Form    TypeForm
	Kind    Kind   // of FormPrimitive and FormPrimitiveArray
	Name    string // of FormSystemClass and FormClass: .NET's full name
	Library string // of FormClass: the assembly's name as the stream has it
}

// PrimitiveType is the type of a bare primitive.
func PrimitiveType(k Kind) Type { return Type{Form: FormPrimitive, Kind: k} }

// PrimitiveArrayType is the type of an array of primitives, as a member.
func PrimitiveArrayType(k Kind) Type { return Type{Form: FormPrimitiveArray, Kind: k} }

// StringType is System.String.
func StringType() Type { return Type{Form: FormString} }

// ObjectType is System.Object.
func ObjectType() Type { return Type{Form: FormObject} }

// ClassType is a named class or struct; an empty library means mscorlib. Arrays
// of classes have their name with "[]" behind.
func ClassType(name, library string) Type {
	if library == "" {
		return Type{Form: FormSystemClass, Name: name}
	}
	return Type{Form: FormClass, Name: name, Library: library}
}

// String is .NET's full name of the type.
func (t Type) String() string {
	switch t.Form {
	case FormPrimitive:
		return "System." + t.Kind.String()
	case FormString:
		return "System.String"
	case FormObject:
		return "System.Object"
	case FormObjectArray:
		return "System.Object[]"
	case FormStringArray:
		return "System.String[]"
	case FormPrimitiveArray:
		return "System." + t.Kind.String() + "[]"
	}
	return t.Name
}

// array reports a type whose values are arrays for certain.
func (t Type) array() bool { return t.Form >= FormObjectArray }

// check finds what no stream can say.
func (t Type) check() string {
	switch t.Form {
	case FormPrimitive, FormPrimitiveArray:
		if !t.Kind.Primitive() {
			return "no primitive type " + t.Kind.String()
		}
	case FormSystemClass, FormClass:
		if t.Name == "" {
			return "a class without a name"
		}
		if t.Form == FormClass && t.Library == "" {
			return "a class without a library"
		}
	case FormString, FormObject, FormObjectArray, FormStringArray:
	default:
		return "no such type form"
	}
	return ""
}
