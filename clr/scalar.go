package clr

import (
	"strconv"
	"unicode/utf8"
)

// A Char is System.Char: one UTF-16 code unit. Half of a surrogate pair is a
// legal Char in memory, but no session item can hold it.
type Char uint16

// IsSurrogate reports half of a pair, U+D800 to U+DFFF.
func (c Char) IsSurrogate() bool { return c >= 0xd800 && c <= 0xdfff }

// Rune returns the code unit as a rune; half of a pair is U+FFFD.
func (c Char) Rune() rune {
	if c.IsSurrogate() {
		return utf8.RuneError
	}
	return rune(c)
}

func (c Char) String() string { return string(c.Rune()) }

// An IntPtr is System.IntPtr. A process of 32 bits stores four bytes and one of
// 64 bits eight, and neither can read the other's; Narrow remembers which, so
// that what was read is written back at its width.
type IntPtr struct {
	Value  int64
	Narrow bool // four bytes: the writer is a 32-bit process
}

func (p IntPtr) String() string { return strconv.FormatInt(p.Value, 10) }

// A UIntPtr is System.UIntPtr; see IntPtr for its width.
type UIntPtr struct {
	Value  uint64
	Narrow bool // four bytes: the writer is a 32-bit process
}

func (p UIntPtr) String() string { return strconv.FormatUint(p.Value, 10) }
