package payload

import "fmt"

// A Type is the id in front of a stored value (.NET Framework 4.8
// AltSerialization).
type Type uint8

// The 21 types.
const (
	TypeString Type = iota + 1
	TypeInt32
	TypeBoolean
	TypeDateTime
	TypeDecimal
	TypeByte
	TypeChar
	TypeSingle
	TypeDouble
	TypeSByte
	TypeInt16
	TypeInt64
	TypeUInt16
	TypeUInt32
	TypeUInt64
	TypeTimeSpan
	TypeGuid
	TypeIntPtr
	TypeUIntPtr
	TypeObject
	TypeNull
)

var typeNames = [...]string{
	TypeString: "System.String", TypeInt32: "System.Int32", TypeBoolean: "System.Boolean", TypeDateTime: "System.DateTime",
	TypeDecimal: "System.Decimal", TypeByte: "System.Byte", TypeChar: "System.Char", TypeSingle: "System.Single",
	TypeDouble: "System.Double", TypeSByte: "System.SByte", TypeInt16: "System.Int16", TypeInt64: "System.Int64",
	TypeUInt16: "System.UInt16", TypeUInt32: "System.UInt32", TypeUInt64: "System.UInt64", TypeTimeSpan: "System.TimeSpan",
	TypeGuid: "System.Guid", TypeIntPtr: "System.IntPtr", TypeUIntPtr: "System.UIntPtr", TypeObject: "System.Object", TypeNull: "null",
}

// String is the .NET name, "System.Int32"; an object's own class is inside its
// stream and not known here.
func (t Type) String() string {
	if t.valid() {
		return typeNames[t]
	}
	return fmt.Sprintf("unknown type %d", uint8(t))
}

func (t Type) valid() bool { return t >= TypeString && t <= TypeNull }

// Encoding says in which form an item's bytes are.
type Encoding uint8

const (
	// Typed is a type id and its data: every item of a frame or collection.
	Typed Encoding = iota
	// Stream is a bare BinaryFormatter stream, as Microsoft's Redis provider
	// stores items in its hash layouts. In a frame it becomes type 20.
	Stream
	// Foreign is the output of a custom serializer. It has no place in a frame.
	Foreign
)

func (e Encoding) String() string {
	switch e {
	case Typed:
		return "typed"
	case Stream:
		return "stream"
	case Foreign:
		return "foreign"
	}
	return fmt.Sprintf("Encoding(%d)", uint8(e))
}
