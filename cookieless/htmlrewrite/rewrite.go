package htmlrewrite

import (
	"bytes"
	"net/http"

	"github.com/aspsession/aspsession/cookieless"
)

// MaxTag is how long a start tag may be to be rewritten, in bytes. It bounds what
// waits in memory; images written into their own tags are longer, and pass.
const MaxTag = 16 << 10

// A rewriter munges one page.
type rewriter struct {
	scanner
	r        *http.Request
	hold     []byte // the start tag so far
	over     bool   // it is too long, and has gone out
	template int    // depth
	off      bool   // a base of another host: no more links are ours
	out      []byte
}

// rewrite returns what is to be written for a piece of the page. It is valid
// until the next call.
func (w *rewriter) rewrite(p []byte) []byte {
	w.out = w.out[:0]
	for len(p) > 0 {
		if w.state == text || w.state == plain {
			n := bytes.IndexByte(p, '<')
			if n < 0 || w.state == plain {
				n = len(p)
			}
			w.out = append(w.out, p[:n]...)
			if p = p[n:]; len(p) == 0 {
				break
			}
		}
		b := p[0]
		p = p[1:]
		ended := w.step(b)
		switch {
		case w.state == open:
			w.release()
			w.hold = append(w.hold, b)
			continue
		case len(w.hold) == 0:
			w.out = append(w.out, b)
		default:
			w.hold = append(w.hold, b)
			if ended {
				w.startTagDone()
			} else if w.end || w.state < tagName || w.state > quoted {
				w.release() // it is no start tag
			} else if len(w.hold) >= MaxTag {
				w.release()
				w.over = true
			}
		}
		if ended {
			w.tagDone()
		}
	}
	return w.out
}

// release lets out what was held.
func (w *rewriter) release() {
	w.out = append(w.out, w.hold...)
	w.hold = w.hold[:0]
}

// rest is what is held at the end of the page.
func (w *rewriter) rest() []byte { return w.hold }

func (w *rewriter) startTagDone() {
	if !w.end && w.template == 0 && !w.off {
		w.out = w.munge(w.out, w.hold)
	} else {
		w.out = append(w.out, w.hold...)
	}
	w.hold = w.hold[:0]
}

func (w *rewriter) tagDone() {
	switch name := string(w.name); {
	case name == "base" && w.over:
		w.off = true // whatever it says
	case name == "template" && !w.end:
		w.template++
	case name == "template" && w.template > 0:
		w.template--
	}
	w.over = false
}

// munge appends a start tag with its links munged.
func (w *rewriter) munge(out, tag []byte) []byte {
	if bytes.IndexByte(tag, '=') < 0 {
		return append(out, tag...)
	}
	var (
		element = string(w.name)
		refresh = element == "meta" && isRefresh(tag)
		seen    [len(names)]bool
		from    int
	)
	for a := range attributes(tag) {
		i := wanted(a.name(tag), refresh)
		if i < 0 || seen[i] {
			continue // of two of a name the first counts
		}
		seen[i] = true
		raw := tag[a.from:a.to]
		value := decode(tag, a)
		var changed string
		switch {
		case element == "base" && i == href:
			changed = w.base(value)
		case i == content:
			changed = w.refresh(value)
		default:
			changed = w.link(value)
		}
		if changed == value {
			continue
		}
		if repl, ok := replace(raw, value, changed); ok {
			out = append(append(out, tag[from:a.from]...), repl...)
			from = a.to
		}
	}
	return append(out, tag[from:]...)
}

// names are the attributes that hold links; content does in a refresh.
var names = [...]string{"href", "src", "action", "formaction", "content"}

const (
	href    = 0
	content = len(names) - 1
)

// wanted numbers the attributes in question; -1: none of them.
func wanted(name []byte, refresh bool) int {
	for i, n := range names {
		if equalFold(name, n) && (i != content || refresh) {
			return i
		}
	}
	return -1
}

// link munges a value if it is rooted. Browsers drop the blanks around it.
func (w *rewriter) link(value string) string {
	from, to := trim(value)
	url := value[from:to]
	if w.off || len(url) == 0 || url[0] != '/' {
		return value
	}
	return value[:from] + cookieless.Apply(w.r, url) + value[to:]
}
