package main

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

const (
	summaryWidth = 100
	summaryParts = 8  // members or elements that are shown
	partWidth    = 24 // of one of them
)

// summary is an object stream in one line: the class, then what is in it.
func summary(stream []byte) (string, error) {
	g, err := nrbf.Decode(stream, nrbf.Options{})
	if err != nil {
		return "", err
	}
	root := g.Root()
	name := shortName(root)
	text := part(root)
	if text != name {
		text = name + " " + text
	}
	switch root.Kind() {
	case nrbf.KindArray, nrbf.KindObject:
		if _, ok := nrbf.ScalarOf(root); !ok {
			text = name + content(root)
		}
	}
	return clipText(text, summaryWidth), nil
}

// clipText cuts text that is tame already.
func clipText(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width]) + "..."
}

// shortName is a class name without namespaces and assemblies, as C# has it.
func shortName(v nrbf.Value) string {
	name, _ := v.TypeName()
	var b strings.Builder
	word := func(s string) {
		s, _, _ = strings.Cut(s, "`")
		b.WriteString(s[strings.LastIndexByte(s, '.')+1:])
	}
	// In List`1[[Shop.Cart, Shop, …]] a name ends at the comma of its assembly.
	depth, start, skip := 0, 0, false
	for i := 0; i <= len(name); i++ {
		c := byte(0)
		if i < len(name) {
			c = name[i]
		}
		switch {
		case c == '[' && i+1 < len(name) && (name[i+1] == ']' || name[i+1] == ',' || name[i+1] == '*') && !skip:
			if end := strings.IndexByte(name[i:], ']'); end > 0 {
				word(name[start:i])
				b.WriteString(name[i : i+end+1])
				i += end
				start = i + 1
			}
		case c == '[' || c == ']' || c == ',' || c == 0:
			if !skip {
				word(name[start:i])
			}
			start = i + 1
			switch c {
			case '[':
				if depth++; depth%2 == 1 {
					b.WriteByte('<')
				}
				skip = false
			case ']':
				if depth%2 == 1 {
					b.WriteByte('>')
				}
				depth--
				skip = false
			case ',':
				skip = depth%2 == 0 && depth > 0
				if !skip {
					b.WriteString(", ")
				}
			}
		}
	}
	return label(b.String(), keyWidth)
}

// content is what a container holds, one level deep.
func content(v nrbf.Value) string {
	if t, err := nrbf.TableOf(v); err == nil {
		names := make([]string, 0, len(t.Columns))
		for _, c := range t.Columns {
			names = append(names, label(c.Name, partWidth))
		}
		return fmt.Sprintf(" %s: %s of %s", label(t.Name, partWidth), plural(len(t.Rows), "row"), strings.Join(names, ", "))
	}
	if d, err := nrbf.DataSetOf(v); err == nil {
		names := make([]string, 0, len(d.Tables))
		for _, t := range d.Tables {
			names = append(names, fmt.Sprintf("%s (%s)", label(t.Name, partWidth), plural(len(t.Rows), "row")))
		}
		return " " + label(d.Name, partWidth) + ": " + strings.Join(names, ", ")
	}
	if e, ok := nrbf.ExceptionOf(v); ok {
		return ": " + quote(e.Message(), valueWidth)
	}
	if d, ok := nrbf.DictOf(v); ok {
		return fmt.Sprintf(" of %d {%s}", d.Len(), list(func(yield func(string) bool) {
			for k, v := range d.All() {
				if !yield(part(k) + ": " + part(v)) {
					return
				}
			}
		}))
	}
	if a := v.Array(); a != nil && a.Bytes() != nil {
		return fmt.Sprintf(" of %d", a.Len())
	}
	if l, ok := nrbf.ListOf(v); ok {
		return fmt.Sprintf(" of %d [%s]", l.Len(), list(func(yield func(string) bool) {
			for _, v := range l.All() {
				if !yield(part(v)) {
					return
				}
			}
		}))
	}
	return " {" + list(func(yield func(string) bool) {
		for name, v := range v.Object().Members() {
			if inner, ok := strings.CutSuffix(name, ">k__BackingField"); ok {
				name = strings.TrimPrefix(inner, "<")
			}
			if !yield(label(name, partWidth) + ": " + part(v)) {
				return
			}
		}
	}) + "}"
}

func list(parts iter.Seq[string]) string {
	var shown []string
	for p := range parts {
		if len(shown) == summaryParts {
			shown = append(shown, "...")
			break
		}
		shown = append(shown, p)
	}
	return strings.Join(shown, ", ")
}

// part is a value inside another: a scalar itself, of others the class.
func part(v nrbf.Value) string {
	x, ok := nrbf.ScalarOf(v)
	if !ok {
		return shortName(v)
	}
	switch x := x.(type) {
	case nil:
		return "null"
	case string:
		return quote(x, partWidth)
	case clr.Char:
		return strconv.QuoteRune(x.Rune())
	case float32:
		return floatText(float64(x), 32)
	case float64:
		return floatText(x, 64)
	case nrbf.EnumValue:
		return x.Value.String()
	case nrbf.URI:
		return quote(x.Text, partWidth)
	case nrbf.Text:
		return quote(x.Text, partWidth)
	case nrbf.Culture:
		return quote(x.Name, partWidth)
	case nrbf.RuntimeType:
		return label(x.Name, partWidth)
	case nrbf.DBNull:
		return "DBNull"
	case nrbf.DateTimeOffset:
		return fmt.Sprintf("%v %+d min", x.Clock, x.Minutes)
	case nrbf.Complex:
		return "(" + floatText(x.Re, 64) + ", " + floatText(x.Im, 64) + ")"
	}
	return clipText(fmt.Sprint(x), partWidth)
}
