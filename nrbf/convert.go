package nrbf

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/aspsession/aspsession/clr"
)

// convert makes a Value of a Go value for a place of type t. A Go int takes the
// declared integer type if it fits; nothing else is converted.
func (g *Graph) convert(v any, t Type, what string) (Value, error) {
	val, err := g.valueOf(v, t, what)
	if err != nil {
		return Value{}, err
	}
	return val, t.accepts(val, what)
}

func (g *Graph) valueOf(v any, t Type, what string) (Value, error) {
	switch v := v.(type) {
	case nil:
		return null, nil
	case Value:
		switch v.kind {
		case KindNone:
			return Value{}, usage(what, ErrType, "a value that is not there")
		case KindNull:
			return null, nil
		case kindNode:
			return g.own(v.p, what)
		}
		return v, nil
	case *Object:
		return g.own((*node)(v), what)
	case *Array:
		return g.own((*node)(v), what)
	case *String:
		return g.own((*node)(v), what)
	case string:
		if !utf8.ValidString(v) || len(v) > g.opt.StringBytes {
			return Value{}, usage(what, ErrType, "a string that is not UTF-8 or over the limit")
		}
		return g.NewString(v).Value(), nil
	case int:
		return fitInt(v, t, what)
	case float32:
		return Value{kind: KindSingle, n: uint64(math.Float32bits(v))}, nil
	case float64:
		return Value{kind: KindDouble, n: math.Float64bits(v)}, nil
	case bool:
		if v {
			return Value{kind: KindBoolean, n: 1}, nil
		}
		return Value{kind: KindBoolean}, nil
	case int8:
		return Value{kind: KindSByte, n: uint64(v)}, nil
	case int16:
		return Value{kind: KindInt16, n: uint64(v)}, nil
	case int32:
		return Value{kind: KindInt32, n: uint64(v)}, nil
	case int64:
		return Value{kind: KindInt64, n: uint64(v)}, nil
	case uint8:
		return Value{kind: KindByte, n: uint64(v)}, nil
	case uint16:
		return Value{kind: KindUInt16, n: uint64(v)}, nil
	case uint32:
		return Value{kind: KindUInt32, n: uint64(v)}, nil
	case uint64:
		return Value{kind: KindUInt64, n: v}, nil
	case clr.Char:
		if v.IsSurrogate() {
			return Value{}, usage(what, ErrType, "half of a surrogate pair has no form in a stream")
		}
		return Value{kind: KindChar, n: uint64(v)}, nil
	case clr.TimeSpan:
		return Value{kind: KindTimeSpan, n: uint64(v)}, nil
	case clr.DateTime:
		if v.Ticks < 0 || v.Ticks > clr.MaxTicks || v.Kind > clr.Local {
			return Value{}, usage(what, ErrType, "a DateTime of %d ticks, kind %d", v.Ticks, v.Kind)
		}
		return Value{kind: KindDateTime, n: uint64(v.Kind)<<62 | uint64(v.Ticks)}, nil
	case clr.Decimal:
		return g.decimal(v), nil
	}
	return Value{}, usage(what, ErrType, "a Go %T", v)
}

// decimal makes a value of the text that a stream has for it. The texts of some
// stand in one block: what stands there already is never written again, so that
// a Value may be read while others are made.
func (g *Graph) decimal(d clr.Decimal) Value {
	const longest, block = 32, 512
	if g.decimals == nil || len(g.decimals.arr.data)-g.decimalsUsed < longest {
		g.decimals, g.decimalsUsed = &node{arr: &shape{data: make([]byte, block)}}, 0
	}
	from := g.decimalsUsed
	text, _ := d.AppendText(g.decimals.arr.data[from:from]) // never fails
	g.decimalsUsed += len(text)
	return Value{kind: KindDecimal, n: uint64(from)<<32 | uint64(len(text)), p: g.decimals}
}

// own refuses nodes of another graph: their ids mean nothing here.
func (g *Graph) own(n *node, what string) (Value, error) {
	if n == nil {
		return null, nil
	}
	if n.g != g {
		return Value{}, usage(what, ErrType, "%s %d belongs to another graph", n.kind, n.id)
	}
	return n.value(), nil
}

var intRanges = map[Kind][2]int64{
	KindSByte: {math.MinInt8, math.MaxInt8}, KindByte: {0, math.MaxUint8},
	KindInt16: {math.MinInt16, math.MaxInt16}, KindUInt16: {0, math.MaxUint16},
	KindInt32: {math.MinInt32, math.MaxInt32}, KindUInt32: {0, math.MaxUint32},
	KindInt64: {math.MinInt64, math.MaxInt64}, KindUInt64: {0, math.MaxInt64},
}

func fitInt(v int, t Type, what string) (Value, error) {
	kind := KindInt32 // as a literal in C#
	if t.Form == FormPrimitive {
		kind = t.Kind
	}
	r, ok := intRanges[kind]
	if !ok || int64(v) < r[0] || int64(v) > r[1] {
		return Value{}, usage(what, ErrType, "%d as %s", v, kind)
	}
	return Value{kind: kind, n: uint64(v)}, nil
}

// accepts checks what .NET would refuse, as far as the stream can tell: it does
// not know which classes are derived from which.
func (t Type) accepts(v Value, what string) error {
	kind := v.Kind()
	ok := true
	switch t.Form {
	case FormPrimitive:
		ok = kind == t.Kind
	case FormString:
		ok = kind == KindNull || kind == KindString
	case FormObjectArray, FormStringArray, FormPrimitiveArray:
		ok = kind == KindNull
		if a := v.Array(); a != nil {
			e := a.Elem()
			switch t.Form {
			case FormStringArray:
				ok = e.Form == FormString
			case FormPrimitiveArray:
				ok = e.Form == FormPrimitive && e.Kind == t.Kind
			default:
				ok = e.Form != FormPrimitive
			}
		}
	}
	if !ok {
		return usage(what, ErrType, "%s, declared %s", describe(v), t)
	}
	return nil
}

func describe(v Value) string {
	switch v.Kind() {
	case KindObject, KindArray:
		return clip(v.String())
	}
	return fmt.Sprint(v.Kind())
}
