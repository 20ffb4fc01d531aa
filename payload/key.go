package payload

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// Keys are equal without case. .NET compares by the invariant culture's
// collation, whose tables differ between Windows versions; Unicode simple
// folding is close, and exact for ASCII.

// keyHash is the same for all spellings of a key. The mask folds ASCII letters
// and, harmlessly, a few other characters.
func keyHash(k []byte) uint32 {
	const fold, prime = 0x2020202020202020, 0x9e3779b97f4a7c15
	h := uint64(len(k))
	for i := 0; i < len(k); {
		var w uint64
		if len(k)-i >= 8 {
			w = binary.LittleEndian.Uint64(k[i:])
			i += 8
		} else {
			for s := 0; i < len(k); i, s = i+1, s+8 {
				w |= uint64(k[i]) << s
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
	folded, ascii := buf[:0], true
	for len(k) > 0 {
		r, n := utf8.DecodeRune(k)
		r = foldRune(r)
		ascii = ascii && r < utf8.RuneSelf
		folded = utf8.AppendRune(folded, r)
		k = k[n:]
	}
	if ascii {
		return keyHash(folded)
	}
	h := uint32(2166136261)
	for _, c := range folded {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
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
