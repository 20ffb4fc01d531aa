package admin

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
)

const (
	nameWidth  = 64  // characters of a name that are shown
	typeWidth  = 120 // of a type
	valueWidth = 200 // of a value

	mostNodes = 2000 // of all objects of a page
	mostParts = 25   // of one object
	mostDepth = 4
)

// graphLimits bound what reading one object for a page may cost: some 30 MB.
var graphLimits = nrbf.Options{Bytes: mostBody, Objects: 1 << 17, Elements: 1 << 19, StringBytes: mostBody, Depth: 256}

// A node is a value as the page shows it, and what is in it.
type node struct {
	Name, Type string
	Value      string // as text
	Redacted   bool   // there is one, and it is not shown
	Content    string // "3 members", "5 elements"
	Parts      []node
	More       int // parts that are not shown
}

// A drawer turns objects into nodes.
type drawer struct {
	values bool
	nodes  int // so far
}

// node draws a value that stands depth levels deep in an object.
func (d *drawer) node(name string, v nrbf.Value, depth int) node {
	d.nodes++
	n := node{Name: tame(name, nameWidth), Type: typeName(v)}
	if x, ok := nrbf.ScalarOf(v); ok {
		d.leaf(&n, x)
		return n
	}
	if dict, ok := nrbf.DictOf(v); ok {
		n.Content = plural(int64(dict.Len()), "entry", "entries")
		i := 0
		for k, e := range dict.All() {
			if !d.part(&n, i, dict.Len(), depth) {
				break
			}
			key := "entry " + strconv.Itoa(i+1) // a key is a value too
			if d.values {
				if x, ok := nrbf.ScalarOf(k); ok {
					key = tame(text(x), nameWidth)
				}
			}
			n.Parts = append(n.Parts, d.node(key, e, depth+1))
			i++
		}
		return n
	}
	if list, ok := nrbf.ListOf(v); ok {
		n.Content = plural(int64(list.Len()), "element", "elements")
		if a := v.Array(); a != nil && a.Bytes() != nil {
			n.Content = plural(int64(a.Len()), "byte", "bytes")
			n.Redacted = !d.values && a.Len() > 0
			if d.values {
				n.Value = hexBytes(a.Bytes())
			}
			return n
		}
		for i, e := range list.All() {
			if !d.part(&n, i, list.Len(), depth) {
				break
			}
			n.Parts = append(n.Parts, d.node("["+strconv.Itoa(i)+"]", e, depth+1))
		}
		return n
	}
	if o := v.Object(); o != nil {
		n.Content = plural(int64(o.Len()), "member", "members")
		i := 0
		for member, e := range o.Members() {
			if !d.part(&n, i, o.Len(), depth) {
				break
			}
			if inner, ok := strings.CutSuffix(member, ">k__BackingField"); ok {
				member = strings.TrimPrefix(inner, "<") // of an auto-property
			}
			n.Parts = append(n.Parts, d.node(member, e, depth+1))
			i++
		}
	}
	return n
}

// part reports whether part i of so many is drawn, and else how many are not.
func (d *drawer) part(n *node, i, of, depth int) bool {
	if i < mostParts && d.nodes < mostNodes && depth < mostDepth {
		return true
	}
	n.More = of - i
	return false
}

func (d *drawer) leaf(n *node, x any) {
	switch {
	case x == nil: // the type says so
	case d.values:
		n.Value = tame(text(x), valueWidth)
	default:
		n.Redacted = true
	}
}

// typeName is .NET's name without the assemblies' versions.
func typeName(v nrbf.Value) string {
	if v.IsNull() {
		return "null"
	}
	full, _ := v.TypeName()
	return tame(plainType(full), typeWidth)
}

// plainType takes the assemblies out of the arguments of a generic type:
// "List`1[[Shop.Cart, Shop, Version=1.0.0.0]]" becomes "List`1[[Shop.Cart]]".
func plainType(full string) string {
	var b strings.Builder
	depth, skip := 0, false
	for i := 0; i < len(full); i++ {
		switch c := full[i]; {
		case c == '[':
			depth++
			skip = false
		case c == ']':
			depth--
			skip = false
		case c == ',' && depth > 0 && depth%2 == 0:
			skip = true
		}
		if !skip {
			b.WriteByte(full[i])
		}
	}
	return b.String()
}

// text is a single value as a person writes it.
func text(x any) string {
	switch x := x.(type) {
	case string:
		return strconv.Quote(clip(x))
	case clr.Char:
		return strconv.QuoteRune(x.Rune())
	case time.Time:
		return x.Format("2006-01-02 15:04:05.9999999") // a wall clock: the item has no zone
	case nrbf.Text:
		return strconv.Quote(clip(x.Text))
	case nrbf.URI:
		return strconv.Quote(clip(x.Text))
	case nrbf.EnumValue:
		return x.Value.String()
	case nrbf.RuntimeType:
		return x.Name
	case nrbf.Culture:
		return strconv.Quote(clip(x.Name))
	case *big.Int:
		if x.BitLen() > 8*valueWidth { // digits take long to work out
			return fmt.Sprintf("a number of %d bits", x.BitLen())
		}
		return x.String()
	case nrbf.DBNull:
		return "DBNull"
	case nrbf.DateTimeOffset:
		return fmt.Sprintf("%v %+d min", x.Clock, x.Minutes)
	}
	return fmt.Sprint(x)
}

// clip keeps a large text from being quoted whole: what is shown is less still.
func clip(s string) string { return s[:min(len(s), 8*valueWidth)] }

func hexBytes(b []byte) string {
	const most = 32
	if len(b) <= most {
		return fmt.Sprintf("% x", b)
	}
	return fmt.Sprintf("% x…", b[:most])
}
