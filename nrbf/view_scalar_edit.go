package nrbf

import (
	"math/big"

	"github.com/aspsession/aspsession/clr"
)

// SetScalar changes the object of a single value in place: x is of the type that
// [ScalarOf] gives for it. For an enum x may also be a number. Everybody who
// refers to the object sees the change; a bare primitive or text is changed
// through what holds it. DBNull, RuntimeType and Culture cannot be changed.
func SetScalar(v Value, x any) error {
	o := v.Object()
	old, ok := ScalarOf(v)
	if o == nil || !ok {
		return usage("scalar", ErrType, "%s cannot be changed in place", describe(v))
	}
	wrong := usage(o.class.name, ErrType, "a Go %T", x)
	if e, ok := old.(EnumValue); ok {
		if y, ok := x.(EnumValue); ok {
			if y.Type != e.Type {
				return usage(o.class.name, ErrType, "a value of %s", clip(y.Type))
			}
			x = y.Value
		}
		return o.Set("value__", x)
	}
	if _, ok := boxed(o); ok {
		return setBoxed(o, x, wrong)
	}
	switch old.(type) {
	case clr.Guid:
		g, ok := x.(clr.Guid)
		if !ok {
			return wrong
		}
		return setGuid(o, g)
	case clr.IntPtr:
		p, ok := x.(clr.IntPtr)
		if !ok {
			return wrong
		}
		return o.Set("value", p.Value)
	case clr.UIntPtr:
		p, ok := x.(clr.UIntPtr)
		if !ok {
			return wrong
		}
		return o.Set("value", p.Value)
	case DateTimeOffset:
		d, ok := x.(DateTimeOffset)
		utc := d.Clock.Ticks - int64(d.Minutes)*600_000_000
		if !ok || d.Minutes < -840 || d.Minutes > 840 || utc < 0 || utc > clr.MaxTicks {
			return wrong
		}
		if err := o.Set("DateTime", clr.DateTime{Ticks: utc}); err != nil {
			return err
		}
		return o.Set("OffsetMinutes", d.Minutes)
	case URI:
		u, ok := x.(URI)
		if !ok {
			return wrong
		}
		return setURI(o, u)
	case Version:
		n, ok := x.(Version)
		if !ok || n.Major < 0 || n.Minor < 0 || n.Build < -1 || n.Revision < -1 || n.Build < 0 && n.Revision >= 0 {
			return wrong
		}
		for i, part := range []int32{n.Major, n.Minor, n.Build, n.Revision} {
			if err := o.Set(versionMembers[i], part); err != nil {
				return err
			}
		}
		return nil
	case Text:
		t, ok := x.(Text)
		if !ok {
			return wrong
		}
		if err := o.Set("m_StringValue", t.Text); err != nil {
			return err
		}
		units := 0 // .NET refuses a capacity below the length
		for _, r := range t.Text {
			if units++; r > 0xffff {
				units++
			}
		}
		return o.Set("Capacity", max(int(t.Capacity), units))
	case Complex:
		c, ok := x.(Complex)
		if !ok {
			return wrong
		}
		if err := o.Set("m_real", c.Re); err != nil {
			return err
		}
		return o.Set("m_imaginary", c.Im)
	case *big.Int:
		n, ok := x.(*big.Int)
		if !ok {
			return wrong
		}
		return setBig(o, n)
	}
	return usage(o.class.name, ErrUnsupported, "it cannot be changed in place")
}

// setBoxed changes a primitive in an object of its own.
func setBoxed(o *Object, x any, wrong error) error {
	switch o.class.name {
	case "System.Decimal":
		d, ok := x.(clr.Decimal)
		if !ok {
			return wrong
		}
		bits := d.Bits()
		for i, name := range decimalMembers {
			if err := o.Set(name, bits[i]); err != nil {
				return err
			}
		}
		return nil
	case "System.DateTime":
		d, ok := x.(clr.DateTime)
		if !ok || d.Ticks < 0 || d.Ticks > clr.MaxTicks || d.Kind > clr.Local {
			return wrong
		}
		if o.Get("ticks").Exists() {
			if err := o.Set("ticks", d.Ticks); err != nil {
				return err
			}
		}
		if !o.Get("dateData").Exists() {
			return nil
		}
		return o.Set("dateData", uint64(d.Kind)<<62|uint64(d.Ticks))
	case "System.TimeSpan":
		t, ok := x.(clr.TimeSpan)
		if !ok {
			return wrong
		}
		return o.Set("_ticks", int64(t))
	}
	return o.Set("m_value", x)
}

func setGuid(o *Object, g clr.Guid) error {
	b := g.NET()
	at := 0
	for i := range 11 {
		size := [11]int{4, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1}[i]
		var n uint64
		for k := range size {
			n |= uint64(b[at+k]) << (8 * k)
		}
		at += size
		var v any = uint8(n)
		switch size {
		case 4:
			v = int32(uint32(n))
		case 2:
			v = int16(uint16(n))
		}
		if err := o.SetMember(i, v); err != nil {
			return err
		}
	}
	return nil
}

// setURI follows Uri.GetObjectData: an absolute one has AbsoluteUri alone.
func setURI(o *Object, u URI) error {
	relative := o.Get("RelativeUri").Exists()
	switch {
	case u.Absolute && relative:
		return usage(o.class.name, ErrUnsupported, "a relative address cannot become an absolute one")
	case u.Absolute:
		if u.Text == "" {
			return usage(o.class.name, ErrType, "an absolute address cannot be empty")
		}
		return o.Set("AbsoluteUri", u.Text)
	case relative:
		return o.Set("RelativeUri", u.Text)
	}
	if err := addMember(o, Member{"RelativeUri", StringType()}, u.Text); err != nil {
		return err
	}
	return o.Set("AbsoluteUri", "")
}

// setBig writes a number as .NET does: in _sign alone if an int other than the
// least holds it, else sign and magnitude.
func setBig(o *Object, n *big.Int) error {
	if n.IsInt64() && n.Int64() > -1<<31 && n.Int64() < 1<<31 {
		if err := o.Set("_bits", nil); err != nil {
			return err
		}
		return o.Set("_sign", int32(n.Int64()))
	}
	b := new(big.Int).Abs(n).Bytes()
	words := make([]uint32, (len(b)+3)/4)
	for i := range b {
		words[i/4] |= uint32(b[len(b)-1-i]) << (8 * (i % 4))
	}
	a, err := NewPrimitives(o.g, words)
	if err != nil {
		return err
	}
	if err := o.Set("_bits", a); err != nil {
		return err
	}
	return o.Set("_sign", int32(n.Sign()))
}
