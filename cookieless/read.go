package cookieless

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

var (
	// ErrPath: the path cannot be what a browser was given. Answer 400.
	ErrPath = errors.New("cookieless: refused path")
	// ErrOutside: the path is not below the application path, where an id could
	// not be written. Answer 404, and look at Options.App and http.StripPrefix.
	ErrOutside = errors.New("cookieless: path outside the application")
)

// maxSegment is how long a decoded segment may be, in bytes. Forms tickets need
// up to about four thousand.
const maxSegment = 8192

// filterHeader is how IIS's filter handed the id on; canonical form.
const filterHeader = "Aspfiltersessionid"

const (
	probeName = "AspxAutoDetectCookieSupport"
	probe     = probeName + "=1"
)

// Read takes the segment out of a request and decides how the id travels.
//
// The request it returns is for handlers: URL and RequestURI have the clean path,
// the header AspFilterSessionId is gone. It is r itself where there was nothing to
// change; r is never modified. Routes must be chosen from the returned request.
//
// The State is nil where the id travels in the cookie and the path had nothing;
// that costs no allocation. If there are modifiers it is in the context of the
// returned request too, for From and Apply.
//
// Errors are ErrPath and ErrOutside, with the request's State nil.
func (c *Cookieless) Read(r *http.Request) (*http.Request, *State, error) {
	r = withoutFilterHeader(r)
	if c.opt.Mode == UseCookies {
		return r, nil, nil
	}
	var (
		n, start, size int
		m              Modifiers
		found          bool
		path           string
	)
	if strings.IndexByte(r.URL.Path, '(') >= 0 {
		path = r.URL.EscapedPath()
		var ok bool
		if n, ok = under(path, c.app); !ok {
			return r, nil, ErrOutside
		}
		m, start, size, found = find(path, n, c.opt.AnyPosition)
	} else if !c.covers(r.URL.Path) {
		return r, nil, ErrOutside
	}
	var clean *url.URL
	if found {
		if err := c.check(m); err != nil {
			return r, nil, err
		}
		var err error
		if clean, err = c.clean(r.URL, path, n, start, size); err != nil {
			return r, nil, err
		}
	}
	pathMode, challenge, detected := c.decide(r, m)
	if !found && !pathMode && !challenge {
		return r, nil, nil
	}
	if detected {
		m, _ = m.With('X', "1")
	}
	s := &State{c: c, pathMode: pathMode, challenge: challenge, modifiers: m, url: *r.URL, method: r.Method}
	if clean != nil {
		s.url = *clean
	}
	s.path = s.url.EscapedPath()
	var ok bool
	if s.app, ok = under(s.path, c.app); !ok {
		return r, nil, ErrOutside // an escaped slash in the application path
	}
	if s.path == "" {
		s.path = "/"
	}
	if !m.IsEmpty() {
		r = r.WithContext(context.WithValue(r.Context(), contextKey{}, s))
	}
	if clean != nil {
		r.URL = clean // r is a copy: a found segment has modifiers
		r.RequestURI = clean.RequestURI()
	}
	return r, s, nil
}

// covers is under for a decoded path.
func (c *Cookieless) covers(path string) bool {
	n := len(c.app)
	if len(path) < n {
		return false
	}
	for i := range n {
		if lower(path[i]) != lower(c.app[i]) {
			return false
		}
	}
	return len(path) == n || path[n] == '/'
}

// check refuses content that ASP.NET refuses in paths.
func (c *Cookieless) check(m Modifiers) error {
	if len(m.segment) > maxSegment {
		return fmt.Errorf("%w: the segment has %d bytes, the limit is %d", ErrPath, len(m.segment), maxSegment)
	}
	if unsafe(m.segment) {
		return fmt.Errorf("%w: a control character in the segment", ErrPath)
	}
	if i := strings.IndexAny(m.segment, c.opt.InvalidCharacters); i >= 0 {
		return fmt.Errorf("%w: the character %q in the segment", ErrPath, m.segment[i])
	}
	return nil
}

// clean is the URL without the segment.
func (c *Cookieless) clean(u *url.URL, path string, n, start, size int) (*url.URL, error) {
	rest := oneSlash(path[start+size:])
	path = path[:start] + rest
	if _, _, _, again := find(path, n, c.opt.AnyPosition); again {
		return nil, fmt.Errorf("%w: a second segment behind the first", ErrPath)
	}
	clean := *u
	clean.Path, clean.RawPath = unescape(path), path
	// Handlers redirect to what they see, and browsers take these for a host.
	if start := strings.TrimLeft(clean.Path[1:], "\t\r\n"); start != "" && (start[0] == '/' || start[0] == '\\') {
		return nil, fmt.Errorf("%w: the path behind the segment starts like a host", ErrPath)
	}
	if (&url.URL{Path: clean.Path}).EscapedPath() == path {
		clean.RawPath = ""
	}
	return &clean, nil
}

// decide says how the id travels. Detected: by the challenge that came back, so
// that X(1) has to be remembered.
func (c *Cookieless) decide(r *http.Request, m Modifiers) (pathMode, challenge, detected bool) {
	switch c.opt.Mode {
	case UseURI:
		return true, false, false
	case UseDeviceProfile:
		return c.opt.Device(r), false, false
	}
	if x, _ := m.Get('X'); x == "1" {
		return true, false, false
	}
	switch {
	case c.opt.Device(r):
		return true, false, false
	case hasCookie(r):
		return false, false, false
	case hasProbe(r.URL.RawQuery):
		return true, false, true
	}
	return false, true, false
}

func hasCookie(r *http.Request) bool {
	for _, line := range r.Header["Cookie"] {
		if line != "" {
			return true
		}
	}
	return false
}

// hasProbe finds AspxAutoDetectCookieSupport=1 among all the parameters: another
// one of the name before it must not start a second round.
func hasProbe(query string) bool {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(unescape(name), probeName) && unescape(value) == "1" {
			return true
		}
	}
	return false
}

// withoutFilterHeader keeps handlers from trusting what only IIS may say.
func withoutFilterHeader(r *http.Request) *http.Request {
	if _, ok := r.Header[filterHeader]; !ok {
		return r
	}
	r2 := *r
	r2.Header = r.Header.Clone()
	delete(r2.Header, filterHeader)
	return &r2
}

type contextKey struct{}

// From returns the State that Read put into the request, or nil.
func From(r *http.Request) *State {
	s, _ := r.Context().Value(contextKey{}).(*State)
	return s
}
