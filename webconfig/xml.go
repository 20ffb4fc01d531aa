package webconfig

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

const (
	maxDepth      = 64
	maxElements   = 100_000
	maxAttributes = 1000 // of one element
)

// transform is the namespace of Web.Release.config and its like.
const transform = "http://schemas.microsoft.com/XML-Document-Transform"

// An element of a file, with the places of everything in it. Comments are left
// out; of text only its presence is kept.
type element struct {
	name     string
	pos      Position
	attrs    []attribute
	children []*element
	text     bool
}

type attribute struct {
	name, value string
	pos         Position
}

func (e *element) attr(name string) (attribute, bool) {
	for _, a := range e.attrs {
		if a.name == name {
			return a, true
		}
	}
	return attribute{}, false
}

// A source is a text and where its lines begin.
type source struct {
	file, text string
	lines      []int
	last       int // the offset of the place that was asked for last
	column     int // its column
}

func newSource(file, text string) *source {
	s := &source{file: file, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

func (s *source) at(offset int) Position {
	offset = min(max(offset, 0), len(s.text))
	line := sort.SearchInts(s.lines, offset+1)
	from, column := s.lines[line-1], 1
	if s.last > from && s.last <= offset {
		from, column = s.last, s.column // the line may be as long as the file
	}
	s.last, s.column = offset, column+utf8.RuneCountInString(s.text[from:offset])
	return Position{s.file, line, s.column}
}

func (s *source) broken(offset int, found, want string) error {
	return &Error{s.at(offset), ErrXML, found, want}
}

// parse reads a whole file. There are no entities but XML's own five, and a DTD
// is an error.
func parse(file, text string) (*element, error) {
	src := newSource(file, text)
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 already
	var root *element
	var open []*element
	for count := 0; ; {
		start := int(d.InputOffset())
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, src.syntax(int(d.InputOffset()), err, open)
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, src.broken(start, "a DTD (<!DOCTYPE ...>)", "take it out: configuration files have none")
		case xml.ProcInst:
			if t.Target == "xml" && start != 0 {
				return nil, src.broken(start, "an XML declaration that is not the first thing in the file", "delete what stands in front of it, blanks too")
			}
		case xml.CharData:
			if strings.TrimSpace(string(t)) == "" {
				continue
			}
			if len(open) == 0 {
				return nil, src.broken(start, "text outside all elements: the file is no XML", "the file begins with <?xml version=\"1.0\"?> or <configuration>")
			}
			open[len(open)-1].text = true
		case xml.StartElement:
			if count++; count > maxElements || len(open) == maxDepth || len(t.Attr) > maxAttributes {
				return nil, src.broken(start, "too many elements or attributes", fmt.Sprintf("%d elements are the most, %d inside one another, and %d attributes in one", maxElements, maxDepth, maxAttributes))
			}
			e, err := src.element(t, start, int(d.InputOffset()))
			if err != nil {
				return nil, err
			}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			case root != nil:
				return nil, src.broken(start, "a second root element <"+showName(e.name)+">", "a file has one")
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	if root == nil {
		return nil, src.broken(0, "the file holds no element", "it needs <configuration>...</configuration>")
	}
	return root, nil
}

// element adds places to what the decoder read between two offsets.
func (s *source) element(t xml.StartElement, start, end int) (*element, error) {
	e := &element{name: t.Name.Local, pos: s.at(start)}
	places := attributeOffsets(s.text[start:end])
	seen := make(map[xml.Name]bool, len(t.Attr))
	for i, a := range t.Attr {
		pos := e.pos
		if i < len(places) {
			pos = s.at(start + places[i])
		}
		switch {
		case seen[a.Name]:
			return nil, &Error{pos, ErrXML, "the attribute " + showName(a.Name.Local) + " stands twice in one element", "delete one"}
		case a.Name.Space == transform:
			return nil, &Error{pos, ErrFile, "xdt: attributes: this is a transform, such as Web.Release.config", "give the web.config that publishing makes of it"}
		}
		seen[a.Name] = true
		if a.Name.Space == "" && a.Name.Local != "xmlns" {
			e.attrs = append(e.attrs, attribute{a.Name.Local, a.Value, pos})
		}
	}
	return e, nil
}

// attributeOffsets finds where the attributes of a start tag begin. The tag is
// known to be well-formed.
func attributeOffsets(tag string) []int {
	const blanks = " \t\r\n"
	var out []int
	i := strings.IndexAny(tag, blanks)
	for i >= 0 {
		i += len(tag[i:]) - len(strings.TrimLeft(tag[i:], blanks))
		equals := strings.IndexByte(tag[i:], '=')
		if equals < 0 {
			break
		}
		out = append(out, i)
		i += equals + 1
		i += len(tag[i:]) - len(strings.TrimLeft(tag[i:], blanks))
		if i == len(tag) {
			break
		}
		closing := strings.IndexByte(tag[i+1:], tag[i])
		if closing < 0 {
			break
		}
		i += closing + 2
	}
	return out
}

// syntax says in our own words what the decoder did not like: its own may quote
// a piece of a connection string.
func (s *source) syntax(offset int, err error, open []*element) error {
	said := err.Error()
	inside := ""
	if len(open) > 0 {
		e := open[len(open)-1]
		inside = fmt.Sprintf("<%s> of line %d", showName(e.name), e.pos.Line)
	}
	for _, known := range []struct{ part, found, want string }{
		{"unexpected EOF", "the file ends too early", "close what is open: an element, a comment or a quote"},
		{"closed by", "an end tag that does not close " + inside, "close that first"},
		{"unexpected end element", "an end tag that closes nothing", "delete it, or open its element"},
		{"entity", "an & that begins none of XML's own entities", "write &amp; for an &"},
		{"unescaped <", "a < in an attribute's value", "write &lt; for a <, or close the quote in front of it"},
		{"attribute", "an attribute that is not name=\"value\"", "write the = and both quotes"},
		{"in comments", "-- inside a comment", "write another sign there"},
		{"UTF-8", "a character that XML forbids", "delete it"},
		{"illegal character", "a character that XML forbids", "delete it"},
		{"unsupported version", "another version of XML than 1.0", "write version=\"1.0\""},
	} {
		if strings.Contains(said, known.part) {
			if known.part == "unexpected EOF" && inside != "" {
				known.want = "close " + inside
			}
			return s.broken(offset, known.found, known.want)
		}
	}
	return s.broken(offset, "this is no XML", "a tag looks like <name attribute=\"value\">")
}
