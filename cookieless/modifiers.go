package cookieless

import (
	"errors"
	"fmt"
	"strings"
)

// ErrValue: a letter or value that cannot stand in a path segment.
var ErrValue = errors.New("cookieless: not a modifier")

// Modifiers is the content of a segment: letters with values, in order. The zero
// value has none. It is immutable and comparable.
type Modifiers struct {
	segment string // with the outer parentheses, or ""
}

// ParseModifiers reads a whole segment, decoded, with its outer parentheses:
// "(A(..)S(..))". It reports false for everything else, the form of .NET 1.x
// without inner parentheses included.
func ParseModifiers(segment string) (Modifiers, bool) {
	if len(segment) < len("(X())") || segment[0] != '(' || segment[len(segment)-1] != ')' {
		return Modifiers{}, false
	}
	for rest := segment[1 : len(segment)-1]; rest != ""; {
		_, value, more, ok := next(rest)
		if !ok || strings.IndexByte(value, '/') >= 0 {
			return Modifiers{}, false
		}
		rest = more
	}
	return Modifiers{segment}, true
}

// next takes the first modifier off a list.
func next(list string) (letter byte, value, rest string, ok bool) {
	if len(list) < len("X()") || list[0] < 'A' || list[0] > 'Z' || list[1] != '(' {
		return 0, "", "", false
	}
	end := strings.IndexByte(list, ')')
	if end < 0 {
		return 0, "", "", false
	}
	return list[0], list[2:end], list[end+1:], true
}

// list is the segment without the outer parentheses.
func (m Modifiers) list() string {
	if m.segment == "" {
		return ""
	}
	return m.segment[1 : len(m.segment)-1]
}

// IsEmpty reports that there is no modifier.
func (m Modifiers) IsEmpty() bool { return m.segment == "" }

// Get returns the value of a letter; of several the first counts.
func (m Modifiers) Get(letter byte) (value string, ok bool) {
	for rest := m.list(); rest != ""; {
		l, value, more, _ := next(rest)
		if l == letter {
			return value, true
		}
		rest = more
	}
	return "", false
}

// With returns the list without what it had of the letter, and with the new value
// at its end, as ASP.NET does. A letter other than A to Z, or a value with ) or /,
// is ErrValue.
func (m Modifiers) With(letter byte, value string) (Modifiers, error) {
	if letter < 'A' || letter > 'Z' {
		return m, fmt.Errorf("%w: letter %q is not A to Z", ErrValue, letter)
	}
	if strings.ContainsAny(value, ")/") {
		return m, fmt.Errorf("%w: the value for %c holds ) or /", ErrValue, letter)
	}
	var b strings.Builder
	b.Grow(len(m.segment) + len(value) + len("(X())"))
	b.WriteByte('(')
	for rest := m.list(); rest != ""; {
		l, _, more, _ := next(rest)
		if l != letter {
			b.WriteString(rest[:len(rest)-len(more)])
		}
		rest = more
	}
	b.WriteByte(letter)
	b.WriteByte('(')
	b.WriteString(value)
	b.WriteString("))")
	return Modifiers{b.String()}, nil
}

// String is the segment, "(A(..)S(..))", or "" without modifiers.
func (m Modifiers) String() string { return m.segment }

// escaped is the segment as it stands in a URL.
func (m Modifiers) escaped() string { return escape(m.segment, pathEscapes) }
