package payload

import (
	"strings"
	"unicode/utf8"
)

// decodeText reads UTF-8 as .NET Framework's BinaryReader does, which matters
// only for bytes that are no UTF-8: a byte that can start nothing is U+FFFD; so
// are, together, a start and a continuation that make an overlong form, a
// surrogate or more than U+10FFFF; so is a sequence broken off by another
// character. A sequence broken off by the end vanishes.
func decodeText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	s.Grow(len(b) + 8)
	for len(b) > 0 {
		r, n, ok := decodeRune(b)
		if !ok && n == len(b) && incomplete(b) {
			break
		}
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}

// decodeRune returns the next character and its size; ok is false where it is a
// replacement for broken bytes.
func decodeRune(b []byte) (r rune, size int, ok bool) {
	if r, size = utf8.DecodeRune(b); r != utf8.RuneError || size > 1 {
		return r, size, true
	}
	need := sequence(b[0])
	if need == 0 || len(b) == 1 || !continuation(b[1]) {
		return utf8.RuneError, 1, false
	}
	// Two bytes that no character starts with go together.
	if impossible(b[0], b[1]) {
		return utf8.RuneError, 2, false
	}
	n := 2
	for n < need && n < len(b) && continuation(b[n]) {
		n++
	}
	return utf8.RuneError, n, false
}

// sequence is the length that a first byte announces; 0 where it starts nothing.
func sequence(c byte) int {
	switch {
	case c >= 0xc2 && c <= 0xdf:
		return 2
	case c >= 0xe0 && c <= 0xef:
		return 3
	case c >= 0xf0 && c <= 0xf4:
		return 4
	}
	return 0
}

func continuation(c byte) bool { return c&0xc0 == 0x80 }

// impossible reports an overlong form, a surrogate or more than U+10FFFF.
func impossible(a, b byte) bool {
	switch a {
	case 0xe0:
		return b < 0xa0
	case 0xed:
		return b >= 0xa0
	case 0xf0:
		return b < 0x90
	case 0xf4:
		return b >= 0x90
	}
	return false
}

// incomplete reports that b is the proper beginning of one character.
func incomplete(b []byte) bool {
	need := sequence(b[0])
	if len(b) >= need {
		return false
	}
	for _, c := range b[1:] {
		if !continuation(c) {
			return false
		}
	}
	return len(b) < 2 || !impossible(b[0], b[1])
}
