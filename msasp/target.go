package msasp

import (
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendTarget adds a key URL-encoded as .NET does (HttpUtility.UrlEncode): UTF-8,
// space as +, and all but letters, digits and -_.!*() as % and two lower-case
// hex digits, slashes too. It is how ASP.NET 2.0 and later send it.
func AppendTarget(dst []byte, key string) []byte {
	for i := range len(key) {
		switch c := key[i]; {
		case plainByte[c]:
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}

var plainByte = func() (t [256]bool) {
	for c := range t {
		b := byte(c)
		t[c] = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' ||
			b == '-' || b == '_' || b == '.' || b == '!' || b == '*' || b == '(' || b == ')'
	}
	return t
}()

// AppendKey adds the key that a target stands for: one of two leading slashes
// dropped (.NET 1.x sends one too many), then decoded leniently, malformed
// escapes kept as text. Keys are compared byte for byte: ROOT and Root are
// different applications.
func AppendKey(dst, target []byte) []byte {
	if len(target) >= 2 && target[0] == '/' && target[1] == '/' {
		target = target[1:]
	}
	for i := 0; i < len(target); i++ {
		c := target[i]
		switch {
		case c == '+':
			dst = append(dst, ' ')
		case c == '%' && i+5 < len(target) && target[i+1] == 'u':
			u, ok := hexUnit(target[i+2 : i+6])
			if !ok {
				dst = append(dst, c)
				continue
			}
			i += 5
			r := rune(u)
			if utf16.IsSurrogate(r) && i+6 < len(target) && target[i+1] == '%' && target[i+2] == 'u' {
				if low, ok := hexUnit(target[i+3 : i+7]); ok {
					if pair := utf16.DecodeRune(r, rune(low)); pair != utf8.RuneError {
						r = pair
						i += 6
					}
				}
			}
			dst = utf8.AppendRune(dst, r) // half of a pair is U+FFFD
		case c == '%' && i+2 < len(target) && hexValue(target[i+1]) >= 0 && hexValue(target[i+2]) >= 0:
			dst = append(dst, byte(hexValue(target[i+1])<<4|hexValue(target[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func hexUnit(b []byte) (u int, ok bool) {
	for _, c := range b {
		v := hexValue(c)
		if v < 0 {
			return 0, false
		}
		u = u<<4 | v
	}
	return u, true
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
