package htmlrewrite

import (
	"bufio"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/aspsession/aspsession/cookieless"
)

// Handler munges the links in what next writes, where the id of the request
// travels in the path.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !cookieless.From(r).PathMode() {
			next.ServeHTTP(w, r)
			return
		}
		rw := &response{w: w, r: r}
		next.ServeHTTP(rw, r)
		rw.finish()
	})
}

// A response is the handler's writer. Once the headers are there it is a
// passage, or it rewrites.
type response struct {
	w        http.ResponseWriter
	r        *http.Request
	status   int // waits for the first bytes, which tell the type; 0 if none does
	begun    bool
	hijacked bool
	page     *rewriter // nil: a passage
}

// pieceSize bounds the copy of what the handler writes at once.
const pieceSize = 16 << 10

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	switch {
	case w.begun || status < 200 && status != http.StatusSwitchingProtocols:
		w.w.WriteHeader(status)
	case w.status != 0: // the first counts
	default:
		w.status = status
		if _, typed := w.w.Header()["Content-Type"]; typed || bodyless(status) {
			w.begin(nil)
		}
	}
}

// bodyless reports statuses without a body; 0 is none yet.
func bodyless(status int) bool {
	return status > 0 && status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// begin decides, and sends the headers if their time had come.
func (w *response) begin(first []byte) {
	if w.begun {
		return
	}
	w.begun = true
	h := w.w.Header()
	if _, typed := h["Content-Type"]; !typed && len(first) > 0 && h.Get("Content-Encoding") == "" && !bodyless(w.status) {
		h.Set("Content-Type", http.DetectContentType(first)) // what net/http would find
	}
	if w.rewrites(h) {
		h.Del("Content-Length")
		h.Del("Accept-Ranges")
		w.page = &rewriter{r: w.r}
	}
	if w.status != 0 {
		w.w.WriteHeader(w.status)
	}
}

func (w *response) rewrites(h http.Header) bool {
	if bodyless(w.status) || w.status == http.StatusPartialContent || h.Get("Content-Range") != "" {
		return false
	}
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return false
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	return (err == nil || err == mime.ErrInvalidMediaParameter) && media == "text/html" && asciiCharset(params["charset"])
}

// asciiCharset reports charsets in which the bytes of markup are those of ASCII
// and mean nothing else. None named: browsers guess, among such ones only.
func asciiCharset(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "", "utf-8", "utf8", "ascii", "us-ascii", "latin1", "gbk", "gb2312", "gb18030", "big5", "shift_jis", "shift-jis", "sjis", "windows-31j":
		return true
	}
	for _, family := range []string{"iso-8859-", "iso8859-", "windows-125", "windows-874", "cp125", "koi8-", "euc-", "ks_c_5601", "macintosh", "x-mac-", "big5-", "tis-620"} {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}

// Write implements http.ResponseWriter.
func (w *response) Write(b []byte) (int, error) {
	if w.hijacked {
		return w.w.Write(b) // http.ErrHijacked
	}
	if len(b) > 0 {
		w.begin(b)
	}
	if w.page == nil || len(b) == 0 {
		return w.w.Write(b)
	}
	for n := 0; n < len(b); {
		piece := b[n:min(n+pieceSize, len(b))]
		if out := w.page.rewrite(piece); len(out) > 0 {
			if _, err := w.w.Write(out); err != nil {
				return n, err
			}
		}
		n += len(piece)
	}
	return len(b), nil
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	if w.begun && w.page == nil {
		return io.WriteString(w.w, s)
	}
	return w.Write([]byte(s))
}

// ReadFrom implements io.ReaderFrom. What is not rewritten may go by sendfile.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	if !w.begun {
		if _, typed := w.w.Header()["Content-Type"]; typed {
			w.begin(nil)
		} else {
			first := make([]byte, 512)
			k, err := io.ReadFull(src, first)
			if k > 0 {
				k, werr := w.Write(first[:k])
				if n = int64(k); werr != nil {
					return n, werr
				}
			}
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return n, nil
			}
			if err != nil {
				return n, err
			}
		}
	}
	if w.page != nil {
		k, err := io.Copy(struct{ io.Writer }{w}, src)
		return n + k, err
	}
	k, err := io.Copy(w.w, src)
	return n + k, err
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.w }

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush for http.ResponseController. Half a start tag stays.
func (w *response) FlushError() error {
	if !w.hijacked {
		w.begin(nil)
	}
	return http.NewResponseController(w.w).Flush()
}

// Hijack implements http.Hijacker.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.w).Hijack()
	w.hijacked = w.hijacked || err == nil
	return conn, rw, err
}

// finish ends a page whose handler returned.
func (w *response) finish() {
	if w.hijacked {
		return
	}
	if !w.begun && w.status != 0 {
		w.begin(nil)
	}
	if w.page != nil && len(w.page.rest()) > 0 {
		_, _ = w.w.Write(w.page.rest()) // a client that is gone misses it
	}
}
