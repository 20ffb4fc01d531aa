package nrbf_test

import (
	"bytes"
	"fmt"

	"github.com/aspsession/aspsession/nrbf"
)

// differ walks two graphs side by side, without recursion, and says where they
// are not the same: values, types, identity and cycles. Ids are not compared.
func differ(a, b *nrbf.Graph) string {
	type pair struct {
		a, b nrbf.Value
		at   string
	}
	partner := map[any]any{}
	todo := []pair{{a.Root(), b.Root(), "root"}}
	push := func(x, y nrbf.Value, at string) { todo = append(todo, pair{x, y, at}) }
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p.a.Kind() != p.b.Kind() {
			return fmt.Sprintf("%s: %s and %s", p.at, p.a.Kind(), p.b.Kind())
		}
		var x, y any
		switch p.a.Kind() {
		case nrbf.KindString:
			x, y = p.a.Str(), p.b.Str()
		case nrbf.KindObject:
			x, y = p.a.Object(), p.b.Object()
		case nrbf.KindArray:
			x, y = p.a.Array(), p.b.Array()
		default:
			xb, _ := p.a.Bits()
			yb, _ := p.b.Bits()
			if xb != yb || p.a.String() != p.b.String() {
				return fmt.Sprintf("%s: %s and %s", p.at, p.a, p.b)
			}
			continue
		}
		// A struct set in two places is written as two.
		if o, ok := x.(*nrbf.Object); ok && o.Inline() {
			x, y = new(int), new(int)
		}
		if seen, ok := partner[x]; ok {
			if seen != y {
				return p.at + ": another identity"
			}
			continue
		}
		partner[x] = y
		switch x := p.a.Any().(type) {
		case string:
			if x != p.b.Str().Text() {
				return p.at + ": other text"
			}
		case *nrbf.Object:
			y := p.b.Object()
			if x.Class().Name() != y.Class().Name() || x.Class().Library() != y.Class().Library() || x.Len() != y.Len() || x.Inline() != y.Inline() {
				return p.at + ": another class"
			}
			for i := range x.Len() {
				if x.Class().Member(i) != y.Class().Member(i) {
					return p.at + ": another member"
				}
				push(x.Member(i), y.Member(i), x.Class().Member(i).Name)
			}
		case *nrbf.Array:
			y := p.b.Array()
			if x.Elem() != y.Elem() || x.Form() != y.Form() || x.Rank() != y.Rank() || x.Len() != y.Len() {
				return p.at + ": another array"
			}
			for i := range x.Rank() {
				if x.Length(i) != y.Length(i) || x.LowerBound(i) != y.LowerBound(i) {
					return p.at + ": other bounds"
				}
			}
			xd, _ := x.Raw()
			yd, _ := y.Raw()
			if !bytes.Equal(xd, yd) {
				return p.at + ": other elements"
			}
			var ys []nrbf.Value
			var ns []int
			for v, n := range y.Runs() {
				ys, ns = append(ys, v), append(ns, n)
			}
			i := 0
			for v, n := range x.Runs() {
				if i == len(ys) || n != ns[i] {
					return p.at + ": other nulls"
				}
				push(v, ys[i], p.at+"[]")
				i++
			}
		}
	}
	return ""
}
