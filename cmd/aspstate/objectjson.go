package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

// deepest is how deep objects may be inside one another in --json: readers of
// JSON have limits, and a list of a million nodes linked by hand is no tree.
const deepest = 1000

// longBytes is the length above which a byte[] is replaced by its digest.
const longBytes = 16 << 10

var (
	errDeep  = errors.New("objects nested too deep to show")
	errLarge = errors.New("too much to show: what objects share is shown with each of them")
)

// mostShown bounds what one object stream may become: lists can share an array,
// and members a string, so that the text is longer than any multiple of the
// stream.
const mostShown = 128 << 20

// A budget is what is left of mostShown, about one byte each.
type budget int

const perValue = 48

func (b *budget) spend(n int) error {
	if *b -= budget(n); *b < 0 {
		return errLarge
	}
	return nil
}

// A semantic makes the JSON form of one object stream. Objects that are met a
// second time are a {"$ref"} to the first, which has an "$id".
type semantic struct {
	met   map[any]*fields
	order []*fields
	depth int
	left  budget
}

// fields is a JSON object in the order of its names.
type fields struct {
	id     int // 0: met once
	shared bool
	list   []field
}

type field struct {
	name  string
	value any
}

func (f *fields) add(name string, value any) *fields {
	f.list = append(f.list, field{name, value})
	return f
}

// refTo stands for an object that was met before.
type refTo struct{ to *fields }

// appendForm writes a form in one pass, however deep it is.
func appendForm(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case refTo:
		return fmt.Appendf(dst, `{"$ref":%d}`, v.to.id), nil
	case []any:
		dst = append(dst, '[')
		for i, x := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendForm(dst, x); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case *fields:
		list := v.list
		if v.id > 0 { // behind $type and $assembly
			at := 1
			if len(list) > 1 && list[1].name == "$assembly" {
				at = 2
			}
			list = slices.Insert(slices.Clone(list), at, field{"$id", v.id})
		}
		dst = append(dst, '{')
		for i, x := range list {
			if i > 0 {
				dst = append(dst, ',')
			}
			name, err := json.Marshal(x.name)
			if err != nil {
				return nil, err
			}
			dst = append(append(dst, name...), ':')
			if dst, err = appendForm(dst, x.value); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	b, err := json.Marshal(v)
	return append(dst, b...), err
}

// objectForm is the semantic form of an object stream, and the type of its root.
func objectForm(g *nrbf.Graph) (typeName string, value, bits any, err error) {
	root := g.Root()
	name, _ := root.TypeName()
	if x, ok := nrbf.ScalarOf(root); ok {
		if value, bits, ok := bareRoot(x); ok {
			return name, value, bits, nil
		}
	}
	s := semantic{met: map[any]*fields{}, left: mostShown}
	value, err = s.value(root)
	if err != nil {
		return name, nil, nil, err
	}
	n := 0
	for _, f := range s.order {
		if f.shared {
			n++
			f.id = n
		}
	}
	text, err := appendForm(nil, value)
	return name, json.RawMessage(text), nil, err
}

// bareRoot is the form of a primitive that is a whole stream: that of an item.
func bareRoot(x any) (value, bits any, ok bool) {
	switch x := x.(type) {
	case clr.DateTime:
		return dateTimeJSON{strconv.FormatInt(x.Ticks, 10), x.Kind.String()}, nil, true
	case string, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64,
		clr.Char, clr.Decimal, clr.TimeSpan, clr.Guid, clr.IntPtr, clr.UIntPtr:
		value, bits, err := jsonValue(x)
		return value, bits, err == nil
	}
	return nil, nil, false
}

// value is the form of a member or element.
func (s *semantic) value(v nrbf.Value) (any, error) {
	text, _ := v.Text()
	if err := s.left.spend(perValue + min(len(text), 3*longString)); err != nil {
		return nil, err
	}
	switch v.Kind() {
	case nrbf.KindArray, nrbf.KindObject:
		return s.node(v)
	case nrbf.KindString:
		return jsonString(text), nil
	}
	return goForm(v.Any()), nil
}

// goForm is the form of a Go value that stands for a primitive or a struct.
func goForm(x any) any {
	switch x := x.(type) {
	case nil, bool, int32:
		return x
	case string:
		return jsonString(x)
	case []byte:
		return bytesForm(new(fields).add("$type", "System.Byte[]"), x)
	case nrbf.DBNull:
		return new(fields).add("$type", "System.DBNull")
	case nrbf.URI:
		return new(fields).add("$type", "System.Uri").add("$text", x.Text).add("$absolute", x.Absolute)
	case clr.DateTime:
		return new(fields).add("$type", "System.DateTime").add("$ticks", strconv.FormatInt(x.Ticks, 10)).add("$kind", x.Kind.String())
	}
	value, bits, err := jsonValue(x)
	if err != nil {
		return new(fields).add("$type", fmt.Sprintf("%T", x))
	}
	f := new(fields).add("$type", "System."+typeOfGo(x)).add("$value", value)
	switch x.(type) {
	case float32, float64:
		f.add("$bits", bits)
	}
	return f
}

func typeOfGo(x any) string {
	switch x.(type) {
	case clr.Guid:
		return "Guid"
	case clr.IntPtr:
		return "IntPtr"
	case clr.UIntPtr:
		return "UIntPtr"
	case int8:
		return "SByte"
	case uint8:
		return "Byte"
	case float32:
		return "Single"
	case float64:
		return "Double"
	}
	name := fmt.Sprintf("%T", x)
	name = name[strings.LastIndexByte(name, '.')+1:]
	if strings.HasPrefix(name, "uint") {
		return "UInt" + name[4:]
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// node is the form of an object or array.
func (s *semantic) node(v nrbf.Value) (any, error) {
	x := v.Any()
	if o := v.Object(); o != nil {
		switch c, _ := nrbf.ScalarOf(v); c := c.(type) {
		case nrbf.DBNull, clr.Guid, clr.IntPtr, clr.UIntPtr, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64,
			float32, float64, clr.Char, clr.Decimal, clr.DateTime, clr.TimeSpan:
			return goForm(c), nil
		}
	}
	if f := s.met[x]; f != nil {
		f.shared = true
		return refTo{f}, nil
	}
	if s.depth++; s.depth > deepest {
		return nil, errDeep
	}
	defer func() { s.depth-- }()
	name, library := v.TypeName()
	if err := s.left.spend(len(name) + len(library)); err != nil {
		return nil, err
	}
	f := new(fields).add("$type", name)
	if library != "" {
		f.add("$assembly", library)
	}
	if o := v.Object(); o == nil || !o.Inline() {
		s.met[x] = f
		s.order = append(s.order, f)
	}
	if a := v.Array(); a != nil {
		return f, s.array(f, a)
	}
	return f, s.object(f, v)
}

func bytesForm(f *fields, b []byte) *fields {
	if len(b) > longBytes {
		return f.add("$length", len(b)).add("$sha256", digest(b))
	}
	if b == nil {
		b = []byte{}
	}
	return f.add("$base64", b)
}

func (s *semantic) array(f *fields, a *nrbf.Array) error {
	plain := a.Rank() == 1 && a.LowerBound(0) == 0
	if plain && a.Elem() == nrbf.PrimitiveType(nrbf.KindByte) {
		bytesForm(f, a.Bytes())
		return nil
	}
	if plain {
		if b, ok := byteEnums(a); ok {
			bytesForm(f, b)
			return nil
		}
	}
	if !plain {
		lengths, lowers := make([]int, a.Rank()), make([]int, a.Rank())
		for i := range lengths {
			lengths[i], lowers[i] = a.Length(i), a.LowerBound(i)
		}
		f.add("$lengths", lengths).add("$lowerBounds", lowers)
	}
	list := make([]any, 0, a.Len())
	bare := a.Elem().Form == nrbf.FormPrimitive
	for _, v := range a.All() {
		if bare {
			if err := s.left.spend(perValue); err != nil {
				return err
			}
			list = append(list, bareForm(v.Any()))
			continue
		}
		if o := v.Object(); o != nil && o.Inline() { // Guid[] and the like are bare as well
			switch x, _ := nrbf.ScalarOf(v); x := x.(type) {
			case clr.Guid, clr.IntPtr, clr.UIntPtr:
				list = append(list, fmt.Sprint(x))
				continue
			}
		}
		x, err := s.value(v)
		if err != nil {
			return err
		}
		list = append(list, x)
	}
	f.add("$elements", list)
	return nil
}

// bareForm is the form of an element of an array of primitives.
func bareForm(x any) any {
	if d, ok := x.(clr.DateTime); ok {
		return dateTimeJSON{strconv.FormatInt(d.Ticks, 10), d.Kind.String()}
	}
	value, bits, err := jsonValue(x)
	if err != nil {
		return nil
	}
	switch x.(type) {
	case float32, float64:
		return []any{value, bits}
	}
	return value
}

// byteEnums takes an array of enums over Byte as the bytes that .NET takes it
// for.
func byteEnums(a *nrbf.Array) ([]byte, bool) {
	if a.Len() == 0 || a.Elem().Form < nrbf.FormSystemClass {
		return nil, false
	}
	var b []byte
	for _, v := range a.All() {
		x, _ := nrbf.ScalarOf(v)
		e, ok := x.(nrbf.EnumValue)
		n, isByte := e.Value.Any().(uint8)
		if !ok || !isByte {
			return nil, false
		}
		b = append(b, n)
	}
	return b, true
}
