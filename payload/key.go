package payload

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"unicode"
	"unicode/utf8"
)

// Keys are equal without case. .NET compares by the invariant culture's
// collation, whose tables differ between Windows versions; Unicode simple
// folding is close, and exact for ASCII.

// keyHash is the same for all spellings of a key: a quick no for most keys that
// differ. The mask folds ASCII letters and, harmlessly, a few other characters.
func keyHash(k []byte) uint32 {
	const fold, prime = 0x2020202020202020, 0x9e3779b97f4a7c15
	le := binary.LittleEndian
	h := uint64(len(k))
	for i := 0; i < len(k); i += 8 {
		var w uint64
		switch left := k[i:]; {
		case len(left) >= 8:
			w = le.Uint64(left)
		case len(left) >= 4: // the two halves may overlap
			w = uint64(le.Uint32(left)) | uint64(le.Uint32(left[len(left)-4:]))<<32
		default:
			for _, c := range left {
				w = w<<8 | uint64(c)
			}
		}
		if w&0x8080808080808080 != 0 {
			return keyHashUnicode(k)
		}
		h = (h ^ (w | fold)) * prime
		h ^= h >> 32
	}
	return uint32(h)
}

// keyHashUnicode hashes the folded spelling, which for a key such as one with
// the Kelvin sign may be all ASCII.
func keyHashUnicode(k []byte) uint32 {
	var buf [64]byte
	folded, ascii := foldKey(buf[:0], k)
	if ascii {
		return keyHash(folded)
	}
	h := uint32(2166136261)
	for _, c := range folded {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// slotHash places a key in a table. Keys come from outside: with a hash that can
// be computed in advance, a page that puts its users' text into names would let
// them make every search a long one.
func slotHash(k []byte) int {
	var buf [64]byte
	folded, _ := foldKey(buf[:0], k)
	return int(maphash.Bytes(seed, folded) >> 1)
}

var seed = maphash.MakeSeed()

// foldKey adds the spelling that all spellings of a key share.
func foldKey(dst, k []byte) (folded []byte, ascii bool) {
	ascii = true
	for len(k) > 0 {
		r, n := rune(k[0]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(k)
			r = foldRune(r)
			ascii = ascii && r < utf8.RuneSelf
		}
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		dst = utf8.AppendRune(dst, r)
		k = k[n:]
	}
	return dst, ascii
}

// foldRune is the smallest rune of r's folding orbit.
func foldRune(r rune) rune {
	low := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		low = min(low, f)
	}
	return low
}

func sameKey(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	return bytes.EqualFold(a, b)
}
