package nrbf

import (
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/aspsession/aspsession/clr"
)

// scalar writes what has no parts in Go.
func (w *marshaler) scalar(t Type, p *plan, rv reflect.Value, old Value, box bool) (Value, error) {
	if p.op == opText {
		return w.sameOr(rv, old, "only a string can be changed")
	}
	kind := kindOfType(t)
	if kind == KindNone && (p.op == opInt || p.op == opUint) {
		if v, done, err := w.enum(t, p, rv, old, box); done {
			return v, err
		}
	}
	if p.op == opString && kind == KindNone {
		if s, ok := old.Text(); ok && s == rv.String() {
			return old, nil
		}
		if old.Object() != nil { // Uri and the like
			return w.sameOr(rv, old, "it is no string")
		}
		if rv.Len() > w.g.opt.StringBytes {
			return Value{}, usage("", ErrLimit, "a string of %d bytes", rv.Len())
		}
		if old.IsNull() && rv.Len() == 0 && w.g.data != nil {
			return old, nil // null and "" are one in Go
		}
		return w.g.NewString(rv.String()).Value(), nil
	}
	if p.op == opTime && (t.Name == "System.DateTimeOffset" || old.Object() != nil) {
		return w.offset(rv.Interface().(time.Time), old, box)
	}
	if kind == KindNone && t.Form == FormObject {
		if kind = old.Kind(); !kind.Primitive() || !fits(kind, p.op) {
			decl, err := w.types.declare(p.typ, tag{})
			if err != nil {
				return Value{}, err
			}
			kind = kindOfType(decl)
		}
	}
	if kind == KindNone {
		return Value{}, usage("", ErrType, "Go %s into %s", p.typ, clip(t.String()))
	}
	v, err := w.primitive(kind, p, rv, old)
	if err == nil && samePrimitive(v, old) {
		return old, nil
	}
	return v, err
}

func fits(k Kind, o op) bool {
	switch o {
	case opInt, opUint:
		_, ok := intRanges[k]
		return ok
	case opFloat:
		return k == KindDouble || k == KindSingle
	}
	return true
}

func samePrimitive(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	if a.kind == KindDecimal {
		return string(a.decimalText()) == string(b.decimalText())
	}
	return a.n == b.n
}

// primitive converts to exactly one kind.
func (w *marshaler) primitive(kind Kind, p *plan, rv reflect.Value, old Value) (Value, error) {
	bad := func() (Value, error) {
		return Value{}, usage("", ErrType, "Go %s into System.%s", p.typ, kind)
	}
	var x any
	switch p.op {
	case opBool:
		x = rv.Bool()
	case opInt, opUint:
		switch r, ok := intRanges[kind]; {
		case kind == KindDouble || kind == KindSingle:
			var f float64
			if p.op == opInt {
				f = float64(rv.Int())
			} else {
				f = float64(rv.Uint())
			}
			if math.Abs(f) > 1<<24 { // what both hold exactly
				return Value{}, usage("", ErrRange, "%v into System.%s", rv.Interface(), kind)
			}
			if x = f; kind == KindSingle {
				x = float32(f)
			}
		case kind == KindDecimal && p.op == opInt:
			x = clr.NewDecimal(rv.Int(), 0)
		case kind == KindChar && p.typ.Kind() == reflect.Uint16:
			x = clr.Char(rv.Uint())
		case !ok:
			return bad()
		case p.op == opInt && kind == KindUInt64 && rv.Int() >= 0:
			return Value{kind: kind, n: uint64(rv.Int())}, nil
		case p.op == opInt && (rv.Int() < r[0] || rv.Int() > r[1]), p.op == opUint && kind != KindUInt64 && rv.Uint() > uint64(r[1]):
			return Value{}, usage("", ErrRange, "%v into System.%s", rv.Interface(), kind)
		case p.op == opInt:
			return Value{kind: kind, n: uint64(rv.Int())}, nil
		default:
			return Value{kind: kind, n: rv.Uint()}, nil
		}
	case opFloat:
		x = rv.Float()
		if kind == KindSingle {
			f := rv.Float()
			if float64(float32(f)) != f && f == f {
				return Value{}, usage("", ErrRange, "%v into System.Single", f)
			}
			x = float32(f)
		}
	case opString:
		if kind != KindChar {
			return bad()
		}
		r := []rune(rv.String())
		if len(r) != 1 || r[0] > 0xffff {
			return Value{}, usage("", ErrRange, "%q into System.Char", clip(rv.String()))
		}
		x = clr.Char(r[0])
	case opTime:
		t := rv.Interface().(time.Time)
		was, ok := old.DateTime()
		if ok {
			zone := w.zone
			if was.Kind == clr.Utc {
				zone = time.UTC
			}
			if was.In(zone).Equal(t) {
				return old, nil
			}
			if ok = was.Ticks != 0; ok { // MinValue says nothing about kinds
				t = t.In(zone)
			}
		}
		if !ok && t.Location() != time.UTC {
			t = t.In(w.zone)
		}
		d, err := clr.DateTimeOf(t)
		if err != nil {
			return Value{}, usage("", ErrRange, "%w", err)
		}
		switch {
		case ok:
			d.Kind = was.Kind
		case rv.Interface().(time.Time).Location() != time.UTC:
			d.Kind = clr.Unspecified
		}
		x = d
	case opDuration:
		x = clr.TimeSpanOf(time.Duration(rv.Int()))
	case opTimeSpan:
		x = clr.TimeSpan(rv.Int())
	case opChar:
		x = clr.Char(rv.Uint())
	case opDecimal, opDateTime:
		if x = rv.Interface(); p.op == opDateTime {
			if was, ok := old.DateTime(); ok && was == x {
				return old, nil // its bits may tell more
			}
		}
	default:
		return bad()
	}
	if kindOf(x) != kind {
		return bad()
	}
	v, err := w.g.convert(x, PrimitiveType(kind), "")
	return v, err
}

// enum writes a number as an enum where the place is one.
func (w *marshaler) enum(t Type, p *plan, rv reflect.Value, old Value, box bool) (v Value, done bool, err error) {
	o := old.Object()
	if o != nil && (len(o.vals) != 1 || o.class.members[0].Name != "value__") {
		o = nil
	}
	r := w.types.of(p.typ)
	if o == nil {
		if r == nil && (t.Form != FormClass && t.Form != FormSystemClass) {
			return Value{}, false, nil
		}
		c, _, err := w.classFor(t, p)
		if err != nil {
			return Value{}, true, err
		}
		if len(c.members) != 1 || c.members[0].Name != "value__" {
			return Value{}, true, usage("", ErrType, "Go %s into %s", p.typ, clip(t.String()))
		}
		if o, err = w.g.object(c, !box); err != nil {
			return Value{}, true, err
		}
	}
	n, err := w.primitive(o.class.members[0].Type.Kind, p, rv, null)
	if err != nil || samePrimitive(n, o.vals[0]) {
		return o.Value(), true, err
	}
	if (*node)(o) == old.p && !o.Inline() { // a boxed one may be shared
		fresh, err := w.g.object(o.class, false)
		if err != nil {
			return Value{}, true, err
		}
		o = fresh
	}
	o.vals[0] = n
	w.g.changed = true
	return o.Value(), true, nil
}

func (w *marshaler) sameOr(rv reflect.Value, old Value, why string) (Value, error) {
	if w.unchanged(rv, old) {
		return old, nil
	}
	if old.IsNull() && rv.IsZero() {
		return old, nil
	}
	return Value{}, usage("", ErrUnsupported, "Go %s into %s: %s", rv.Type(), netName(old), why)
}

var guidParts = []Member{
	{"_a", PrimitiveType(KindInt32)}, {"_b", PrimitiveType(KindInt16)}, {"_c", PrimitiveType(KindInt16)},
	{"_d", PrimitiveType(KindByte)}, {"_e", PrimitiveType(KindByte)}, {"_f", PrimitiveType(KindByte)}, {"_g", PrimitiveType(KindByte)},
	{"_h", PrimitiveType(KindByte)}, {"_i", PrimitiveType(KindByte)}, {"_j", PrimitiveType(KindByte)}, {"_k", PrimitiveType(KindByte)},
}

func (w *marshaler) guid(t Type, p *plan, rv reflect.Value, old Value, box bool) (Value, error) {
	if _, isArray := elemType(t); isArray || old.Array() != nil {
		return w.sequence(t, p, rv, old)
	}
	var g clr.Guid
	for i := range g {
		g[i] = byte(rv.Index(i).Uint())
	}
	if was, ok := guidObject(old.Object()); ok && was == g {
		return old, nil
	}
	if nullable := strings.HasPrefix(t.Name, "System.Nullable`1[[System.Guid,"); !nullable && t.Form != FormObject && t.Name != guidClass {
		return Value{}, usage("", ErrType, "Go %s into %s", p.typ, clip(t.String()))
	}
	c, err := w.class(guidClass, "", guidParts...)
	if err != nil {
		return Value{}, err
	}
	o, err := w.g.object(c, !box)
	if err != nil {
		return Value{}, err
	}
	b := g.NET()
	for i, at := 0, 0; i < len(guidParts); i++ {
		kind := guidParts[i].Type.Kind
		o.vals[i] = Value{kind: kind, n: loadFixed(kind, b[at:])}
		at += int(kindSizes[kind])
	}
	w.g.changed = true
	return o.Value(), nil
}

func (w *marshaler) offset(t time.Time, old Value, box bool) (Value, error) {
	if was, ok := dateTimeOffset(old.Object()); ok {
		_, a := was.Zone()
		_, b := t.Zone()
		if was.Equal(t) && a == b {
			return old, nil
		}
	}
	_, seconds := t.Zone()
	utc, err := clr.DateTimeOf(t.UTC())
	if err != nil || seconds%60 != 0 {
		return Value{}, usage("", ErrRange, "%s into System.DateTimeOffset", t)
	}
	utc.Kind = clr.Unspecified
	c, err := w.class("System.DateTimeOffset", "", Member{"DateTime", PrimitiveType(KindDateTime)}, Member{"OffsetMinutes", PrimitiveType(KindInt16)})
	if err != nil {
		return Value{}, err
	}
	o, err := w.g.object(c, !box)
	if err != nil {
		return Value{}, err
	}
	if err := o.Set("DateTime", utc); err != nil {
		return Value{}, err
	}
	return o.Value(), o.Set("OffsetMinutes", int16(seconds/60))
}
