package middleware

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/session"
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
		*w.buf = append(*w.buf, b...)
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
		*w.buf = append(*w.buf, s...)
		w.mu.Unlock()
		return len(s), nil
	} else if err != nil {
		return 0, err
	}
	return w.direct([]byte(s))
}

// hold reports whether n more bytes may wait in the buffer, and keeps it locked
// if so. If not, the headers have left when it returns.
func (w *response) hold(n int) (bool, error) {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return false, errOver
	}
	if w.waiting() && w.fits(n) {
		return true, nil
	}
	w.send()
	w.mu.Unlock()
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

// ReadFrom implements io.ReaderFrom, so that a file too long for the buffer goes
// out by sendfile; its last byte does not wait for the save.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return 0, errOver
	}
	if w.waiting() {
		if length, ok := w.contentLength(); !ok || length <= int64(w.x.m.opt.BufferSize) {
			if n, err = w.fill(src); err != errFull {
				w.mu.Unlock()
				return n, err
			}
		} else if w.status == 0 {
			w.status = http.StatusOK
		}
		w.send()
	}
	w.mu.Unlock()
	if w.failed != nil {
		return n, w.failed
	}
	if w.length >= 0 && !w.hijacked && !isFile(src) {
		more, err := io.Copy(struct{ io.Writer }{w}, src) // no sendfile: the last byte waits
		return n + more, err
	}
	more, err := io.Copy(w.w, src)
	w.written += more
	return n + more, err
}

// isFile reports what net/http may send by sendfile.
func isFile(src io.Reader) bool {
	if l, ok := src.(*io.LimitedReader); ok {
		src = l.R
	}
	_, ok := src.(*os.File)
	return ok
}

var errFull = errors.New("full")

// fill reads into the buffer until it is full. The buffer is not locked while it
// waits for src.
func (w *response) fill(src io.Reader) (n int64, err error) {
	for w.waiting() && w.fits(1) {
		buf := *w.buf
		w.filling = true
		w.mu.Unlock()
		k, err := src.Read(buf[len(buf):w.x.m.opt.BufferSize])
		w.mu.Lock()
		w.filling = false
		if w.over {
			return n, errOver
		}
		if !w.waiting() { // flushed meanwhile: buf is nobody's, and goes where the rest went
			more, werr := w.direct(buf[len(buf) : len(buf)+k])
			if n += int64(more); err == nil {
				err = werr
			}
		} else {
			*w.buf = buf[:len(buf)+k]
			n += int64(k)
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, errFull
}

// contentLength is the handler's Content-Length.
func (w *response) contentLength() (int64, bool) {
	v := w.w.Header()["Content-Length"]
	if len(v) == 0 {
		return -1, false
	}
	n, err := strconv.ParseInt(v[0], 10, 64)
	return n, err == nil && n >= 0
}

// send lets headers and buffer go while the handler still runs. A new session is
// stored and locked for it; if that fails, nothing leaves but the error page.
func (w *response) send() {
	if !w.waiting() {
		return
	}
	if err := w.x.m.sessions.Seal(&w.x.session); err != nil {
		w.fail(err)
		return
	}
	if length, ok := w.contentLength(); ok {
		w.length = length
	}
	w.release()
}

// release writes headers and buffer.
func (w *response) release() {
	w.sent = true
	w.announce()
	if w.status != 0 {
		w.writeHeader()
	}
	if w.buf == nil {
		return
	}
	if len(*w.buf) > 0 {
		_, _ = w.direct(*w.buf) // the handler's next write meets the same error
	}
	w.recycle()
}

// announce puts into the headers what the visitor must know of his id, and keeps
// shared caches from telling others.
func (w *response) announce() {
	if w.x.path != nil {
		w.announcePath()
		return
	}
	news := w.x.m.sessions.Announce(&w.x.session)
	cookie := &w.x.m.opt.Cookie
	if w.announced || news == session.Nothing || news == session.Gone && !cookie.ExpireOnAbandon {
		return
	}
	w.announced = true
	h := w.w.Header()
	id := ""
	if news == session.NewID {
		id = w.x.session.ID()
	}
	h.Add("Set-Cookie", cookie.header(id))
	if len(h["Cache-Control"]) == 0 {
		h.Set("Cache-Control", "private")
	}
}

// announcePath keeps a redirect within the application in the session, as
// Response.Redirect does (.NET Framework 4.8).
func (w *response) announcePath() {
	if h := w.w.Header(); len(h["Location"]) == 1 {
		h.Set("Location", cookieless.Apply(w.x.request, h.Get("Location")))
	}
}

// writeHeader keeps the values of announced trailers out of the headers: the
// handler may have set them while all of this waited.
func (w *response) writeHeader() {
	h := w.w.Header()
	var trailers http.Header
	for _, names := range h["Trailer"] {
		for name := range strings.SplitSeq(names, ",") {
			name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
			if v, ok := h[name]; ok {
				if trailers == nil {
					trailers = make(http.Header)
				}
				trailers[name] = v
				delete(h, name)
			}
		}
	}
	w.w.WriteHeader(w.status)
	for name, v := range trailers {
		h[name] = v
	}
}

// recycle gives the buffer back.
func (w *response) recycle() {
	if w.buf == nil {
		return
	}
	if !w.filling {
		*w.buf = (*w.buf)[:0]
		w.x.m.buffers.Put(w.buf)
	}
	w.buf = nil
}

// finish ends a request whose handler returned.
func (w *response) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.failed != nil {
		w.drop() // the client has the error page: what it did must not count
		if w.sent {
			w.abort()
		}
		return
	}
	err := w.x.m.sessions.Finish(&w.x.session)
	if errors.Is(err, session.ErrNotRenewed) {
		w.x.m.opt.OnError(dropped{}, w.x.request, err) // the page did not need its session
		err = nil
	}
	switch {
	case err != nil && w.hijacked:
		w.x.m.opt.OnError(dropped{}, w.x.request, err)
	case err != nil:
		w.fail(err)
		if w.sent {
			w.abort() // a half page must not look whole
		}
	case w.hijacked:
	case w.sent:
		if w.held {
			_, _ = w.w.Write([]byte{w.last}) // a client that is gone misses it
		}
	default:
		w.setLength()
		w.release()
	}
}

// abort breaks the connection. To HTTP/1.0 the end of the connection is the end
// of the page: only a reset tells it that something is missing.
func (w *response) abort() {
	if !w.x.request.ProtoAtLeast(1, 1) {
		if conn, _, err := http.NewResponseController(w.w).Hijack(); err == nil {
			under := conn
			if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
				under = t.NetConn()
			}
			if t, ok := under.(*net.TCPConn); ok {
				_ = t.SetLinger(0)
			}
			_ = under.Close()
		}
	}
	panic(http.ErrAbortHandler)
}

// serverCounts is how long a page may be for net/http to know its length itself,
// over HTTP/1 and HTTP/2.
const serverCounts = 2 << 10

// setLength spares a buffered page the chunked encoding, and tells HEAD the
// length of the page that it does not get.
func (w *response) setLength() {
	h := w.w.Header()
	if w.buf == nil || len(*w.buf) <= serverCounts && w.x.request.Method != http.MethodHead ||
		len(h["Content-Length"]) > 0 || len(h["Transfer-Encoding"]) > 0 || len(h["Trailer"]) > 0 ||
		w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return
	}
	for name := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(*w.buf)))
}

// fail drops the page and lets OnError answer instead.
func (w *response) fail(err error) {
	w.failed = fmt.Errorf("middleware: the response was given up: %w", err)
	w.recycle()
	if w.sent {
		w.x.m.opt.OnError(dropped{}, w.x.request, fmt.Errorf("middleware: after the headers had left: %w", err))
		return
	}
	h := w.w.Header()
	clear(h)
	for name, v := range w.before {
		h[name] = v
	}
	w.x.m.opt.OnError(w.w, w.x.request, err)
}

// abandon ends a request whose handler did not return.
func (w *response) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.drop()
}

// drop gives the lock back and saves nothing.
func (w *response) drop() {
	w.recycle()
	if err := w.x.m.sessions.Discard(&w.x.session); err != nil {
		w.x.m.opt.OnError(dropped{}, w.x.request, err)
	}
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.w }

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush for http.ResponseController. The page leaves before the
// session is saved, but for a byte that is held back.
func (w *response) FlushError() error {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return errOver
	}
	if w.waiting() {
		if w.status == 0 {
			w.status = http.StatusOK
		}
		if length, ok := w.contentLength(); ok && length == 0 || w.status == http.StatusNoContent || w.status == http.StatusNotModified {
			w.mu.Unlock()
			return nil // headers are all of it: they wait for the save
		}
		w.send()
	}
	w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	return http.NewResponseController(w.w).Flush()
}

// Hijack implements http.Hijacker. The session is saved and released first; of a
// new one the cookie is in Header, for who writes the response himself. Where
// the connection cannot be hijacked, as in HTTP/2, nothing happens.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.failed != nil:
		return nil, nil, w.failed
	case w.hijacked:
		return nil, nil, http.ErrHijacked
	case w.over:
		return nil, nil, errOver
	case !canHijack(w.w):
		return nil, nil, fmt.Errorf("middleware: hijacking: %w", http.ErrNotSupported)
	}
	if err := w.x.session.Release(); err != nil && !sessionEnded(err) {
		if !w.sent {
			w.fail(err)
			return nil, nil, w.failed
		}
		return nil, nil, err
	}
	if !w.sent {
		w.announce()
	}
	conn, rw, err := http.NewResponseController(w.w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.hijacked = true
	w.recycle()
	return conn, rw, nil
}

// canHijack looks where http.ResponseController will.
func canHijack(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

// dropped is the writer of an error page that nobody can be sent.
type dropped struct{}

func (dropped) Header() http.Header         { return http.Header{} }
func (dropped) Write(b []byte) (int, error) { return len(b), nil }
func (dropped) WriteHeader(int)             {}

// sessionEnded reports that there was nothing left to save.
func sessionEnded(err error) bool {
	return errors.Is(err, session.ErrReleased) || errors.Is(err, session.ErrDisabled)
}
