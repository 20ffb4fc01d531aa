package echosession

import (
	"bytes"
	"maps"
	"net/http"

	"github.com/labstack/echo/v4"
)

// below is what the session's response is written to: the echo.Response of the
// middlewares outside, so that their hooks run when headers really leave, and
// Status and Size are what was sent.
type below struct{ outer *echo.Response }

func (w below) Header() http.Header         { return w.outer.Header() }
func (w below) Write(b []byte) (int, error) { return w.outer.Write(b) }

// WriteHeader takes informational responses past echo, which takes the first
// status for the last.
func (w below) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.outer.Writer.WriteHeader(status)
		return
	}
	w.outer.WriteHeader(status)
}

// Unwrap is for http.ResponseController, which must not meet echo's Hijack: every
// connection has that.
func (w below) Unwrap() http.ResponseWriter { return w.outer.Writer }

// A page is what echo's HTTPErrorHandler makes of an error, while nobody has
// decided yet whether the session is saved.
type page struct {
	begun  bool // the response had been written to before
	status int
	header http.Header
	body   bytes.Buffer
}

// answer has echo make the page of a handler's error, unless something was
// written already: then that is the page.
func answer(c echo.Context, inside *echo.Response, err error) *page {
	p := &page{begun: inside.Committed, header: inside.Header()}
	if p.begun {
		p.status = inside.Status
		return p
	}
	w := inside.Writer
	inside.Writer = p
	defer func() { inside.Writer = w }()
	c.Error(err)
	p.header = p.header.Clone() // it may leave after the session's response was given up
	if p.failed() {
		delete(p.header, "Set-Cookie") // of what is not saved, a companion among it
	}
	return p
}

// failed reports that the error is the site's fault, as ASP.NET's unhandled
// errors are: its page says so, or a page had begun that says nothing of it.
func (p *page) failed() bool {
	return p.status >= http.StatusInternalServerError || p.begun && p.status < http.StatusBadRequest || p.status == 0
}

// send writes the page, if there is one.
func (p *page) send(w http.ResponseWriter) {
	if p.begun || p.status == 0 {
		return
	}
	maps.Copy(w.Header(), p.header)
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body.Bytes()) // the client that is gone misses it
}

// Header implements http.ResponseWriter.
func (p *page) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *page) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

// Write implements http.ResponseWriter.
func (p *page) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return p.body.Write(b)
}

// Flush implements http.Flusher: the page goes when it is whole.
func (p *page) Flush() {}
