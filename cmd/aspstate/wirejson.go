package main

import (
	"fmt"
	"strconv"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/nrbf"
	"github.com/aspsession/aspsession/payload"
)

// wire renders the objects of a file as --wire does, one entry per object item,
// and counts those that cannot be read.
func wire(s *stored) (out []byte, bad int, err error) {
	list := []any{}
	for item := range s.all() {
		if item.Type() != payload.TypeObject {
			continue
		}
		entry := new(fields).add("item", item.Index)
		if item.NullKey {
			entry.add("key", nil)
		} else {
			entry.add("key", item.Key)
		}
		value, err := item.Decode(nil)
		stream, _ := value.(payload.Object)
		entry.add("offset", item.Offset+len(item.Data)-len(stream)).add("length", len(stream))
		if err == nil {
			var g *nrbf.Graph
			if g, err = nrbf.Decode(stream, nrbf.Options{}); err == nil {
				var form *fields
				if form, err = wireForm(g); err == nil {
					entry.add("graph", form)
				}
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", itemName(item), err)
			}
		}
		if err != nil {
			entry.add("error", err.Error())
			bad++
		}
		list = append(list, entry)
	}
	out, err = appendForm(nil, list)
	if err != nil {
		return nil, 0, err
	}
	return escapeJSON(append(out, '\n')), bad, nil
}

// A wirer makes the mechanical form of one stream. A string stands where it is
// met first and is referred to after that.
type wirer struct {
	seen  map[*nrbf.String]bool
	forms map[any]*fields
	left  budget // for names of classes and members, which many objects share
}

func wireForm(g *nrbf.Graph) (*fields, error) {
	w := wirer{map[*nrbf.String]bool{}, map[any]*fields{}, mostShown}
	root := w.value(g.Root(), false)
	objects := []any{}
	for v := range g.All() {
		switch v.Kind() {
		case nrbf.KindObject, nrbf.KindArray:
			objects = append(objects, w.node(v))
			if w.left < 0 {
				return nil, errLarge
			}
		}
	}
	texts := new(fields) // those that nothing holds
	for v := range g.All() {
		if s := v.Str(); s != nil && (!w.seen[s] || s == g.Root().Str()) {
			texts.add(strconv.Itoa(int(s.ID())), s.Text())
		}
	}
	f := new(fields)
	if ref, ok := root.(*fields); ok {
		for _, x := range ref.list {
			if x.name == "ref" || x.name == "id" {
				f.add("root", x.value)
			}
		}
	}
	return f.add("strings", texts).add("objects", objects), nil
}

// node is the form of an object or array, made once. Only structs in place are
// made inside others, so that it is as deep as those are.
func (w *wirer) node(v nrbf.Value) *fields {
	key := v.Any()
	if f := w.forms[key]; f != nil {
		return f
	}
	f := new(fields)
	w.forms[key] = f
	if o := v.Object(); o != nil {
		f.add("id", o.ID()).add("class", o.Class().Name())
		if l := o.Class().Library(); l != "" {
			f.add("lib", l)
		} else {
			f.add("lib", nil)
		}
		members := []any{}
		_ = w.left.spend(len(o.Class().Name()) + len(o.Class().Library())) // looked at when all is done
		for name, m := range o.Members() {
			if w.left.spend(perValue+len(name)) != nil {
				break
			}
			members = append(members, []any{name, w.value(m, false)})
		}
		return f.add("members", members)
	}
	a := v.Array()
	lengths, lowers := make([]int, a.Rank()), make([]int, a.Rank())
	for i := range lengths {
		lengths[i], lowers[i] = a.Length(i), a.LowerBound(i)
	}
	f.add("id", a.ID()).add("array", a.Elem().String()).add("lengths", lengths).add("lowerBounds", lowers)
	if b := a.Bytes(); len(b) > longBytes {
		return f.add("sha256", digest(b))
	}
	elements := make([]any, 0, a.Len())
	bare := a.Elem().Form == nrbf.FormPrimitive
	for _, e := range a.All() {
		if w.left.spend(perValue) != nil {
			break
		}
		elements = append(elements, w.value(e, bare))
	}
	return f.add("elements", elements)
}

func (w *wirer) value(v nrbf.Value, bare bool) any {
	switch v.Kind() {
	case nrbf.KindNull, nrbf.KindNone:
		return nil
	case nrbf.KindString:
		s := v.Str()
		if w.seen[s] {
			return new(fields).add("ref", s.ID())
		}
		w.seen[s] = true
		return new(fields).add("string", s.Text()).add("id", s.ID())
	case nrbf.KindArray:
		return new(fields).add("ref", v.Array().ID())
	case nrbf.KindObject:
		if o := v.Object(); !o.Inline() {
			return new(fields).add("ref", o.ID())
		}
		w.node(v)
		return new(fields).add("inline", v.Object().ID())
	case nrbf.KindBoolean:
		b, _ := v.Bool()
		return b
	}
	p := wirePrimitive(v)
	if bare {
		return p
	}
	return new(fields).add(v.Kind().String(), p)
}

func wirePrimitive(v nrbf.Value) any {
	bits, _ := v.Bits()
	switch x := v.Any().(type) {
	case int64:
		return strconv.FormatInt(x, 10)
	case uint64:
		return strconv.FormatUint(x, 10)
	case clr.TimeSpan:
		return strconv.FormatInt(int64(x), 10)
	case float32:
		return fmt.Sprintf("0x%08x", bits)
	case float64:
		return fmt.Sprintf("0x%016x", bits)
	case clr.Decimal:
		return x.String()
	case clr.DateTime:
		return []any{strconv.FormatInt(x.Ticks, 10), x.Kind.String()}
	case clr.Char:
		return uint16(x)
	case uint8:
		return int(x)
	default:
		return x
	}
}
