package cookieless

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// A State is what the path said about one request, and how URLs are written for
// it. It is safe for concurrent use. A nil State is that of cookie mode.
type State struct {
	c         *Cookieless
	url       url.URL // clean; a copy, because handlers change theirs
	path      string  // the clean path, escaped
	app       int     // path[:app] is the application path
	method    string
	pathMode  bool
	challenge bool

	mu        sync.RWMutex // guards modifiers
	modifiers Modifiers
}

// PathMode reports that the id travels in the path. Then no cookie is read or
// set. If false, it may be that Challenge comes first.
func (s *State) PathMode() bool { return s != nil && s.pathMode }

// ID returns the value of S, as the client sent it or SetID set it. It is not
// checked: fold its case and see whether it is an id. In cookie mode it is "",
// whatever the path says.
func (s *State) ID() string {
	if !s.PathMode() {
		return ""
	}
	id, _ := s.Modifiers().Get('S')
	return id
}

// Modifiers returns the present list.
func (s *State) Modifiers() Modifiers {
	if s == nil {
		return Modifiers{}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.modifiers
}

// Path is the clean path, decoded, as r.URL.Path has it.
func (s *State) Path() string { return s.url.Path }

// Query is the raw query.
func (s *State) Query() string { return s.url.RawQuery }

// App is the application path, "/" or "/shop".
func (s *State) App() string {
	if s.c.app == "" {
		return "/"
	}
	return s.c.app
}

// SetID changes the id for every URL written from now on. What cannot stand in a
// segment is ErrValue and changes nothing.
func (s *State) SetID(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.withID(s.modifiers, id)
	if err != nil {
		return err
	}
	s.modifiers = m
	return nil
}

func (s *State) withID(m Modifiers, id string) (Modifiers, error) {
	m, err := m.With('S', id)
	if err != nil {
		return m, fmt.Errorf("%w (of the session id)", ErrValue) // never the id itself
	}
	if s.c.check(m) != nil {
		return m, fmt.Errorf("%w: the session id holds a character that is refused in paths, or is too long", ErrValue)
	}
	return m, nil
}

// Redirect returns where to send a client whose id must change: same path, same
// query, the new id. The location is always a path below the application. It must
// not be stored by caches. Errors are as of SetID.
func (s *State) Redirect(id string) (location string, status int, err error) {
	m, err := s.withID(s.Modifiers(), id)
	if err != nil {
		return "", 0, err
	}
	return s.here(m) + s.fullQuery(), s.status(), nil
}

// A Challenge is AutoDetect's question whether the client keeps cookies: answer
// with Status, and headers Location and Set-Cookie.
type Challenge struct {
	Location  string
	SetCookie string
	Status    int
}

// Challenge returns the challenge if this request must be answered with it. The
// request that comes back is decided, with the cookie or without it.
func (s *State) Challenge() (Challenge, bool) {
	if s == nil || !s.challenge {
		return Challenge{}, false
	}
	query := "?" + probe
	if s.url.RawQuery != "" {
		query = s.fullQuery() + "&" + probe
	}
	return Challenge{s.here(s.Modifiers()) + query, probe + "; path=/", s.status()}, true
}

// here is the address of this request with modifiers. The application path is
// written as it was configured, so that nothing of the client's stands in front.
func (s *State) here(m Modifiers) string {
	rest := oneSlash(s.path[s.app:])
	app := escape(s.c.app, pathEscapes)
	switch {
	case !m.IsEmpty():
		app += "/" + m.escaped()
		if rest == "" {
			rest = "/"
		}
	case app+rest == "":
		rest = "/"
	}
	return app + rest
}

// pathEscapes are the printable bytes that a path must escape.
const pathEscapes = "\"#%<>?[\\]^`{|}"

func (s *State) fullQuery() string {
	if s.url.RawQuery == "" && !s.url.ForceQuery {
		return ""
	}
	return "?" + escape(s.url.RawQuery, "\"#<>\\")
}

func (s *State) status() int {
	if s.c.opt.KeepBody && s.method != http.MethodGet && s.method != http.MethodHead {
		return http.StatusTemporaryRedirect
	}
	return http.StatusFound
}
