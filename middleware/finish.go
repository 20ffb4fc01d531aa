package middleware

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aspsession/aspsession/session"
)

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

// fail drops the page and lets OnError answer instead.
func (w *response) fail(err error) {
	w.failed = fmt.Errorf("middleware: the response was given up: %w", err)
	w.recycle()
	if w.sent {
		w.x.m.opt.OnError(dropped{}, w.x.request, fmt.Errorf("middleware: after the headers had left: %w", err))
		return
	}
	w.forget()
	w.keepID()
	w.x.m.opt.OnError(w.w, w.x.request, err)
}

// forget makes the headers what they were before the handler.
func (w *response) forget() {
	h := w.w.Header()
	clear(h)
	for name, v := range w.before {
		h[name] = v
	}
}

// abandon ends a request whose handler did not return. Whoever recovers outside
// may answer, and must not meet a Content-Length of the page that was dropped.
func (w *response) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	waiting := w.waiting()
	if waiting {
		w.forget()
	}
	w.drop()
	if waiting {
		w.keepID()
	}
}

// keepID tells the visitor of a session that lives under an id he does not know
// (Regenerate, Save), though the page that made it was dropped: his old id is
// worth nothing any more.
func (w *response) keepID() {
	w.announced = false
	if w.x.path == nil && w.x.m.sessions.Announce(&w.x.session) == session.NewID {
		w.announce()
	}
}

// drop gives the lock back and saves nothing.
func (w *response) drop() {
	w.recycle()
	if err := w.x.m.sessions.Discard(&w.x.session); err != nil {
		w.x.m.opt.OnError(dropped{}, w.x.request, err)
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
