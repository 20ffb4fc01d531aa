package main

import (
	"fmt"
	"go/token"
	"strconv"
	"strings"
	"unicode"

	"github.com/aspsession/aspsession/nrbf"
)

const (
	nrbfPath = "github.com/aspsession/aspsession/nrbf"
	clrPath  = "github.com/aspsession/aspsession/clr"
)

// member is the Go type of a member and the options of its tag.
func (g *generator) member(m *genMember) (goType, opts string) {
	goType = g.goType(m.typ)
	if m.null && !strings.HasPrefix(goType, "*") {
		return "*" + goType, ""
	}
	if base, _ := splitGeneric(m.typ.Name); base == listClass {
		return goType, ",list"
	}
	if goType != "*nrbf.Object" && goType != "any" {
		return goType, ""
	}
	// An interface, or a class of which nothing is known: what stands there tells.
	if goType == "any" {
		return goType, ""
	}
	found := ""
	for _, v := range m.seen {
		t := nrbf.ObjectType()
		if o := v.Object(); o != nil {
			t = nrbf.ClassType(o.Class().Name(), o.Class().Library())
		} else if a := v.Array(); a != nil && a.Rank() == 1 {
			t = nrbf.ClassType(a.Elem().String()+"[]", a.Elem().Library)
		}
		now := g.goType(t)
		if found != "" && now != found || now == "any" {
			found = ""
			break
		}
		found = now
	}
	declared := ",type=" + m.typ.Name
	if m.typ.Library != "" {
		declared += ", " + m.typ.Library
	}
	switch {
	case found == "":
		g.imports[nrbfPath] = true
		return "*nrbf.Object", declared
	case strings.HasPrefix(found, "[]") && len(m.seen) > 0 && m.seen[0].Object() != nil:
		g.imports[nrbfPath] = true
		return "nrbf.AsList[" + found[2:] + "]", declared
	}
	return found, declared
}

const listClass = "System.Collections.Generic.List`1"

var goScalars = map[string]string{
	"System.Guid": "clr.Guid", "System.DateTimeOffset": "time.Time", "System.Version": "string", "System.Uri": "string", "System.Text.StringBuilder": "string",
	"System.IntPtr": "clr.IntPtr", "System.UIntPtr": "clr.UIntPtr",
	"System.Collections.ArrayList": "[]any", "System.Collections.Queue": "[]any", "System.Collections.Stack": "[]any",
	"System.Collections.Hashtable": "map[any]any", "System.Collections.SortedList": "map[any]any",
	"System.Collections.Specialized.StringDictionary": "map[string]string", "System.Collections.Specialized.NameValueCollection": "map[string][]string",
	"System.Collections.Specialized.ListDictionary": "map[any]any", "System.Collections.Specialized.HybridDictionary": "map[any]any", "System.Collections.Specialized.OrderedDictionary": "map[any]any",
}

func goKind(k nrbf.Kind) string {
	switch k {
	case nrbf.KindBoolean:
		return "bool"
	case nrbf.KindChar:
		return "clr.Char"
	case nrbf.KindDecimal:
		return "clr.Decimal"
	case nrbf.KindDouble:
		return "float64"
	case nrbf.KindSingle:
		return "float32"
	case nrbf.KindInt16, nrbf.KindInt32, nrbf.KindInt64, nrbf.KindUInt16, nrbf.KindUInt32, nrbf.KindUInt64:
		return strings.ToLower(k.String())
	case nrbf.KindSByte:
		return "int8"
	case nrbf.KindByte:
		return "uint8"
	case nrbf.KindTimeSpan:
		return "time.Duration"
	case nrbf.KindDateTime:
		return "time.Time"
	}
	return "any"
}

// goType is the Go type for a declared type; *nrbf.Object for what has none.
func (g *generator) goType(t nrbf.Type) string {
	s := g.typeText(t, 0)
	for name, path := range map[string]string{"clr.": clrPath, "time.": "time", "nrbf.": nrbfPath} {
		if strings.Contains(s, name) {
			g.imports[path] = true
		}
	}
	return s
}

func (g *generator) typeText(t nrbf.Type, depth int) string {
	if depth > 16 {
		return "any"
	}
	switch t.Form {
	case nrbf.FormPrimitive:
		return goKind(t.Kind)
	case nrbf.FormString:
		return "string"
	case nrbf.FormObject:
		return "any"
	case nrbf.FormObjectArray:
		return "[]any"
	case nrbf.FormStringArray:
		return "[]string"
	case nrbf.FormPrimitiveArray:
		return "[]" + goKind(t.Kind)
	}
	if c := g.classes[[2]string{t.Name, t.Library}]; c != nil {
		if c.inline {
			return c.goName
		}
		return "*" + c.goName
	}
	if s := goScalars[t.Name]; s != "" {
		return s
	}
	if i := strings.LastIndexByte(t.Name, '['); i > 0 && strings.Trim(t.Name[i+1:], ",") == "]" {
		return strings.Repeat("[]", 1+strings.Count(t.Name[i:], ",")) + g.typeText(namedType(t.Name[:i], t.Library), depth+1)
	}
	base, args := splitGeneric(t.Name)
	var in []string
	for _, a := range args {
		in = append(in, g.typeText(a, depth+1))
	}
	short := strings.TrimPrefix(base, "System.Collections.Generic.")
	switch {
	case base == "System.Nullable`1" && len(in) == 1:
		return "*" + strings.TrimPrefix(in[0], "*")
	case len(in) == 1 && strings.HasPrefix(base, "System.Collections."):
		switch short {
		case "List`1", "HashSet`1", "SortedSet`1", "Queue`1", "Stack`1", "LinkedList`1",
			"System.Collections.ObjectModel.Collection`1", "System.Collections.ObjectModel.ObservableCollection`1", "System.Collections.ObjectModel.ReadOnlyCollection`1":
			return "[]" + in[0]
		}
	case len(in) == 2:
		switch short {
		case "Dictionary`2", "SortedDictionary`2", "SortedList`2":
			if strings.HasPrefix(in[0], "[") || strings.HasPrefix(in[0], "map") {
				in[0] = "any"
			}
			return "map[" + in[0] + "]" + in[1]
		case "KeyValuePair`2":
			return fmt.Sprintf("struct {\nKey %s `net:\"key\"`\nValue %s `net:\"value\"`\n}", in[0], in[1])
		}
	}
	return "*nrbf.Object"
}

// splitGeneric parts "List`1[[A, lib]]" into "List`1" and its arguments.
func splitGeneric(name string) (base string, args []nrbf.Type) {
	base, rest, ok := strings.Cut(name, "[[")
	if !ok || !strings.HasSuffix(rest, "]]") {
		return name, nil
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
				args = append(args, argument(rest[start:i]))
			}
		}
	}
	return base, args
}

func argument(s string) nrbf.Type {
	depth := 0
	for i, c := range s {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth == 0:
			return namedType(s[:i], strings.TrimSpace(s[i+1:]))
		}
	}
	return namedType(s, "")
}

func namedType(name, library string) nrbf.Type {
	if library == "mscorlib" || strings.HasPrefix(library, "mscorlib,") {
		library = ""
	}
	if name == "" {
		return nrbf.ObjectType()
	}
	return plainType(nrbf.ClassType(name, library))
}

// plainType is the primitive, String or Object that a class name stands for.
func plainType(t nrbf.Type) nrbf.Type {
	short, ok := strings.CutPrefix(t.Name, "System.")
	if !ok || t.Form != nrbf.FormSystemClass {
		return t
	}
	switch short {
	case "String":
		return nrbf.StringType()
	case "Object":
		return nrbf.ObjectType()
	}
	for k := nrbf.KindBoolean; k <= nrbf.KindUInt64; k++ {
		if k.Primitive() && k.String() == short {
			return nrbf.PrimitiveType(k)
		}
	}
	return t
}

// goTypeName is the class's own name, its type arguments behind.
func goTypeName(name string) string {
	base, args := splitGeneric(name)
	if i := strings.LastIndexByte(base, '.'); i >= 0 {
		base = base[i+1:]
	}
	var b strings.Builder
	for part := range strings.SplitSeq(base, "+") {
		part, _, _ = strings.Cut(part, "`")
		b.WriteString(exported(part))
	}
	for _, a := range args {
		b.WriteString(goTypeName(a.String()))
	}
	return b.String()
}

// fieldName is the property's or member's name, without the marks of a private
// field; a base class's goes in front.
func fieldName(member string) string {
	if p, ok := strings.CutSuffix(member, ">k__BackingField"); ok {
		member = strings.Replace(p, "<", "", 1)
	}
	var b strings.Builder
	for part := range strings.SplitSeq(member, "+") {
		part, _, _ = strings.Cut(part, "`")
		part = strings.TrimPrefix(strings.TrimLeft(part, "_"), "m_")
		b.WriteString(exported(part))
	}
	return b.String()
}

func exported(s string) string {
	s = identifier(s)
	r := []rune(s)
	r[0] = unicode.ToUpper(r[0])
	if !unicode.IsUpper(r[0]) {
		return "X" + string(r)
	}
	return string(r)
}

// identifier makes a Go identifier of a name; it is the name if it is one.
func identifier(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '_' || unicode.IsLetter(r), i > 0 && unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	if b.Len() == 0 {
		return "X"
	}
	if token.IsKeyword(b.String()) {
		return b.String() + "_"
	}
	return b.String()
}

func unique(name string, used map[string]bool) string {
	for i, s := 2, name; ; i++ {
		if !used[s] {
			used[s] = true
			return s
		}
		s = name + strconv.Itoa(i)
	}
}
