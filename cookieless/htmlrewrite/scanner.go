package htmlrewrite

// A scanner finds tags in a stream of bytes, whatever its pieces. It follows the
// tokenizer of golang.org/x/net/html, which follows WHATWG HTML 13.2.5, as far as
// that decides where tags start and end.
type scanner struct {
	state  state
	end    bool   // the tag is an end tag
	name   []byte // of the tag, lower case, as far as it counts
	quote  byte
	dashes int    // just seen, in comments and scripts
	fresh  bool   // nothing but dashes in the comment so far
	bang   bool   // --! just seen
	raw    string // the raw element we are in
	match  int    // what has matched of its end tag: 1 for <, 2 for </, one for each letter
	script level
	window uint64 // the last eight bytes of the script, lower case
}

type state uint8

const (
	text        state = iota
	open              // <
	openEnd           // </
	declaration       // <!
	dash              // <!-
	comment
	bogus   // up to >
	tagName // of start and end tags
	beforeName
	attrName
	afterName
	beforeValue
	unquoted
	quoted
	rawText
	plain // up to the end of the page
)

func space(b byte) bool { return b == ' ' || b == '\n' || b == '\r' || b == '\t' || b == '\f' }

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func letter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

// rawElements hold text, not markup.
var rawElements = map[string]bool{
	"script": true, "style": true, "textarea": true, "title": true, "iframe": true,
	"xmp": true, "noembed": true, "noframes": true, "plaintext": true,
}

// step takes one byte. It reports true when a tag ends with it.
func (s *scanner) step(b byte) (ended bool) {
	switch s.state {
	case text:
		if b == '<' {
			s.state = open
		}
	case open:
		switch {
		case letter(b):
			s.startTag(false)
			return s.tag(b)
		case b == '/':
			s.state = openEnd
		case b == '!':
			s.state = declaration
		case b == '?':
			s.state = bogus
		case b == '<':
		default:
			s.state = text
		}
	case openEnd:
		switch {
		case letter(b):
			s.startTag(true)
			return s.tag(b)
		case b == '>':
			s.state = text
		default:
			s.state = bogus
		}
	case declaration:
		switch b {
		case '-':
			s.state = dash
		case '>':
			s.state = text
		default:
			s.state = bogus
		}
	case dash:
		switch b {
		case '-':
			s.state, s.dashes, s.fresh, s.bang = comment, 0, true, false
		case '>':
			s.state = text
		default:
			s.state = bogus
		}
	case comment:
		s.comment(b)
	case bogus:
		if b == '>' {
			s.state = text
		}
	case rawText:
		s.rawText(b)
	case plain:
	default:
		return s.tag(b)
	}
	return false
}

func (s *scanner) startTag(end bool) {
	s.state, s.end, s.name = tagName, end, s.name[:0]
}

// tag takes a byte of a tag, its name first.
func (s *scanner) tag(b byte) (ended bool) {
	switch s.state {
	case tagName:
		if !space(b) && b != '/' && b != '>' {
			if len(s.name) < 16 { // longer than any name that counts
				s.name = append(s.name, lower(b))
			}
			return false
		}
		s.state = beforeName
		return s.tag(b)
	case beforeName:
		switch {
		case b == '>':
			return s.tagEnd()
		case space(b), b == '/':
		default:
			s.state = attrName // also of =
		}
	case attrName:
		switch {
		case b == '=':
			s.state = beforeValue
		case space(b), b == '/', b == '>':
			s.state = afterName
			return s.tag(b)
		}
	case afterName:
		switch {
		case b == '=':
			s.state = beforeValue
		case space(b):
		default:
			s.state = beforeName
			return s.tag(b)
		}
	case beforeValue:
		switch {
		case space(b):
		case b == '"', b == '\'':
			s.state, s.quote = quoted, b
		case b == '>':
			return s.tagEnd()
		default:
			s.state = unquoted
		}
	case unquoted:
		if space(b) {
			s.state = beforeName
		} else if b == '>' {
			return s.tagEnd()
		}
	case quoted:
		if b == s.quote {
			s.state = beforeName
		}
	}
	return false
}

func (s *scanner) tagEnd() bool {
	s.state = text
	if s.end || !rawElements[string(s.name)] {
		return true
	}
	s.raw, s.match, s.script, s.window = string(s.name), 0, scriptData, 0
	s.state = rawText
	if s.raw == "plaintext" {
		s.state = plain
	}
	return true
}

func (s *scanner) comment(b byte) {
	switch {
	case s.bang: // --! seen
		s.bang, s.dashes = false, 0
		if b == '>' {
			s.state = text
		} else if b == '-' {
			s.dashes = 1
		}
		return
	case b == '-':
		s.dashes++
		return
	case b == '>' && (s.dashes >= 2 || s.fresh):
		s.state = text
	case b == '!' && s.dashes >= 2:
		s.bang = true
	}
	s.dashes, s.fresh = 0, false
}

// rawText looks for the end tag of the raw element.
func (s *scanner) rawText(b byte) {
	switch {
	case s.match >= 2:
		i := s.match - 2
		if i < len(s.raw) && b|0x20 == s.raw[i] {
			s.match++
			s.inScript(b)
			return
		}
		if i == len(s.raw) && (space(b) || b == '/' || b == '>') && s.script != doubleEscaped {
			s.startTag(true)
			s.state = beforeName
			s.tag(b)
			return
		}
	case s.match == 1 && b == '/':
		s.match = 2
		s.inScript(b)
		return
	}
	s.match = 0
	if b == '<' {
		s.match = 1
	}
	s.inScript(b)
}

// level is how deep a script has hidden its own end tag (13.2.5.20 to 13.2.5.31).
type level uint8

const (
	scriptData    level = iota
	escaped             // behind <!--
	doubleEscaped       // behind <!-- <script>: </script> leads back to escaped
)

func pack(s string) (w uint64) {
	for i := range len(s) {
		w = w<<8 | uint64(s[i])
	}
	return w
}

// inScript follows the levels.
func (s *scanner) inScript(b byte) {
	if s.raw != "script" {
		return
	}
	delimiter := space(b) || b == '/' || b == '>'
	switch {
	case s.script == scriptData:
		if b == '-' && s.window&0xffffff == pack("<!-") {
			s.script, s.dashes = escaped, 1 // and this one
		}
	case b == '>' && s.dashes >= 2:
		s.script = scriptData
	case s.script == escaped && delimiter && s.window&(1<<56-1) == pack("<script"):
		s.script = doubleEscaped
	case s.script == doubleEscaped && delimiter && s.window == pack("</script"):
		s.script = escaped
	}
	if b == '-' {
		s.dashes++
	} else {
		s.dashes = 0
	}
	s.window = s.window<<8 | uint64(lower(b))
}
