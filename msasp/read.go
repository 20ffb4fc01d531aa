package msasp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrMessage is wrapped by the error of a message that cannot be parsed. Where
// the next one starts is not known then: answer 400 and close.
var ErrMessage = errors.New("msasp: malformed message")

// Limits bound what is read from a peer. The zero value means the defaults.
type Limits struct {
	// Line is the longest request line, status line or header, in bytes.
	// Default 4096; a key of 80 characters, encoded, takes some 600.
	Line int
	// Headers is how many headers a message may have. Default 40.
	Headers int
	// Body is the longest body in bytes. Default 32 MiB.
	Body int
}

func (l Limits) withDefaults() Limits {
	if l.Line <= 0 {
		l.Line = 4096
	}
	if l.Headers <= 0 {
		l.Headers = 40
	}
	if l.Body <= 0 {
		l.Body = 32 << 20
	}
	return l
}

// A Reader reads messages from one connection, however they are cut into
// packets. It keeps a buffer of one line and some and allocates nothing per
// message. One goroutine.
type Reader struct {
	src    io.Reader
	limits Limits
	buf    []byte
	r, w   int    // what is unread of buf
	late   int    // length of a body that was announced and may still come
	kept   []byte // see keep
}

// NewReader starts reading from src.
func NewReader(src io.Reader, limits Limits) *Reader {
	limits = limits.withDefaults()
	return &Reader{src: src, limits: limits, buf: make([]byte, limits.Line+2)}
}

// Buffered is the number of bytes that were received and not read yet.
func (r *Reader) Buffered() int { return r.w - r.r }

// Fill waits for at least one byte of the next message. Its error is the
// connection's; io.EOF is a peer who is done.
func (r *Reader) Fill() error {
	if err := r.skipLate(); err != nil {
		return err
	}
	if r.r < r.w {
		return nil
	}
	r.r, r.w = 0, 0
	return r.more()
}

// more reads once.
func (r *Reader) more() error {
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// line returns the next line without its end, valid until the next read. A bare
// LF ends one too.
func (r *Reader) line() ([]byte, error) {
	scanned := 0
	for {
		if i := bytes.IndexByte(r.buf[r.r+scanned:r.w], '\n'); i >= 0 {
			line := r.buf[r.r : r.r+scanned+i]
			r.r += scanned + i + 1
			line = bytes.TrimSuffix(line, []byte{'\r'})
			if len(line) > r.limits.Line {
				return nil, fmt.Errorf("%w: a line of over %d bytes", ErrMessage, r.limits.Line)
			}
			return line, nil
		}
		scanned = r.w - r.r
		if scanned == len(r.buf) {
			return nil, fmt.Errorf("%w: a line of over %d bytes", ErrMessage, r.limits.Line)
		}
		if r.w == len(r.buf) {
			copy(r.buf, r.buf[r.r:r.w])
			r.r, r.w = 0, scanned
		}
		if err := r.more(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// Body reads the n bytes of a body into dst, whose length is n. It may be
// called piece by piece.
func (r *Reader) Body(dst []byte) error {
	k := copy(dst, r.buf[r.r:r.w])
	r.r += k
	if k == len(dst) {
		return nil
	}
	_, err := io.ReadFull(r.src, dst[k:])
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Discard skips n bytes of a body.
func (r *Reader) Discard(n int) error {
	for n > 0 {
		if r.r == r.w {
			r.r, r.w = 0, 0
			if err := r.more(); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return err
			}
		}
		k := min(n, r.w-r.r)
		r.r += k
		n -= k
	}
	return nil
}

// Request reads the head of a request. An error that is ErrMessage says what is
// wrong with it, without the bytes, which may hold a key; any other is the
// connection's. A Length is for the caller to read or Discard.
//
// MS-ASP's examples show a Content-Length on GETs that have no body. On such
// verbs Length is that of a body which is there already; one that comes later is
// skipped before the next request.
func (r *Reader) Request(req *Request) error {
	if err := r.skipLate(); err != nil {
		return err
	}
	line, err := r.line()
	if err != nil {
		return err
	}
	*req = Request{}
	verb, rest, ok := bytes.Cut(line, []byte{' '})
	target, version, ok2 := bytes.Cut(rest, []byte{' '})
	if !ok || !ok2 || len(target) == 0 || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return fmt.Errorf("%w: no request line", ErrMessage)
	}
	switch string(verb) {
	case "GET":
		req.Verb = GET
	case "PUT":
		req.Verb = PUT
	case "DELETE":
		req.Verb = DELETE
	case "HEAD":
		req.Verb = HEAD
	default:
		return fmt.Errorf("%w: an unknown verb", ErrMessage)
	}
	// The line's bytes move when the next are read.
	req.Target = r.keep(target)
	length, err := r.headers(req)
	if err != nil {
		return err
	}
	switch {
	case req.Verb == PUT && length < 0:
		return fmt.Errorf("%w: a PUT without Content-Length", ErrMessage)
	case req.Verb != PUT && length > 0:
		if body, sure := r.bodyFollows(); !body || !sure {
			r.late, length = length, 0
		}
	}
	length = max(length, 0)
	req.Length = length
	return nil
}

// keep copies a part of a line to where the following lines do not overwrite it.
func (r *Reader) keep(b []byte) []byte {
	r.kept = append(r.kept[:0], b...)
	return r.kept
}

// bodyFollows reports bytes in the buffer that start no request, and whether
// there are enough to be sure.
func (r *Reader) bodyFollows() (body, sure bool) {
	b := r.buf[r.r:r.w]
	for _, verb := range verbNames[GET:] {
		n := min(len(b), len(verb))
		if string(b[:n]) == verb[:n] {
			return false, n == len(verb)
		}
	}
	return true, true
}

// skipLate skips the body of a request that needed none, if there is one.
func (r *Reader) skipLate() error {
	for r.late > 0 {
		body, sure := r.bodyFollows()
		switch n := r.late; {
		case sure && body:
			r.late = 0
			return r.Discard(n)
		case sure:
			r.late = 0
		default:
			r.w = copy(r.buf, r.buf[r.r:r.w])
			r.r = 0
			if err := r.more(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reply reads the head of a reply; the reply to a HEAD has no body whatever its
// length says. An error that is ErrMessage quotes the first line.
func (r *Reader) Reply(rep *Reply) error {
	line, err := r.line()
	if err != nil {
		return err
	}
	first := r.keep(line[:min(len(line), 80)])
	*rep = Reply{}
	status := line
	if bytes.HasPrefix(line, []byte("HTTP/")) {
		_, status, _ = bytes.Cut(line, []byte{' '})
	}
	status, _, _ = bytes.Cut(status, []byte{' '})
	n := parseInt32(status)
	if n.Bad || len(status) != 3 || n.Value < 100 {
		return fmt.Errorf("%w: the reply starts with %q", ErrMessage, first)
	}
	rep.Status = int(n.Value)
	length, err := r.headers(rep)
	if err == nil && length > r.limits.Body {
		err = fmt.Errorf("%w: a body of %d bytes, at most %d", ErrMessage, length, r.limits.Body)
	}
	if errors.Is(err, ErrMessage) {
		return fmt.Errorf("%w; the reply starts with %q", err, first)
	}
	rep.Length = max(length, 0)
	return err
}

// headers reads headers to the empty line and hands m all but Content-Length.
// length is -1 where there was none.
func (r *Reader) headers(m interface{ header(name, value []byte) }) (length int, err error) {
	length = -1
	for n := 0; ; n++ {
		line, err := r.line()
		if err != nil {
			return 0, err
		}
		if len(line) == 0 {
			return length, nil
		}
		if n == r.limits.Headers {
			return 0, fmt.Errorf("%w: more than %d headers", ErrMessage, r.limits.Headers)
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok || len(name) == 0 {
			return 0, fmt.Errorf("%w: header %d has no name", ErrMessage, n+1)
		}
		name, value = bytes.TrimSpace(name), bytes.TrimSpace(value)
		if equalFold(name, "content-length") {
			v := parseInt32(value)
			if v.Bad || v.Value < 0 || length >= 0 && length != int(v.Value) {
				return 0, fmt.Errorf("%w: a Content-Length that is none, or a second one", ErrMessage)
			}
			length = int(v.Value)
			continue
		}
		m.header(name, value)
	}
}

func (req *Request) header(name, value []byte) {
	switch {
	case equalFold(name, "exclusive"):
		switch {
		case equalFold(value, "acquire"):
			req.Exclusive = ExclusiveAcquire
		case equalFold(value, "release"):
			req.Exclusive = ExclusiveRelease
		default:
			req.Exclusive = ExclusiveBad
		}
	case equalFold(name, "timeout"):
		req.Timeout = parseInt32(value)
	case equalFold(name, "lockcookie"), equalFold(name, "lock-cookie"): // MS-ASP has both spellings
		req.LockCookie = parseInt32(value)
	case equalFold(name, "extraflags"):
		req.ExtraFlags = parseInt32(value)
	case equalFold(name, "aspsession"):
		req.Ours = true
	}
}

func (rep *Reply) header(name, value []byte) {
	switch {
	case equalFold(name, "actionflags"):
		rep.ActionFlags = parseInt32(value)
	case equalFold(name, "lockcookie"), equalFold(name, "lock-cookie"):
		rep.LockCookie = parseInt32(value)
	case equalFold(name, "timeout"):
		rep.Timeout = parseInt32(value)
	case equalFold(name, "lockage"):
		rep.LockAge = parseInt32(value)
	case equalFold(name, "lockdate"):
		rep.LockDate, _ = strconv.ParseInt(string(value), 10, 64)
	case equalFold(name, "aspsession"):
		rep.Ours = true
	}
}

// equalFold compares with a lower-case ASCII name.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// parseInt32 reads decimal digits with an optional minus.
func parseInt32(b []byte) Number {
	n := Number{Set: true}
	digits := bytes.TrimPrefix(b, []byte{'-'})
	if len(digits) == 0 || len(digits) > 10 {
		n.Bad = true
		return n
	}
	v := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			n.Bad = true
			return n
		}
		v = v*10 + int64(c-'0')
	}
	if len(digits) < len(b) {
		v = -v
	}
	if v != int64(int32(v)) {
		n.Bad = true
		return n
	}
	n.Value = int32(v)
	return n
}

// Content reads a body of n bytes into memory of its own. It makes room as the
// bytes arrive: a length is only a promise.
func (r *Reader) Content(n int) ([]byte, error) {
	const first = 64 << 10
	body := make([]byte, min(n, first))
	if err := r.Body(body); err != nil {
		return nil, err
	}
	for len(body) < n {
		grown := make([]byte, min(n, 2*len(body)))
		if err := r.Body(grown[copy(grown, body):]); err != nil {
			return nil, err
		}
		body = grown
	}
	return body, nil
}
