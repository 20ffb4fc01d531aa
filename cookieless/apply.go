package cookieless

import (
	"net/http"
	"strings"
)

// Apply returns a URL of this application with the modifiers of the request, as
// ASP.NET's ApplyAppPathModifier does; see [State.Apply]. In cookie mode, and for
// a request that no middleware has read, it returns the URL unchanged, "~/x" too,
// which no browser understands: write "/shop/x" where both modes are possible.
func Apply(r *http.Request, url string) string { return From(r).Apply(url) }

// Apply puts the modifiers behind the application path of a URL. It is for links,
// form actions and Location headers alike.
//
// A relative URL is made absolute against the directory of the clean path, "~/x"
// against the application path. What leaves the application, has a scheme or a
// host, or is only a fragment, is returned unchanged (a relative one that climbs
// out of the application as a rooted one: it would miss its target otherwise).
// Unchanged is also what browsers read otherwise than it looks: a path with
// backslashes, a URL with control characters or with blanks around it. Another
// segment where ours belongs is replaced, so that a link cannot plant an id.
func (s *State) Apply(url string) string {
	if !s.PathMode() || url == "" || url[0] == '#' || unsafe(url) || strings.TrimSpace(url) != url {
		return url
	}
	m := s.Modifiers()
	if m.IsEmpty() {
		return url
	}
	path, tail := url, ""
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		path, tail = url[:i], url[i:]
	}
	if strings.HasPrefix(path, "//") || strings.IndexByte(path, '\\') >= 0 {
		return url
	}
	switch {
	case path == "":
		path = oneSlash(s.path)
	case path == "~" || strings.HasPrefix(path, "~/"):
		path = reduce(escape(s.c.app, pathEscapes) + "/" + path[1:])
	case path[0] != '/':
		if i := strings.IndexAny(path, ":/"); i >= 0 && path[i] == ':' {
			return url // a scheme
		}
		path = reduce(s.path[:strings.LastIndexByte(s.path, '/')+1] + path)
	case hasDots(path):
		path = reduce(path)
	}
	n, ok := under(path, s.c.app)
	if !ok {
		if url[0] == '/' {
			return url
		}
		return path + tail
	}
	segment := m.escaped()
	if i := strings.Index(path, "/"+segment); i >= 0 {
		if end := i + 1 + len(segment); end == len(path) || path[end] == '/' {
			return path + tail
		}
	}
	rest := path[n:]
	for {
		_, size, ok := segmentAt(oneSlash(rest))
		if !ok {
			break
		}
		rest = oneSlash(rest)[size:]
	}
	if rest == "" {
		rest = "/"
	}
	return path[:n] + "/" + segment + rest + tail
}
