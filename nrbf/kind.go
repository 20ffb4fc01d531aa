package nrbf

import "strconv"

// A Kind says what a [Value] holds. The primitive kinds have the numbers of the
// format's PrimitiveTypeEnum.
type Kind uint8

// The kinds, each with the Go type of [Value.Any].
const (
	KindNone     Kind = 0  // no value: a member or element that is not there
	KindBoolean  Kind = 1  // bool
	KindByte     Kind = 2  // uint8
	KindChar     Kind = 3  // clr.Char
	KindDecimal  Kind = 5  // clr.Decimal; text in the stream
	KindDouble   Kind = 6  // float64
	KindInt16    Kind = 7  // int16
	KindInt32    Kind = 8  // int32
	KindInt64    Kind = 9  // int64
	KindSByte    Kind = 10 // int8
	KindSingle   Kind = 11 // float32
	KindTimeSpan Kind = 12 // clr.TimeSpan
	KindDateTime Kind = 13 // clr.DateTime
	KindUInt16   Kind = 14 // uint16
	KindUInt32   Kind = 15 // uint32
	KindUInt64   Kind = 16 // uint64
	KindNull     Kind = 17 // nil
	KindString   Kind = 18 // string; Value.Str has the identity
	KindObject   Kind = 32 // *Object
	KindArray    Kind = 33 // *Array

	kindNode Kind = 63 // inside a Value: the node knows its kind
)

var kindNames = [...]string{
	KindBoolean: "Boolean", KindByte: "Byte", KindChar: "Char", KindDecimal: "Decimal", KindDouble: "Double",
	KindInt16: "Int16", KindInt32: "Int32", KindInt64: "Int64", KindSByte: "SByte", KindSingle: "Single",
	KindTimeSpan: "TimeSpan", KindDateTime: "DateTime", KindUInt16: "UInt16", KindUInt32: "UInt32",
	KindUInt64: "UInt64", KindNull: "Null", KindString: "String", KindObject: "Object", KindArray: "Array",
}

// String is .NET's name of the type without its namespace.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Primitive reports a type that stands in a stream without a record of its own.
func (k Kind) Primitive() bool { return k >= KindBoolean && k <= KindUInt64 && k != 4 }

// kindSizes are the bytes of one value; 0 where the length varies.
var kindSizes = [KindUInt64 + 1]uint8{
	KindBoolean: 1, KindByte: 1, KindDouble: 8, KindInt16: 2, KindInt32: 4, KindInt64: 8, KindSByte: 1,
	KindSingle: 4, KindTimeSpan: 8, KindDateTime: 8, KindUInt16: 2, KindUInt32: 4, KindUInt64: 8,
}

// A RecordType is the byte that starts a record.
type RecordType uint8

// The record types of [MS-NRBF] 2.1.2.1. The class of .NET's own reader has
// other names for some; these are the specification's.
const (
	SerializedStreamHeader         RecordType = 0
	ClassWithID                    RecordType = 1
	SystemClassWithMembers         RecordType = 2
	ClassWithMembers               RecordType = 3
	SystemClassWithMembersAndTypes RecordType = 4
	ClassWithMembersAndTypes       RecordType = 5
	BinaryObjectString             RecordType = 6
	BinaryArray                    RecordType = 7
	MemberPrimitiveTyped           RecordType = 8
	MemberReference                RecordType = 9
	ObjectNull                     RecordType = 10
	MessageEnd                     RecordType = 11
	BinaryLibrary                  RecordType = 12
	ObjectNullMultiple256          RecordType = 13
	ObjectNullMultiple             RecordType = 14
	ArraySinglePrimitive           RecordType = 15
	ArraySingleObject              RecordType = 16
	ArraySingleString              RecordType = 17
	MethodCall                     RecordType = 21
	MethodReturn                   RecordType = 22
)

var recordNames = [...]string{
	"SerializedStreamHeader", "ClassWithId", "SystemClassWithMembers", "ClassWithMembers",
	"SystemClassWithMembersAndTypes", "ClassWithMembersAndTypes", "BinaryObjectString", "BinaryArray",
	"MemberPrimitiveTyped", "MemberReference", "ObjectNull", "MessageEnd", "BinaryLibrary",
	"ObjectNullMultiple256", "ObjectNullMultiple", "ArraySinglePrimitive", "ArraySingleObject",
	"ArraySingleString", MethodCall: "MethodCall", MethodReturn: "MethodReturn",
}

// String is the specification's name.
func (r RecordType) String() string {
	if int(r) < len(recordNames) && recordNames[r] != "" {
		return recordNames[r]
	}
	return "record " + strconv.Itoa(int(r))
}
