package htmlrewrite

import (
	"bytes"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/aspsession/aspsession/cookieless"
)

// An attribute is where name and value of one stand in its tag.
type attribute struct{ nameFrom, nameTo, from, to int }

func (a attribute) name(tag []byte) []byte { return tag[a.nameFrom:a.nameTo] }

// attributes yields the attributes of a start tag that have a value.
func attributes(tag []byte) iter.Seq[attribute] {
	return func(yield func(attribute) bool) {
		var (
			s    scanner
			a    attribute
			name [16]byte
		)
		s.name = name[:0]
		for i, b := range tag {
			was := s.state
			s.step(b)
			if was == s.state {
				continue
			}
			switch {
			case s.state == attrName:
				a.nameFrom = i
			case was == attrName:
				a.nameTo = i
			case s.state == quoted:
				a.from = i + 1
			case s.state == unquoted:
				a.from = i
			case was == quoted, was == unquoted:
				if a.to = i; !yield(a) {
					return
				}
			}
		}
	}
}

// decode resolves the entities of a value. The first attribute of the name is
// meant.
func decode(tag []byte, a attribute) string {
	raw := tag[a.from:a.to]
	if bytes.IndexByte(raw, '&') < 0 {
		return string(raw)
	}
	z := html.NewTokenizer(bytes.NewReader(tag))
	z.Next()
	for {
		name, value, more := z.TagAttr()
		if bytes.EqualFold(name, a.name(tag)) {
			return string(value)
		}
		if !more {
			return string(raw)
		}
	}
}

func equalFold(name []byte, s string) bool {
	return len(name) == len(s) && strings.EqualFold(string(name), s)
}

// isRefresh reports http-equiv=refresh.
func isRefresh(tag []byte) bool {
	for a := range attributes(tag) {
		if equalFold(a.name(tag), "http-equiv") {
			return strings.EqualFold(strings.Trim(decode(tag, a), " \t\n\f\r"), "refresh")
		}
	}
	return false
}

// trim is what remains of a value without the blanks around it.
func trim(value string) (from, to int) {
	for to = len(value); to > 0 && space(value[to-1]); to-- {
	}
	for from < to && space(value[from]) {
		from++
	}
	return from, to
}

// refresh munges the URL in a refresh: seconds, a separator, url= and quotes may
// all stand before it (WHATWG HTML 4.2.5.3).
func (w *rewriter) refresh(value string) string {
	i := 0
	skip := func(set string) bool {
		from := i
		for i < len(value) && strings.IndexByte(set, value[i]) >= 0 {
			i++
		}
		return i > from
	}
	const blanks = " \t\n\f\r"
	skip(blanks)
	if !skip("0123456789.") {
		return value
	}
	blank := skip(blanks)
	if i < len(value) && (value[i] == ';' || value[i] == ',') {
		i++
	} else if !blank {
		return value
	}
	skip(blanks)
	if len(value)-i > 3 && strings.EqualFold(value[i:i+3], "url") {
		at := i
		i += 3
		skip(blanks)
		if i < len(value) && value[i] == '=' {
			i++
			skip(blanks)
		} else {
			i = at
		}
	}
	to := len(value)
	if i < to && (value[i] == '"' || value[i] == '\'') {
		quote := value[i]
		i++
		if end := strings.IndexByte(value[i:], quote); end >= 0 {
			to = i + end
		}
	}
	return value[:i] + w.link(value[i:to]) + value[to:]
}

// base munges what relative links hang on, and ends the rewriting where that is
// not this host.
func (w *rewriter) base(value string) string {
	from, to := trim(value)
	s := value[from:to]
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.HasPrefix(s, `/\`) {
		return w.link(value)
	}
	u, err := url.Parse(s)
	if err != nil || strings.IndexByte(s, '\\') >= 0 || u.Opaque != "" {
		w.off = true
		return value
	}
	if u.Scheme == "" && u.Host == "" && !strings.HasPrefix(s, "//") {
		return value // relative: below the segment already
	}
	if !strings.EqualFold(u.Host, w.r.Host) || u.User != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		w.off = true
		return value
	}
	path := strings.Index(s, "//") + 2
	if i := strings.IndexAny(s[path:], "/?#"); i >= 0 {
		path += i
	} else {
		path = len(s)
	}
	rooted := s[path:]
	if !strings.HasPrefix(rooted, "/") {
		rooted = "/" + rooted
	}
	if munged := cookieless.Apply(w.r, rooted); munged != rooted {
		return value[:from] + s[:path] + munged + value[to:]
	}
	return value
}

// replace is the raw value with the change made in it: put in where it belongs,
// all else verbatim, or else written anew. It gives up where that would need the
// page's charset.
func replace(raw []byte, value, changed string) ([]byte, bool) {
	if n := len(changed) - len(value); n > 0 {
		k := 0
		for k < len(value) && value[k] == changed[k] {
			k++
		}
		if changed[k+n:] == value[k:] && bytes.HasPrefix(raw, []byte(value[:k])) && strings.IndexByte(value[:k], '&') < 0 {
			out := append([]byte(nil), raw[:k]...)
			out = appendEscaped(out, changed[k:k+n])
			return append(out, raw[k:]...), true
		}
	}
	if !ascii(string(raw)) {
		return nil, false
	}
	return appendEscaped(nil, changed), true
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// appendEscaped writes a value so that it may stand in any quotes or none.
func appendEscaped(out []byte, s string) []byte {
	for _, c := range s {
		if c >= 0x80 || c <= ' ' || strings.ContainsRune("&<>\"'=`", c) {
			out = append(out, '&', '#')
			out = strconv.AppendInt(out, int64(c), 10)
			out = append(out, ';')
		} else {
			out = append(out, byte(c))
		}
	}
	return out
}
