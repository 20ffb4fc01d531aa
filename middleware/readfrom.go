package middleware

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"syscall"
)

// ReadFrom implements io.ReaderFrom, so that a file too long for the buffer goes
// out by sendfile; its last byte does not wait for the save.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return 0, errOver
	}
	if w.waiting() {
		if length, ok := w.contentLength(); !ok || length <= int64(w.x.m.opt.BufferSize) || w.bodiless() {
			if n, err = w.fill(src); err != errFull {
				w.mu.Unlock()
				return n, err
			}
			if w.waiting() && w.bodiless() {
				w.mu.Unlock()
				more, err := io.Copy(io.Discard, src)
				return n + more, err
			}
		} else if w.status == 0 {
			w.status = http.StatusOK
		}
	}
	w.sendAndUnlock()
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
	_, ok := src.(interface { // *os.File, or what io.Copy makes of it
		fs.File
		io.Seeker
		syscall.Conn
	})
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
