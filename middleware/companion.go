package middleware

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/securecookie"

	"github.com/aspsession/aspsession/session"
)

// A Companion is a second, signed cookie: once a session is bound to it (Bind),
// Go pages refuse the session without it, so that an id alone, guessed, logged
// or planted, is worth nothing there. ASP.NET's pages do not know it and go on
// as before: the protection is whole once the pages that matter are in Go.
type Companion struct {
	// Keys sign the cookie, 32 random bytes or more each: the first signs, all
	// are accepted, so that keys can be changed while visitors are there. All
	// servers need the same. Required.
	Keys [][]byte
	// Name is the cookie's. Default "aspsession-companion". Its other attributes
	// are those of Options.Cookie, but for Domain: it stays with this host.
	Name string
	// Marker is the session item that says the session is bound. Default
	// "aspsession.companion". A page that clears the session unbinds it.
	Marker string

	codecs []securecookie.Codec
	cookie Cookie
}

// ErrCompanion: the session is bound to a companion cookie, and the request came
// without it. The default OnError answers 403; the browser is told to forget the
// id, so that the visitor's next request begins a new session.
var ErrCompanion = errors.New("middleware: the session is bound to a companion cookie that did not come with it")

var errNoCompanion = errors.New("middleware: Bind needs Options.Companion")

func (c *Companion) setDefaults(cookie Cookie) error {
	if c.Name == "" {
		c.Name = "aspsession-companion"
	}
	if c.Marker == "" {
		c.Marker = "aspsession.companion"
	}
	if len(c.Keys) == 0 {
		return errors.New("middleware: Companion.Keys is empty: 32 random bytes are needed")
	}
	for i, key := range c.Keys {
		if len(key) < 32 {
			return fmt.Errorf("middleware: Companion.Keys[%d] has %d bytes, 32 or more are needed", i, len(key))
		}
		codec := securecookie.New(key, nil)
		c.codecs = append(c.codecs, codec.MaxAge(0)) // it lives as long as the session
	}
	c.cookie = cookie
	c.cookie.Name, c.cookie.Domain = c.Name, ""
	return c.cookie.setDefaults()
}

// Bind ties the request's session to a companion cookie that leaves with this
// response: what a page does when a visitor signs in, after Regenerate. Bound
// again, older companions are worth nothing. Its errors are those of
// session.Session.Set, and session.ErrHeadersSent.
func Bind(r *http.Request) error {
	x, _ := r.Context().Value(contextKey{}).(*exchange)
	if x == nil {
		return errNoSession
	}
	c := x.m.opt.Companion
	if c == nil {
		return errNoCompanion
	}
	var token [18]byte
	rand.Read(token[:])
	value, err := securecookie.EncodeMulti(c.Name, token[:], c.codecs...)
	if err != nil {
		return fmt.Errorf("middleware: signing the companion cookie: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.waiting() {
		return session.ErrHeadersSent
	}
	if err := x.session.Set(c.Marker, markerOf(token[:])); err != nil {
		return err
	}
	h := x.w.Header()
	own := c.Name + "="
	kept := h["Set-Cookie"][:0]
	for _, line := range h["Set-Cookie"] {
		if !strings.HasPrefix(line, own) {
			kept = append(kept, line)
		}
	}
	h["Set-Cookie"] = append(kept, c.cookie.header(value))
	return nil
}

// markerOf is what the session keeps: enough to know the token, not to make it.
func markerOf(token []byte) string {
	sum := sha256.Sum256(token)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// check is ErrCompanion for a bound session whose companion is not in r.
func (c *Companion) check(r *http.Request, s *session.Session) error {
	bound, err := s.Has(c.Marker)
	if err != nil || !bound {
		return err
	}
	marker, err := session.Value[string](s, c.Marker)
	if err != nil {
		return err
	}
	var token []byte
	if err := securecookie.DecodeMulti(c.Name, c.cookie.read(r), &token, c.codecs...); err != nil {
		return ErrCompanion // why is none of the client's business
	}
	if subtle.ConstantTimeCompare([]byte(marker), []byte(markerOf(token))) != 1 {
		return ErrCompanion
	}
	return nil
}
