package middleware

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/session"
)

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

// sendAndUnlock is send, and unlocks even where a hook, the store or w panics: the
// end of the request needs mu.
func (w *response) sendAndUnlock() {
	defer w.mu.Unlock()
	w.send()
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
		munge(w.w.Header(), w.x.request)
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
	if cc := h.Get("Cache-Control"); cc == "" || strings.Contains(strings.ToLower(cc), "public") {
		h.Set("Cache-Control", "private")
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
