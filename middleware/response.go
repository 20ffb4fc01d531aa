package middleware

import (
	"errors"
	"net/http"
	"sync"
)

// response is the handler's ResponseWriter. It holds the page until the session
// is saved, or until the page is too long for that.
type response struct {
	w      http.ResponseWriter
	x      *exchange
	before http.Header // the headers that were there before the handler

	// mu keeps a goroutine that writes after its handler returned, which it must
	// not, away from a buffer that another visitor's page uses by then. It is not
	// held while anything goes to w: as with net/http, one writes at a time.
	mu        sync.Mutex
	buf       *[]byte // pooled; what waits, nil while nothing does
	filling   bool    // a reader writes into buf
	status    int     // the handler's; 0 until it says
	sent      bool    // headers have left
	hijacked  bool
	over      bool  // the handler has returned
	announced bool  // the cookie is in the headers
	failed    error // why nothing can be written any more
	length    int64 // Content-Length once headers have left; -1: unknown
	written   int64 // bytes of the body that have left or are held
	held      bool  // the last byte waits in last
	last      byte
}

func (w *response) start(under http.ResponseWriter, x *exchange) {
	w.w, w.x, w.length = under, x, -1
	if h := under.Header(); len(h) > 0 {
		w.before = h.Clone()
	}
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.w.Header() }

// WriteHeader implements http.ResponseWriter. Informational responses go out at
// once; of the others the first counts.
func (w *response) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.hijacked:
		w.w.WriteHeader(status) // net/http says what it thinks of that
	case w.sent || w.failed != nil || w.over:
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		w.w.WriteHeader(status)
	case w.status == 0:
		w.status = status
	}
}

// errOver is what a goroutine gets that the handler left behind.
var errOver = errors.New("middleware: write after the handler returned")

// Write implements http.ResponseWriter.
func (w *response) Write(b []byte) (int, error) {
	if held, err := w.hold(len(b)); held {
		*w.buf = append(*w.buf, b[:w.room(len(b))]...)
		w.mu.Unlock()
		return len(b), nil
	} else if err != nil {
		return 0, err
	}
	return w.direct(b)
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	if held, err := w.hold(len(s)); held {
		*w.buf = append(*w.buf, s[:w.room(len(s))]...)
		w.mu.Unlock()
		return len(s), nil
	} else if err != nil {
		return 0, err
	}
	return w.direct([]byte(s))
}

// hold reports whether n more bytes may wait in the buffer, or those for which
// there is room, and keeps it locked if so. If not, the headers have left when it
// returns.
func (w *response) hold(n int) (bool, error) {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return false, errOver
	}
	if w.waiting() && (w.fits(n) || w.bodiless()) {
		return true, nil
	}
	w.sendAndUnlock()
	return false, nil
}

// waiting reports that nothing has left yet.
func (w *response) waiting() bool { return !w.sent && !w.hijacked && w.failed == nil }

// fits starts the page and reports whether n more bytes may wait.
func (w *response) fits(n int) bool {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.buf == nil {
		w.buf = w.x.m.buffers.Get().(*[]byte)
	}
	return len(*w.buf)+n <= w.x.m.opt.BufferSize
}

// room is how many of n bytes the buffer takes.
func (w *response) room(n int) int { return min(n, w.x.m.opt.BufferSize-len(*w.buf)) }

// bodiless reports that what the buffer does not take can be thrown away: of a
// HEAD only the headers leave, which then can wait for the save. net/http makes
// a Content-Length of the body's if it is short, so that the buffer must not be
// shorter than that.
func (w *response) bodiless() bool {
	const most = 8 << 10 // net/http has 2 KiB, its HTTP/2 has 4
	return w.x.request.Method == http.MethodHead && w.x.m.opt.BufferSize >= most
}

// direct writes to a response whose headers have left. The last byte of a body
// of known length stays here until the session is saved.
func (w *response) direct(b []byte) (int, error) {
	if w.failed != nil {
		return 0, w.failed
	}
	if w.hijacked {
		return w.w.Write(b) // http.ErrHijacked
	}
	if w.held && len(b) > 0 {
		return 0, http.ErrContentLength
	}
	if w.length > 0 && len(b) > 0 && w.written+int64(len(b)) == w.length {
		n, err := len(b)-1, error(nil)
		if n > 0 {
			n, err = w.w.Write(b[:n])
		}
		w.written += int64(n)
		if err != nil {
			return n, err
		}
		w.held, w.last = true, b[len(b)-1]
		w.written++
		return len(b), nil
	}
	n, err := w.w.Write(b)
	w.written += int64(n)
	return n, err
}
