package request

import (
	"fmt"
	"net/http"
)

// The kinds of request that every library has.
const (
	read   = "read"   // one item
	write  = "write"  // one item, without reading it
	unused = "unused" // a page behind the middleware that does not use the session
)

// A site is one library on one store, with pages that do the same as everybody
// else's.
type site struct {
	name   string
	peer   string // the site of ours beside which it stands; "" for ours
	router string // the site without sessions above which its cost counts
	fill   http.Handler
	pages  []page
	says   http.Handler // for tests: says what was written last
	stored func(v *visitor) int
	close  func()
}

// A page of a site.
type page struct {
	kind     string
	how      string // the access, "" where the library has only one
	handler  http.Handler
	stranger bool // the visitor has no session
}

// visitor has a session of ten strings of his own, made by the library itself,
// and asks for p.
func (s *site) visitor(p page) (*visitor, error) {
	first := p.handler
	if s.fill != nil && !p.stranger {
		first = s.fill
	}
	v, err := newVisitor(first)
	if err != nil {
		return nil, err
	}
	if err := v.visit(); err != nil {
		v.leave()
		return nil, fmt.Errorf("%s, making the session: %w", s.name, err)
	}
	if !p.stranger {
		v.keep()
	}
	v.page = p.handler
	return v, nil
}

// end closes what the site has opened.
func (s *site) end() {
	if s.close != nil {
		s.close()
	}
}

func (s *site) page(kind string) (page, bool) {
	for _, p := range s.pages {
		if p.kind == kind {
			return p, true
		}
	}
	return page{}, false
}

// label is a page's row in a table.
func (s *site) label(p page) string {
	if p.how == "" {
		return s.name + ": " + p.kind
	}
	return s.name + ": " + p.kind + " (" + p.how + ")"
}

// bareSite has a page and no sessions.
func bareSite() *site {
	return &site{name: bareName, pages: []page{{kind: unused, handler: http.HandlerFunc(plain)}}}
}

func plain(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(hello) }
