package middleware

import (
	"errors"
	"io"
	"net/http"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/session"
)

// A visit is a request with its id, wherever it came from.
type visit struct {
	r      *http.Request     // as handlers may see it
	path   *cookieless.State // nil: the id travels in the cookie
	id     string            // canonical, or ""
	access session.Access
}

// Strip takes the id out of the path before a router sees it: where handlers are
// wrapped one by one, Strip goes round the router, whose own redirects it keeps in
// the session, too. Whatever wraps whole routers (Wrap, ReadWrite ...) does the
// same itself. In cookie mode it only deletes the header AspFilterSessionId.
func (m *Middleware) Strip(router http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean, state, err := m.cookieless.Read(r)
		if err != nil {
			m.opt.OnError(w, clean, err)
			return
		}
		if state.PathMode() {
			keepReferrer(w)
			w = &stripped{ResponseWriter: w, r: clean}
		}
		router.ServeHTTP(w, clean)
	})
}

// keepReferrer keeps the id from other sites; the handler may say otherwise.
func keepReferrer(w http.ResponseWriter) {
	if h := w.Header(); len(h["Referrer-Policy"]) == 0 {
		h.Set("Referrer-Policy", "same-origin")
	}
}

// munge puts the id into a redirect within the application, as Response.Redirect
// does (.NET Framework 4.8).
func munge(h http.Header, r *http.Request) {
	if len(h["Location"]) == 1 {
		h.Set("Location", cookieless.Apply(r, h.Get("Location")))
	}
}

// stripped is the response of a router behind Strip.
type stripped struct {
	http.ResponseWriter
	r *http.Request
}

// WriteHeader implements http.ResponseWriter.
func (w *stripped) WriteHeader(status int) {
	munge(w.Header(), w.r)
	w.ResponseWriter.WriteHeader(status)
}

// ReadFrom implements io.ReaderFrom: sendfile is kept.
func (w *stripped) ReadFrom(src io.Reader) (int64, error) { return io.Copy(w.ResponseWriter, src) }

// Flush implements http.Flusher.
func (w *stripped) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap is for http.ResponseController.
func (w *stripped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// read is what the path says, or said to Strip.
func (m *Middleware) read(r *http.Request) (clean *http.Request, state *cookieless.State, err error) {
	if m.cookieless.Mode() != cookieless.UseCookies {
		if state = cookieless.From(r); state != nil {
			return r, state, nil
		}
	}
	return m.cookieless.Read(r)
}

// identify finds the request's id. It answers the request itself, and returns
// false, where the path is refused or the client must come back first.
func (m *Middleware) identify(w http.ResponseWriter, r *http.Request, access session.Access) (v visit, ok bool) {
	clean, state, err := m.read(r)
	if err != nil {
		m.opt.OnError(w, clean, err)
		return visit{}, false
	}
	v = visit{r: clean, access: access}
	if state == nil {
		v.id, _ = m.sessions.Canonical(m.opt.Cookie.read(r))
		return v, true
	}
	if state.PathMode() {
		keepReferrer(w)
	}
	if access == session.Disabled { // never redirected: it needs no id
		if state.PathMode() {
			v.path = state
			v.id, _ = m.sessions.Canonical(state.ID())
		} else {
			v.id, _ = m.sessions.Canonical(m.opt.Cookie.read(r))
		}
		return v, true
	}
	if c, asks := state.Challenge(); asks {
		w.Header().Add("Set-Cookie", c.SetCookie)
		redirect(w, c.Location, c.Status)
		return v, false
	}
	if !state.PathMode() {
		v.id, _ = m.sessions.Canonical(m.opt.Cookie.read(r))
		return v, true
	}
	v.path = state
	if access == session.Lazy {
		v.access = session.ReadWrite // an id can only be issued before the handler runs
	}
	if v.id, _ = m.sessions.Canonical(state.ID()); v.id == "" {
		m.reissue(w, v)
		return v, false
	}
	return v, true
}

// reissue sends the client to the same URL under a new id. ASP.NET stores an
// uninitialized item under it first where it would take an unknown one for
// expired.
func (m *Middleware) reissue(w http.ResponseWriter, v visit) {
	make := m.sessions.Create
	if m.cookieless.KeepExpiredIDs() {
		make = m.sessions.NewID
	}
	id, err := make(v.r.Context())
	if err == nil {
		var location string
		var status int
		if location, status, err = v.path.Redirect(id); err == nil {
			redirect(w, location, status)
			return
		}
	}
	m.opt.OnError(w, v.r, err)
}

// redirect writes an answer that carries an id or makes one: for this client
// alone.
func redirect(w http.ResponseWriter, location string, status int) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Cache-Control", "private")
	h.Set("Content-Length", "0")
	w.WriteHeader(status)
}

// opening is how the session of a visit is opened.
func (m *Middleware) opening(v visit) session.Opening {
	open := session.Opening{ID: v.id, Access: v.access}
	if v.path != nil {
		open.Known = !m.cookieless.KeepExpiredIDs()
		open.OnID = v.path.SetID
	}
	if m.opt.SessionStart != nil {
		open.OnStart = func(s *session.Session) error { return m.opt.SessionStart(v.r, s) }
	}
	if c := m.opt.Companion; c != nil {
		open.OnLoad = func(s *session.Session) error { return c.check(v.r, s) }
	}
	return open
}

// refuse answers a request whose session could not be opened.
func (m *Middleware) refuse(w http.ResponseWriter, v visit, err error) {
	switch {
	case v.path != nil && errors.Is(err, session.ErrNotFound):
		m.reissue(w, v)
		return
	case errors.Is(err, ErrCompanion) && v.path == nil:
		w.Header().Add("Set-Cookie", m.opt.Cookie.header(""))
	}
	m.opt.OnError(w, v.r, err)
}
