package middleware

import (
	"fmt"
	"net/http"
	"strings"
)

// Cookie says how the session id travels. The zero value is ASP.NET's.
type Cookie struct {
	// Name is sessionState's cookieName. Default "ASP.NET_SessionId". ASP.NET
	// compares it without case, and so do we.
	Name string
	// Domain is httpCookies' domain. Default none: this host alone. Another
	// than ASP.NET's gives visitors two cookies and two sessions.
	Domain string
	// Path is the cookie's path. Default "/", which ASP.NET always writes.
	Path string
	// Secure is httpCookies' requireSSL. Default false, as in ASP.NET; a site on
	// HTTPS wants true. Never inferred: behind a proxy r.TLS says nothing.
	Secure bool
	// SameSite is sessionState's cookieSameSite. Default Lax, as ASP.NET writes
	// since 2019; http.SameSiteDefaultMode leaves the attribute out, as before.
	// None without Secure is an error, because browsers refuse it.
	SameSite http.SameSite
	// ExpireOnAbandon has the browser forget the id of an abandoned session.
	// Default false, as in ASP.NET: the id stays, and the next request begins a
	// new session under it.
	ExpireOnAbandon bool
}

func (c *Cookie) setDefaults() error {
	if c.Name == "" {
		c.Name = "ASP.NET_SessionId"
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.SameSite == 0 {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.SameSite == http.SameSiteNoneMode && !c.Secure {
		return fmt.Errorf("middleware: cookie %q: SameSite=None needs Secure, browsers refuse it otherwise", c.Name)
	}
	probe := http.Cookie{Name: c.Name, Value: "x", Domain: c.Domain, Path: c.Path}
	if err := probe.Valid(); err != nil {
		return fmt.Errorf("middleware: cookie %q: %w", c.Name, err)
	}
	return nil
}

// header is the Set-Cookie value with the attributes in ASP.NET's order and
// spelling (.NET Framework 4.8 HttpCookie.GetSetCookieHeader). An empty id is
// for the browser to forget.
func (c *Cookie) header(id string) string {
	var b strings.Builder
	b.Grow(len(c.Name) + len(id) + len(c.Domain) + 64)
	b.WriteString(c.Name)
	b.WriteByte('=')
	b.WriteString(id)
	if c.Domain != "" {
		b.WriteString("; domain=")
		b.WriteString(c.Domain)
	}
	if id == "" {
		b.WriteString("; expires=Tue, 12-Oct-1999 07:00:00 GMT")
	}
	b.WriteString("; path=")
	b.WriteString(c.Path)
	if c.Secure {
		b.WriteString("; secure")
	}
	b.WriteString("; HttpOnly")
	switch c.SameSite {
	case http.SameSiteLaxMode:
		b.WriteString("; SameSite=Lax")
	case http.SameSiteStrictMode:
		b.WriteString("; SameSite=Strict")
	case http.SameSiteNoneMode:
		b.WriteString("; SameSite=None")
	}
	return b.String()
}

// read returns the value of the first cookie of the name, or "". It is no more
// than what the client sent.
func (c *Cookie) read(r *http.Request) string {
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, value, _ := strings.Cut(pair, "=")
			if strings.EqualFold(strings.TrimSpace(name), c.Name) {
				return strings.TrimSpace(value)
			}
		}
	}
	return ""
}
