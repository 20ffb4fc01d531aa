package sqlserver

import "strings"

// A keyValue is one part of a connection string, the keyword in lower case.
type keyValue struct{ key, value string }

// splitADO takes a connection string apart as System.Data.Common's
// DbConnectionOptions does: keyword=value parts between semicolons. A value that
// begins with ' or " ends at the next one, which doubled stands for itself; in
// any other, quotes are characters. A doubled = in a keyword stands for one.
func splitADO(s string) ([]keyValue, error) {
	var out []keyValue
	for n := 1; ; n++ {
		s = strings.TrimLeft(s, " \t\r\n\v\f;")
		if strings.TrimRight(s, "\x00") == "" {
			return out, nil
		}
		key, rest, ok := cutKeyword(s)
		if !ok {
			return nil, stringError("part %d has no \"=\"", n)
		}
		key = strings.ToLower(strings.TrimSpace(key))
		if key == "" {
			return nil, stringError("part %d has no keyword before its \"=\"", n)
		}
		if strings.ContainsRune(key, 0) {
			return nil, stringError("part %d: a NUL in the keyword", n)
		}
		value, rest, why := cutValue(strings.TrimLeft(rest, " \t\r\n\v\f"))
		if why != "" {
			return nil, stringError("part %d: %s", n, why)
		}
		out = append(out, keyValue{key, value})
		s = rest
	}
}

// cutKeyword ends at the first single equals sign.
func cutKeyword(s string) (key, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == ';':
			return "", "", false
		case s[i] != '=':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '=':
			b.WriteByte('=')
			i++
		default:
			return b.String(), s[i+1:], true
		}
	}
	return "", "", false
}

// cutValue returns the value and what follows its semicolon; why is not empty
// where it cannot be read.
func cutValue(s string) (value, rest, why string) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		value, rest, _ = strings.Cut(s, ";")
		return strings.TrimRight(value, " \t\r\n\v\f\x00"), rest, ""
	}
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		rest = strings.TrimLeft(s[i+1:], " \t\r\n\v\f\x00")
		if rest != "" && rest[0] != ';' {
			return "", "", "there is more behind the closing quote"
		}
		return b.String(), strings.TrimPrefix(rest, ";"), ""
	}
	return "", "", "the quote that opens its value is never closed"
}
