package payload

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
)

// OpenDeflate reads a compressed frame (compressionEnabled="true"): raw DEFLATE,
// then one byte that nobody reads. The whole frame is inflated; offsets in
// errors count inflated bytes, or compressed ones where inflating itself fails.
func OpenDeflate(data []byte, limits Limits) (*Payload, error) {
	p := New(0, limits)
	plain, err := inflate(data, p.items.limits.Bytes)
	if err != nil {
		return nil, err
	}
	if err := p.parse(plain); err != nil {
		return nil, err
	}
	return p, nil
}

// inflate doubles its buffer, so that a bomb costs no more than twice the limit.
func inflate(data []byte, limit int) ([]byte, error) {
	src := bytes.NewReader(data)
	r, _ := inflaters.Get().(io.ReadCloser)
	if r == nil {
		r = flate.NewReader(src)
	} else if err := r.(flate.Resetter).Reset(src, nil); err != nil {
		return nil, frameError(0, "deflate stream", err)
	}
	defer func() {
		// The reader must not keep the session's bytes alive from its pool.
		if r.(flate.Resetter).Reset(bytes.NewReader(nil), nil) == nil {
			inflaters.Put(r)
		}
	}()
	room := limit
	if room < math.MaxInt {
		room++ // on 32 bits the highest limit is MaxInt
	}
	out := make([]byte, 0, min(room, max(512, min(len(data), room/4)*4)))
	for {
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if len(out) > limit {
			return nil, frameError(limit, "deflate stream", fmt.Errorf("%w: it inflates to more than %d bytes", ErrLimit, limit))
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			at := len(data) - src.Len()
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, frameError(at, "deflate stream", fmt.Errorf("%w: %w", ErrTruncated, err))
			}
			return nil, frameError(at, "deflate stream", fmt.Errorf("%w: %w", ErrCorrupt, err))
		}
		if len(out) == cap(out) {
			grown := make([]byte, len(out), min(cap(out)+min(cap(out), room-cap(out)), room))
			copy(grown, out)
			out = grown
		}
	}
}

// AppendDeflate adds the compressed frame to dst. The bytes are not those that
// .NET would write, since every compressor has its own; what they inflate to is.
func (p *Payload) AppendDeflate(dst []byte) ([]byte, error) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	plain, err := p.Append((*scratch)[:0])
	if err != nil {
		return nil, err
	}
	if cap(plain) <= 1<<20 {
		*scratch = plain
	}
	out := &sliceWriter{dst}
	w, _ := deflaters.Get().(*flate.Writer)
	if w == nil {
		w, _ = flate.NewWriter(out, flate.DefaultCompression) // the level is valid
	} else {
		w.Reset(out)
	}
	defer func() {
		w.Reset(io.Discard)
		deflaters.Put(w)
	}()
	if _, err := w.Write(plain); err != nil {
		return nil, frameError(-1, "deflate stream", err)
	}
	if err := w.Close(); err != nil {
		return nil, frameError(-1, "deflate stream", err)
	}
	return append(out.b, Trailer), nil
}

// A deflater is half a megabyte; pooling makes it a cost per processor and not
// per request.
var (
	inflaters, deflaters sync.Pool
	scratches            = sync.Pool{New: func() any { return new([]byte) }}
)

type sliceWriter struct{ b []byte }

func (w *sliceWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}
