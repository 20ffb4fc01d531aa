package sqlservertest

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// tokens cuts T-SQL into what matters for recognising it: comments, semicolons,
// brackets, the N of literals and the schema dbo are dropped; all but literals
// is lower case. A literal keeps its opening quote, so that it is no name.
func tokens(text string) []string {
	var out []string
	for rest := []rune(text); len(rest) > 0; {
		c := rest[0]
		n := 1
		switch {
		case unicode.IsSpace(c) || c == ';':
		case c == '-' && len(rest) > 1 && rest[1] == '-':
			for n < len(rest) && rest[n] != '\n' {
				n++
			}
		case c == '/' && len(rest) > 1 && rest[1] == '*':
			n = comment(rest)
		case c == '\'' || (c == 'N' || c == 'n') && len(rest) > 1 && rest[1] == '\'':
			var lit string
			start := 0
			if c != '\'' {
				start = 1
			}
			lit, n = quoted(rest[start:], '\'')
			n += start
			out = append(out, "'"+lit)
		case c == '[' || c == '"':
			end := c
			if c == '[' {
				end = ']'
			}
			var name string
			name, n = quoted(rest, end)
			out = append(out, strings.ToLower(name))
		case c == '{': // of patterns
			for n < len(rest) && rest[n-1] != '}' {
				n++
			}
			out = append(out, string(rest[:n]))
		case c == '.' && len(rest) > 2 && rest[1] == '.' && rest[2] == '.':
			n = 3
			out = append(out, "...")
		case word(c):
			for n < len(rest) && word(rest[n]) {
				n++
			}
			out = append(out, strings.ToLower(string(rest[:n])))
		case c == '.' && len(out) > 0 && out[len(out)-1] == "dbo":
			out = out[:len(out)-1]
		default:
			out = append(out, string(c))
		}
		rest = rest[n:]
	}
	return out
}

func word(c rune) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_' || c == '@' || c == '#' || c == '$'
}

// comment is the length of a block comment; T-SQL nests them.
func comment(rest []rune) int {
	depth := 0
	for i := 0; i+1 < len(rest); i++ {
		switch {
		case rest[i] == '/' && rest[i+1] == '*':
			depth, i = depth+1, i+1
		case rest[i] == '*' && rest[i+1] == '/':
			if depth, i = depth-1, i+1; depth == 0 {
				return i + 1
			}
		}
	}
	return len(rest)
}

// quoted reads up to the end mark; a doubled one stands for itself.
func quoted(rest []rune, end rune) (string, int) {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if rest[i] == end {
			if i+1 == len(rest) || rest[i+1] != end {
				return b.String(), i + 1
			}
			i++
		}
		b.WriteRune(rest[i])
	}
	return b.String(), len(rest)
}

// A pattern recognises a text by its tokens. "..." stands for any tokens, {name}
// for a name of one or more parts, {'name} for a literal.
type pattern struct {
	segments [][]string // between the gaps
}

func compile(text string) pattern {
	p := pattern{segments: [][]string{nil}}
	for _, tok := range tokens(text) {
		if tok == "..." {
			p.segments = append(p.segments, nil)
			continue
		}
		last := len(p.segments) - 1
		p.segments[last] = append(p.segments[last], tok)
	}
	return p
}

// match returns what the braces stand for.
func (p pattern) match(toks []string) (map[string]string, bool) {
	found := map[string]string{}
	n, ok := matchHere(p.segments[0], toks, found)
	if !ok {
		return nil, false
	}
	toks = toks[n:]
	for i, seg := range p.segments[1:] {
		last := i == len(p.segments)-2
		for {
			n, ok = matchHere(seg, toks, found)
			if ok && last && n != len(toks) && len(seg) > 0 {
				ok = false // the last one ends the text
			}
			if ok || len(toks) == 0 {
				break
			}
			toks = toks[1:]
		}
		if !ok {
			return nil, false
		}
		if last && len(seg) == 0 {
			n = len(toks)
		}
		toks = toks[n:]
	}
	return found, len(toks) == 0
}

// matchHere says how many tokens a segment takes at the front.
func matchHere(seg, toks []string, found map[string]string) (int, bool) {
	at := 0
	for _, want := range seg {
		if at == len(toks) {
			return 0, false
		}
		switch name, brace := strings.CutPrefix(want, "{"); {
		case !brace:
			if toks[at] != want {
				return 0, false
			}
			at++
		case strings.HasPrefix(name, "'"):
			if !strings.HasPrefix(toks[at], "'") {
				return 0, false
			}
			found[strings.Trim(name, "'}")] = toks[at][1:]
			at++
		default:
			n := nameLength(toks[at:])
			if n == 0 {
				return 0, false
			}
			found[strings.TrimSuffix(name, "}")] = toks[at+n-1]
			at += n
		}
	}
	return at, true
}

// nameLength counts the tokens of a name such as a.b.c at the front, 0 for none.
// The last of them is the object.
func nameLength(toks []string) int {
	n := 0
	for n < len(toks) && !strings.HasPrefix(toks[n], "'") && word([]rune(toks[n] + "'")[0]) {
		n++
		if n+1 >= len(toks) || toks[n] != "." {
			return n
		}
		for n < len(toks) && toks[n] == "." {
			n++
		}
	}
	return n
}

// splitName takes a procedure's name apart: db.schema.name with or without
// brackets, any part but the last missing.
func splitName(name string) (db, object string) {
	toks := tokens(name)
	toks = slices.DeleteFunc(toks, func(t string) bool { return t == "." })
	switch len(toks) {
	case 0:
		return "", ""
	case 1:
		return "", toks[0]
	}
	return toks[0], toks[len(toks)-1]
}

// excerpt is the beginning of a text for an error.
func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 200 {
		return fmt.Sprintf("%s... (%d characters)", string(r[:200]), len(r))
	}
	return text
}
