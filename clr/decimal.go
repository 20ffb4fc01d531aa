package clr

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strings"
)

// MaxDecimalScale is the largest number of digits behind the point.
const MaxDecimalScale = 28

// ErrDecimal is wrapped by every error about a Decimal: text that is no
// number, a number over 96 bits or 28 digits of scale, bits that .NET refuses.
var ErrDecimal = errors.New("clr: invalid decimal")

// A Decimal is System.Decimal: a 96-bit integer, a sign and a scale of 0 to 28
// digits behind the point. It is exact and keeps what a float64 would lose:
// trailing zeros (1.10 is not 1.1 to .NET's formatting) and the sign of zero.
//
// The zero value is 0. Two Decimals are == when all their bits are: use
// [Decimal.Cmp] to compare numbers.
type Decimal struct {
	lo, mid, hi uint32
	flags       uint32 // scale in bits 16-23, sign in bit 31, all else 0
}

const decimalSign = 1 << 31

// NewDecimal returns unscaled / 10^scale. It panics when scale is above
// MaxDecimalScale; for numbers wider than 64 bits parse text or bits.
func NewDecimal(unscaled int64, scale uint8) Decimal {
	if scale > MaxDecimalScale {
		panic(fmt.Sprintf("clr: decimal scale %d is above %d", scale, MaxDecimalScale))
	}
	d := Decimal{flags: uint32(scale) << 16}
	u := uint64(unscaled)
	if unscaled < 0 {
		u = -u
		d.flags |= decimalSign
	}
	d.lo, d.mid = uint32(u), uint32(u>>32)
	return d
}

// DecimalFromBits returns the Decimal of decimal.GetBits' four integers: lo,
// mid, hi and flags. It returns ErrDecimal where the .NET constructor throws: a
// scale above 28, or any flag bit besides scale and sign.
func DecimalFromBits(b [4]int32) (Decimal, error) {
	d := Decimal{lo: uint32(b[0]), mid: uint32(b[1]), hi: uint32(b[2]), flags: uint32(b[3])}
	if d.flags&^(decimalSign|0xff<<16) != 0 || d.flags>>16&0xff > MaxDecimalScale {
		return Decimal{}, fmt.Errorf("%w: flags 0x%08x: scale is 0 to 28 in bits 16 to 23, sign in bit 31, all else 0", ErrDecimal, d.flags)
	}
	return d, nil
}

// Bits returns lo, mid, hi and flags, as decimal.GetBits does.
func (d Decimal) Bits() [4]int32 {
	return [4]int32{int32(d.lo), int32(d.mid), int32(d.hi), int32(d.flags)}
}

// Scale is the number of digits behind the point, 0 to 28.
func (d Decimal) Scale() int { return int(d.flags >> 16 & 0xff) }

// Signbit reports whether the sign bit is set; a zero can carry one.
func (d Decimal) Signbit() bool { return d.flags&decimalSign != 0 }

// IsZero reports whether the number is zero, of either sign and any scale.
func (d Decimal) IsZero() bool { return d.lo|d.mid|d.hi == 0 }

// Rat returns the exact number as a fraction; the scale and the sign of zero
// are lost there.
func (d Decimal) Rat() *big.Rat {
	den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale())), nil)
	return new(big.Rat).SetFrac(d.unscaled(), den)
}

func (d Decimal) unscaled() *big.Int {
	n := new(big.Int).SetUint64(uint64(d.hi))
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(uint64(d.mid)<<32|uint64(d.lo)))
	if d.Signbit() {
		n.Neg(n)
	}
	return n
}

// Cmp compares the numbers: -1, 0 or +1. 1.10 and 1.1 are equal, and so are
// 0 and -0.
func (d Decimal) Cmp(e Decimal) int { return d.Rat().Cmp(e.Rat()) }

// String prints every digit of the scale in the invariant culture: "1.10",
// "-0.00". [ParseDecimal] reads it back to the same bits.
func (d Decimal) String() string { return string(d.append(make([]byte, 0, 32))) }

func (d Decimal) append(dst []byte) []byte {
	// Twenty-nine digits at most, produced from the low end.
	var digits [32]byte
	n := len(digits)
	hi, mid, lo := d.hi, d.mid, d.lo
	for written := 0; hi|mid|lo != 0 || written <= d.Scale(); written++ {
		var rem uint32
		hi, rem = bits.Div32(0, hi, 10)
		mid, rem = bits.Div32(rem, mid, 10)
		lo, rem = bits.Div32(rem, lo, 10)
		n--
		digits[n] = byte('0' + rem)
	}
	if d.Signbit() {
		dst = append(dst, '-')
	}
	point := len(digits) - d.Scale()
	dst = append(dst, digits[n:point]...)
	if d.Scale() > 0 {
		dst = append(dst, '.')
		dst = append(dst, digits[point:]...)
	}
	return dst
}

// ParseDecimal reads a number written with an optional sign, digits and an
// optional point: "-1234.50". The digits behind the point become the scale,
// trailing zeros included. Exponents, blanks and group separators are refused,
// as is what needs more than 96 bits or 28 digits of scale: nothing is rounded.
func ParseDecimal(s string) (Decimal, error) {
	var d Decimal
	text := s
	switch {
	case strings.HasPrefix(s, "-"):
		d.flags, s = decimalSign, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	scale, seen, point := 0, 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			return Decimal{}, fmt.Errorf("%w: %.40q: unexpected %q", ErrDecimal, text, c)
		}
		seen++
		if point {
			scale++
		}
		if scale > MaxDecimalScale || !d.pushDigit(c-'0') {
			return Decimal{}, fmt.Errorf("%w: %.40q needs more than 96 bits or 28 digits behind the point", ErrDecimal, text)
		}
	}
	if seen == 0 {
		return Decimal{}, fmt.Errorf("%w: %.40q has no digits", ErrDecimal, text)
	}
	d.flags |= uint32(scale) << 16
	return d, nil
}

// pushDigit multiplies by ten and adds v; false means that 96 bits overflowed.
func (d *Decimal) pushDigit(v byte) bool {
	c, lo := bits.Mul32(d.lo, 10)
	var carry uint32
	d.lo, carry = bits.Add32(lo, uint32(v), 0)
	c += carry
	c2, mid := bits.Mul32(d.mid, 10)
	d.mid, carry = bits.Add32(mid, c, 0)
	c2 += carry
	c3, hi := bits.Mul32(d.hi, 10)
	d.hi, carry = bits.Add32(hi, c2, 0)
	return c3+carry == 0
}

// MarshalText implements encoding.TextMarshaler with String's form, so that
// JSON keeps every digit.
func (d Decimal) MarshalText() ([]byte, error) { return d.append(nil), nil }

// AppendText appends what String returns, at most 31 bytes. It never fails.
func (d Decimal) AppendText(b []byte) ([]byte, error) { return d.append(b), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseDecimal.
func (d *Decimal) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDecimal(string(b))
	return err
}
