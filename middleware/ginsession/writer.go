package ginsession

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// inside is c.Writer for handlers of the session: what gin's own writer is on a
// connection, this is on the session's response.
type inside struct {
	http.ResponseWriter // the session's
	outer               gin.ResponseWriter
	status              int
	size                int // of the body; -1 while nothing is written
}

func (w *inside) start(session http.ResponseWriter, outer gin.ResponseWriter) {
	w.ResponseWriter, w.outer = session, outer
	w.status, w.size = outer.Status(), outer.Size()
}

// Status implements gin.ResponseWriter.
func (w *inside) Status() int { return w.status }

// Size implements gin.ResponseWriter.
func (w *inside) Size() int { return w.size }

// Written implements gin.ResponseWriter.
func (w *inside) Written() bool { return w.size >= 0 }

// WriteHeader implements gin.ResponseWriter: the status waits for a body or
// WriteHeaderNow, informational ones go out at once.
func (w *inside) WriteHeader(status int) {
	switch {
	case informational(status):
		w.ResponseWriter.WriteHeader(status)
	case status > 0 && !w.Written():
		w.status = status
	}
}

// WriteHeaderNow implements gin.ResponseWriter.
func (w *inside) WriteHeaderNow() {
	if !w.Written() {
		w.size = 0
		w.ResponseWriter.WriteHeader(w.status)
	}
}

// Write implements http.ResponseWriter.
func (w *inside) Write(b []byte) (int, error) {
	w.WriteHeaderNow()
	n, err := w.ResponseWriter.Write(b)
	w.size += n
	return n, err
}

// WriteString implements gin.ResponseWriter.
func (w *inside) WriteString(s string) (int, error) {
	w.WriteHeaderNow()
	n, err := io.WriteString(w.ResponseWriter, s)
	w.size += n
	return n, err
}

// Flush implements http.Flusher.
func (w *inside) Flush() { _ = w.FlushError() }

// FlushError is Flush for http.ResponseController.
func (w *inside) FlushError() error {
	w.WriteHeaderNow()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

var errWritten = errors.New("ginsession: hijacking: the response has a body already")

// Hijack implements http.Hijacker. As in gin, it must come before the body.
func (w *inside) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.size > 0 {
		return nil, nil, errWritten
	}
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.size < 0 {
		w.size = 0
	}
	return conn, rw, err
}

// CloseNotify implements http.CloseNotifier.
func (w *inside) CloseNotify() <-chan bool { return w.outer.CloseNotify() }

// Pusher implements gin.ResponseWriter.
func (w *inside) Pusher() http.Pusher { return w.outer.Pusher() }

// Unwrap is for http.ResponseController.
func (w *inside) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// below is what the session's response is written to: the c.Writer of the
// middlewares outside, without what it would get wrong. It sends headers when it
// is told to, lets informational responses through, and does not claim that
// every connection can be hijacked.
type below struct {
	gin gin.ResponseWriter
	raw http.ResponseWriter // what gin's writers write to; nil where they do not tell
	old bool                // HTTP/1
}

func (w *below) start(c *gin.Context) {
	w.gin, w.old = c.Writer, c.Request.ProtoMajor < 2
	for at := http.ResponseWriter(c.Writer); ; {
		under, ok := at.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return
		}
		at = under.Unwrap()
		if _, ok := at.(gin.ResponseWriter); !ok {
			w.raw = at
			return
		}
	}
}

// writer is below with Hijack where the connection has it, too.
func (w *below) writer() http.ResponseWriter {
	_, can := w.raw.(http.Hijacker)
	if can || w.raw == nil && w.old {
		return hijackable{w}
	}
	return w
}

func (w *below) Header() http.Header         { return w.gin.Header() }
func (w *below) Write(b []byte) (int, error) { return w.gin.Write(b) }

func (w *below) WriteHeader(status int) {
	switch {
	case !informational(status):
		w.gin.WriteHeader(status)
		w.gin.WriteHeaderNow()
	case w.raw != nil:
		w.raw.WriteHeader(status)
	}
}

// FlushError has the writers of other middlewares flush, too.
func (w *below) FlushError() error {
	w.gin.Flush()
	return nil
}

// Unwrap is for http.ResponseController, which must not meet gin's Hijack.
func (w *below) Unwrap() http.ResponseWriter { return w.raw }

// cut breaks the connection under a response that must not look whole. The panic
// that is under way does that, too, but gin.Recovery stops it.
func (w *below) cut() {
	_ = http.NewResponseController(w.gin).SetWriteDeadline(time.Unix(1, 0))
}

type hijackable struct{ *below }

func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.gin.Hijack() }

// informational reports a status that is not the response's.
func informational(status int) bool {
	return status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
}
