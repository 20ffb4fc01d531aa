package cookieless

import (
	"strings"
)

// Paths here are escaped, as the client sent them: only a literal slash parts
// segments, so that an encoded one cannot move a boundary.

// under returns how many bytes of an escaped path are the application path. The
// path may spell it in any case and with escapes, slashes excepted.
func under(path, app string) (n int, ok bool) {
	for j := range len(app) {
		b, size := char(path[n:])
		if size == 0 || lower(b) != lower(app[j]) || b == '/' && size != 1 {
			return 0, false
		}
		n += size
	}
	return n, n == len(path) || path[n] == '/'
}

// char decodes the first byte of an escaped path; size is 0 at its end.
func char(path string) (b byte, size int) {
	if path == "" {
		return 0, 0
	}
	if path[0] == '%' && len(path) >= 3 {
		if hi, lo := hex(path[1]), hex(path[2]); hi >= 0 && lo >= 0 {
			return byte(hi<<4 | lo), 3
		}
	}
	return path[0], 1
}

func hex(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= lower(b) && lower(b) <= 'f':
		return int(lower(b)-'a') + 10
	}
	return -1
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// unescape decodes an escaped path. Broken escapes stay as they are.
func unescape(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	var out strings.Builder
	out.Grow(len(path))
	for path != "" {
		b, size := char(path)
		out.WriteByte(b)
		path = path[size:]
	}
	return out.String()
}

// escape encodes the bytes in set, blanks, and all that is not printable ASCII.
func escape(s, set string) string {
	plain := func(b byte) bool { return b > ' ' && b < 0x7f && strings.IndexByte(set, b) < 0 }
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)+8), s[:i]...)
	for ; i < len(s); i++ {
		if plain(s[i]) {
			out = append(out, s[i])
		} else {
			const digits = "0123456789ABCDEF"
			out = append(out, '%', digits[s[i]>>4], digits[s[i]&15])
		}
	}
	return string(out)
}

// segmentAt parses the segment that rest, a slash and what follows, starts with.
// It must have a slash behind it, as in ASP.NET. size is its length with the
// slash in front.
func segmentAt(rest string) (m Modifiers, size int, ok bool) {
	if len(rest) < len("/(X())/") || rest[0] != '/' || rest[1] != '(' && rest[1] != '%' {
		return Modifiers{}, 0, false
	}
	end := strings.IndexByte(rest[1:], '/')
	if end < 0 {
		return Modifiers{}, 0, false
	}
	m, ok = ParseModifiers(unescape(rest[1 : 1+end]))
	return m, 1 + end, ok
}

// find looks for the segment in an escaped path whose first n bytes are the
// application path: there, or from the right anywhere.
func find(path string, n int, anywhere bool) (m Modifiers, start, size int, ok bool) {
	if !anywhere {
		m, size, ok = segmentAt(path[n:])
		return m, n, size, ok
	}
	for end := len(path); end > n; {
		start = strings.LastIndexByte(path[:end], '/')
		if start < n {
			break
		}
		if m, size, ok = segmentAt(path[start:]); ok {
			return m, start, size, true
		}
		end = start
	}
	return Modifiers{}, 0, 0, false
}

// oneSlash leaves one of the slashes that rest starts with.
func oneSlash(rest string) string {
	for len(rest) > 1 && rest[0] == '/' && rest[1] == '/' {
		rest = rest[1:]
	}
	return rest
}

// unsafe reports what browsers drop from URLs, or servers from headers.
func unsafe(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// Browsers take escaped dots for dots.

func isDot(segment string) bool {
	return segment == "." || len(segment) == 3 && strings.EqualFold(segment, "%2e")
}

func isDotDot(segment string) bool {
	switch len(segment) {
	case 2:
		return segment == ".."
	case 4:
		return strings.EqualFold(segment, ".%2e") || strings.EqualFold(segment, "%2e.")
	case 6:
		return strings.EqualFold(segment, "%2e%2e")
	}
	return false
}

// hasDots reports a dot segment in a path.
func hasDots(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if isDot(segment) || isDotDot(segment) {
			return true
		}
	}
	return false
}

// reduce removes dot segments and empty ones from a rooted path. It never climbs
// above the root, and the result starts with exactly one slash.
func reduce(path string) string {
	out := make([]byte, 0, len(path)+1)
	slash := true
	for segment := range strings.SplitSeq(path[1:], "/") {
		slash = false
		switch {
		case segment == "" || isDot(segment):
			slash = true
		case isDotDot(segment):
			slash = true
			for len(out) > 0 {
				last := out[len(out)-1]
				out = out[:len(out)-1]
				if last == '/' {
					break
				}
			}
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	if slash {
		out = append(out, '/')
	}
	return string(out)
}
