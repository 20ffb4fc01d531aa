package nrbf

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/clr"
)

// Values of types that Go has no type for, as [ScalarOf] gives them.
type (
	// An EnumValue is a value of an enum. The stream has no names of constants.
	EnumValue struct {
		Type    string // .NET's full name
		Library string // empty for mscorlib
		Value   Value  // the number, of the enum's underlying type
	}
	// A DateTimeOffset is System.DateTimeOffset.
	DateTimeOffset struct {
		Clock   clr.DateTime // reading of the clock there, kind Unspecified
		Minutes int16        // what that clock is ahead of UTC
	}
	// A URI is System.Uri.
	URI struct {
		Text     string
		Absolute bool
	}
	// A Version is System.Version. Build and Revision are -1 where they are not
	// stated.
	Version struct{ Major, Minor, Build, Revision int32 }
	// A Text is System.Text.StringBuilder.
	Text struct {
		Text     string
		Capacity int32
	}
	// A Complex is System.Numerics.Complex.
	Complex struct{ Re, Im float64 }
	// A DBNull is System.DBNull, what a DataTable has for NULL.
	DBNull struct{}
	// A RuntimeType is System.Type: the name of one.
	RuntimeType struct{ Name, Library string }
	// A Culture is System.Globalization.CultureInfo, by name; empty is the
	// invariant one.
	Culture struct{ Name string }
)

// String is the text of the version as .NET prints it.
func (v Version) String() string {
	s := strconv.Itoa(int(v.Major)) + "." + strconv.Itoa(int(v.Minor))
	if v.Build >= 0 {
		s += "." + strconv.Itoa(int(v.Build))
		if v.Revision >= 0 {
			s += "." + strconv.Itoa(int(v.Revision))
		}
	}
	return s
}

// ScalarOf returns a single value in Go: what [Value.Any] gives for null, text
// and primitives, bare or boxed as a root; [EnumValue], [clr.Guid], [clr.IntPtr],
// [clr.UIntPtr], [DateTimeOffset], [URI], [Version], [Text], [Complex], [DBNull],
// [RuntimeType], [Culture] and *big.Int. It is false for all other objects and
// for arrays. A Nullable needs no view: it is its value or null.
func ScalarOf(v Value) (any, bool) {
	switch v.Kind() {
	case KindNone, KindArray:
		return nil, false
	case KindObject:
		return scalarObject(v.Object())
	}
	return v.Any(), true
}

func scalarObject(o *Object) (any, bool) {
	if p, ok := boxed(o); ok {
		return p.Any(), true
	}
	if p := o.Get("value__"); o.Len() == 1 && p.Kind().Primitive() {
		return EnumValue{o.class.name, o.class.library, p}, true
	}
	switch o.class.name {
	case "System.Guid":
		return scalarGuid(o)
	case "System.IntPtr":
		n, ok := o.Get("value").Int()
		return clr.IntPtr{Value: n}, ok
	case "System.UIntPtr":
		n, ok := o.Get("value").Uint()
		return clr.UIntPtr{Value: n}, ok
	case "System.DateTimeOffset":
		d, ok := o.Get("DateTime").DateTime()
		m, ok2 := o.Get("OffsetMinutes").Int()
		d.Ticks, d.Kind = d.Ticks+m*600_000_000, clr.Unspecified
		return DateTimeOffset{d, int16(m)}, ok && ok2
	case "System.Uri":
		text, ok := o.Get("AbsoluteUri").Text()
		if rel, isRel := o.Get("RelativeUri").Text(); text == "" && isRel {
			return URI{rel, false}, true
		}
		return URI{text, true}, ok
	case "System.Version":
		var n [4]int64
		for i, name := range versionMembers {
			var ok bool
			if n[i], ok = o.Get(name).Int(); !ok {
				return nil, false
			}
		}
		return Version{int32(n[0]), int32(n[1]), int32(n[2]), int32(n[3])}, true
	case "System.Text.StringBuilder":
		text, ok := o.Get("m_StringValue").Text()
		n, ok2 := o.Get("Capacity").Int()
		return Text{text, int32(n)}, ok2 && (ok || o.Get("m_StringValue").IsNull())
	case "System.Numerics.Complex":
		re, ok := o.Get("m_real").Float()
		im, ok2 := o.Get("m_imaginary").Float()
		return Complex{re, im}, ok && ok2
	case "System.Numerics.BigInteger":
		return scalarBig(o)
	case "System.DBNull":
		return DBNull{}, true
	case "System.UnitySerializationHolder":
		switch n, _ := o.Get("UnityType").Int(); n {
		case 2:
			return DBNull{}, true
		case 4:
			name, ok := o.Get("Data").Text()
			library, _ := o.Get("AssemblyName").Text()
			return RuntimeType{name, library}, ok
		}
	case "System.Globalization.CultureInfo":
		name, ok := o.Get("m_name").Text()
		return Culture{name}, ok
	}
	return nil, false
}

var versionMembers = [4]string{"_Major", "_Minor", "_Build", "_Revision"}

// boxed is the primitive in an object of its own: roots only, elsewhere a
// primitive needs none.
func boxed(o *Object) (Value, bool) {
	kind, ok := strings.CutPrefix(o.class.name, "System.")
	if !ok || o.class.library != "" {
		return Value{}, false
	}
	switch kind {
	case "Decimal":
		var bits [4]int32
		for i, name := range decimalMembers {
			n, ok := o.Get(name).Int()
			if !ok {
				return Value{}, false
			}
			bits[i] = int32(n)
		}
		d, err := clr.DecimalFromBits(bits)
		if err != nil {
			return Value{}, false
		}
		text := []byte(d.String())
		return Value{kind: KindDecimal, n: uint64(len(text)), p: &node{arr: &shape{data: text}}}, true
	case "DateTime":
		if p := o.Get("dateData"); p.kind == KindUInt64 {
			return Value{kind: KindDateTime, n: p.n}, true
		}
		n, ok := o.Get("ticks").Int() // .NET 1.1
		return Value{kind: KindDateTime, n: uint64(n) & (1<<62 - 1)}, ok
	case "TimeSpan":
		n, ok := o.Get("_ticks").Int()
		return Value{kind: KindTimeSpan, n: uint64(n)}, ok
	}
	p := o.Get("m_value")
	return p, o.Len() == 1 && p.Kind().Primitive() && p.kind.String() == kind
}

var decimalMembers = [4]string{"lo", "mid", "hi", "flags"}

func scalarGuid(o *Object) (clr.Guid, bool) {
	var b [16]byte
	if o.Len() != 11 {
		return clr.Guid{}, false
	}
	at := 0
	for i := range 11 {
		v := o.Member(i)
		size := 1
		switch {
		case i == 0 && v.kind == KindInt32:
			size = 4
		case (i == 1 || i == 2) && v.kind == KindInt16:
			size = 2
		case i > 2 && v.kind == KindByte:
		default:
			return clr.Guid{}, false
		}
		if o.class.members[i].Name != "_"+string(rune('a'+i)) {
			return clr.Guid{}, false
		}
		for k := range size {
			b[at] = byte(v.n >> (8 * k))
			at++
		}
	}
	return clr.GuidFromNET(b), true
}

// scalarBig reads sign and magnitude: _sign alone where _bits is null.
func scalarBig(o *Object) (*big.Int, bool) {
	sign, ok := o.Get("_sign").Int()
	if !ok {
		return nil, false
	}
	if o.Get("_bits").IsNull() {
		return big.NewInt(sign), true
	}
	words, ok := Primitives[uint32](o.Get("_bits").Array())
	if !ok {
		return nil, false
	}
	b := make([]byte, 4*len(words))
	for i, w := range words {
		for k := range 4 {
			b[len(b)-1-4*i-k] = byte(w >> (8 * k))
		}
	}
	n := new(big.Int).SetBytes(b)
	if sign < 0 {
		n.Neg(n)
	}
	return n, true
}
