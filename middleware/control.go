package middleware

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aspsession/aspsession/session"
)

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
	}
	w.sendAndUnlock()
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
	switch err := w.x.session.Release(); {
	case err == nil || sessionEnded(err):
	case errors.Is(err, session.ErrNotRenewed): // as in finish
		w.x.m.opt.OnError(dropped{}, w.x.request, err)
	default:
		w.fail(err)
		return nil, nil, w.failed
	}
	switch {
	case w.sent:
	case w.status != 0: // what the handler wrote before leaves before, as in net/http
		w.release()
	default:
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
