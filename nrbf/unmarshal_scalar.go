package nrbf

import (
	"encoding"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aspsession/aspsession/clr"
)

// scalar stores what has no parts in Go.
func (d *unmarshaler) scalar(p *plan, v Value, rv reflect.Value) error {
	switch p.op {
	case opValue:
		*rv.Addr().Interface().(*Value) = v
		return nil
	case opObject:
		if o := v.Object(); o != nil {
			*rv.Addr().Interface().(**Object) = o
			return nil
		}
		return mismatch(v, p.typ)
	case opArrayNode:
		if a := v.Array(); a != nil {
			*rv.Addr().Interface().(**Array) = a
			return nil
		}
		return mismatch(v, p.typ)
	case opStringNode:
		if s := v.Str(); s != nil {
			*rv.Addr().Interface().(**String) = s
			return nil
		}
		return mismatch(v, p.typ)
	case opGuid:
		return d.guid(p, v, rv)
	}
	from := v
	if o := v.Object(); o != nil {
		v = unbox(o)
	}
	switch p.op {
	case opBool:
		if b, ok := v.Bool(); ok {
			rv.SetBool(b)
			return nil
		}
	case opInt:
		switch v.kind {
		case KindInt32, KindInt64, KindInt16, KindSByte, KindByte, KindUInt16, KindUInt32, KindUInt64:
			if n, ok := v.Int(); ok && !rv.OverflowInt(n) {
				rv.SetInt(n)
				return nil
			}
			return outOfRange(v, p.typ)
		}
	case opUint:
		switch v.kind {
		case KindInt32, KindInt64, KindInt16, KindSByte, KindByte, KindUInt16, KindUInt32, KindUInt64:
			if n, ok := v.Uint(); ok && !rv.OverflowUint(n) {
				rv.SetUint(n)
				return nil
			}
			return outOfRange(v, p.typ)
		}
	case opFloat:
		return d.float(p, v, rv)
	case opString:
		if s, ok := d.text(v); ok {
			rv.SetString(s)
			return nil
		}
	case opText:
		if s, ok := v.Text(); ok {
			if err := rv.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
				return usage("", ErrType, "into Go %s: %w", p.typ, err)
			}
			return nil
		}
	case opTime:
		if t, ok := v.DateTime(); ok {
			zone := d.zone
			if t.Kind == clr.Utc {
				zone = time.UTC
			}
			*rv.Addr().Interface().(*time.Time) = t.In(zone)
			return nil
		}
		if t, ok := dateTimeOffset(v.Object()); ok {
			*rv.Addr().Interface().(*time.Time) = t
			return nil
		}
	case opDuration:
		if s, ok := v.TimeSpan(); ok {
			n, ok := s.Duration()
			if !ok {
				return outOfRange(v, p.typ)
			}
			rv.SetInt(int64(n))
			return nil
		}
	case opDecimal:
		if v.kind == KindDecimal {
			n, err := parseDecimal(v.decimalText())
			if err != nil {
				return usage("", ErrCorrupt, "%w", err)
			}
			*rv.Addr().Interface().(*clr.Decimal) = n
			return nil
		}
		if n, ok := v.Int(); ok {
			*rv.Addr().Interface().(*clr.Decimal) = clr.NewDecimal(n, 0)
			return nil
		}
		if n, ok := decimalObject(v.Object()); ok {
			*rv.Addr().Interface().(*clr.Decimal) = n
			return nil
		}
	case opDateTime:
		if t, ok := v.DateTime(); ok {
			*rv.Addr().Interface().(*clr.DateTime) = t
			return nil
		}
	case opTimeSpan:
		if s, ok := v.TimeSpan(); ok {
			rv.SetInt(int64(s))
			return nil
		}
	case opChar:
		if c, ok := v.Char(); ok {
			rv.SetUint(uint64(c))
			return nil
		}
	case opIntPtr:
		if n, ok := v.Object().Get("value").Int(); ok && v.Object().class.name == "System.IntPtr" {
			*rv.Addr().Interface().(*clr.IntPtr) = clr.IntPtr{Value: n}
			return nil
		}
	case opUIntPtr:
		if n, ok := v.Object().Get("value").Uint(); ok && v.Object().class.name == "System.UIntPtr" {
			*rv.Addr().Interface().(*clr.UIntPtr) = clr.UIntPtr{Value: n}
			return nil
		}
	}
	return mismatch(from, p.typ)
}

func (d *unmarshaler) float(p *plan, v Value, rv reflect.Value) error {
	f, ok := v.Float()
	if !ok {
		if n, isInt := v.Int(); isInt {
			f = float64(n)
			if f >= math.MaxInt64 || int64(f) != n {
				return outOfRange(v, p.typ)
			}
		} else if v.kind == KindUInt64 {
			f = float64(v.n)
			if f >= math.MaxUint64 || uint64(f) != v.n {
				return outOfRange(v, p.typ)
			}
		} else {
			return mismatch(v, p.typ)
		}
	}
	if p.typ.Kind() == reflect.Float32 && float64(float32(f)) != f && f == f {
		return outOfRange(v, p.typ)
	}
	rv.SetFloat(f)
	return nil
}

// text is what a Go string takes.
func (d *unmarshaler) text(v Value) (string, bool) {
	switch v.kind {
	case kindNode:
	case KindChar:
		return string(clr.Char(v.n).Rune()), true
	default:
		return "", false
	}
	if s, ok := v.Text(); ok {
		return s, true
	}
	o := v.Object()
	if o == nil {
		return "", false
	}
	switch o.class.name {
	case "System.Uri":
		if s, ok := o.Get("AbsoluteUri").Text(); ok && s != "" {
			return s, true
		}
		return o.Get("RelativeUri").Text()
	case "System.Text.StringBuilder":
		return o.Get("m_StringValue").Text()
	case "System.Version":
		var b strings.Builder
		for i, name := range []string{"_Major", "_Minor", "_Build", "_Revision"} {
			n, ok := o.Get(name).Int()
			if !ok || n < 0 {
				break
			}
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(strconv.FormatInt(n, 10))
		}
		return b.String(), b.Len() > 0
	}
	return "", false
}

// unbox takes an enum's number, or a primitive out of its object: those of the
// root are objects. What is neither stays.
func unbox(o *Object) Value {
	if len(o.vals) == 1 {
		switch m := o.class.members[0].Name; {
		case m == "value__", m == "m_value" && o.class.library == "":
			return o.vals[0]
		case m == "_ticks" && o.class.name == "System.TimeSpan":
			return Value{kind: KindTimeSpan, n: o.vals[0].n}
		}
	}
	if o.class.name == "System.DateTime" && o.class.library == "" {
		if bits, ok := o.Get("dateData").Bits(); ok {
			return Value{kind: KindDateTime, n: bits}
		}
	}
	if o.class.name == "System.TimeSpan" && o.class.library == "" {
		if n, ok := o.Get("_ticks").Int(); ok {
			return Value{kind: KindTimeSpan, n: uint64(n)}
		}
	}
	return o.Value()
}

// decimalObject reads a Decimal that is the root.
func decimalObject(o *Object) (clr.Decimal, bool) {
	if o == nil || o.class.name != "System.Decimal" || o.class.library != "" {
		return clr.Decimal{}, false
	}
	var bits [4]int32
	for i, name := range [4]string{"lo", "mid", "hi", "flags"} {
		n, ok := o.Get(name).Int()
		if !ok || n != int64(int32(n)) {
			return clr.Decimal{}, false
		}
		bits[i] = int32(n)
	}
	d, err := clr.DecimalFromBits(bits)
	return d, err == nil
}

func dateTimeOffset(o *Object) (time.Time, bool) {
	if o == nil || o.class.name != "System.DateTimeOffset" || o.class.library != "" {
		return time.Time{}, false
	}
	t, ok := o.Get("DateTime").DateTime() // in UTC, whatever its kind says
	minutes, ok2 := o.Get("OffsetMinutes").Int()
	if !ok || !ok2 || minutes < -14*60 || minutes > 14*60 {
		return time.Time{}, false
	}
	u := t.In(time.UTC)
	if minutes == 0 {
		return u, true
	}
	return u.In(time.FixedZone("", int(minutes)*60)), true
}

func (d *unmarshaler) guid(p *plan, v Value, rv reflect.Value) error {
	g, ok := guidObject(v.Object())
	if !ok {
		if b := v.Array().Bytes(); len(b) == 16 {
			reflect.Copy(rv, reflect.ValueOf(b))
			return nil
		}
		return mismatch(v, p.typ)
	}
	if p.typ.Elem() == reflect.TypeFor[byte]() {
		reflect.Copy(rv, reflect.ValueOf(g[:]))
		return nil
	}
	for i := range g {
		rv.Index(i).SetUint(uint64(g[i]))
	}
	return nil
}

const guidMembers = "_a_b_c_d_e_f_g_h_i_j_k"

func guidObject(o *Object) (clr.Guid, bool) {
	if o == nil || o.class.name != "System.Guid" || o.class.library != "" {
		return clr.Guid{}, false
	}
	var b [16]byte
	at := 0
	for i := 0; i < len(guidMembers); i += 2 {
		n, ok := o.Get(guidMembers[i : i+2]).Bits()
		if !ok {
			return clr.Guid{}, false
		}
		size := 1
		switch i {
		case 0:
			size = 4
		case 2, 4:
			size = 2
		}
		for k := range size {
			b[at] = byte(n >> (8 * k))
			at++
		}
	}
	return clr.GuidFromNET(b), true
}
