package payload

import (
	"encoding/binary"
	"fmt"
)

// Trailer is the last byte of a frame, and the byte behind a DEFLATE stream.
const Trailer = 0xff

// A Payload is a session as a store keeps it: timeout, items, static tail.
// One goroutine at a time.
type Payload struct {
	timeout  int32 // minutes
	loadedAt int32 // the timeout that was opened
	raw      []byte
	static   []byte // static objects, from their count to the trailer; nil for none
	staticAt int    // where static starts in raw
	items    Items
}

// New makes an empty session with a timeout in minutes.
func New(timeout int32, limits Limits) *Payload {
	p := &Payload{timeout: timeout, loadedAt: timeout}
	p.items.init(limits)
	return p
}

// Open reads an uncompressed frame. It keeps data, which must not be changed.
// The error is an [*Error]; what follows the trailer is ignored, as .NET ignores
// it, unless static objects hide where the trailer is.
func Open(data []byte, limits Limits) (*Payload, error) {
	p := New(0, limits)
	if len(data) > p.items.limits.Bytes {
		return nil, frameError(0, "frame", fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, len(data), p.items.limits.Bytes))
	}
	if err := p.parse(data); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Payload) parse(data []byte) error {
	p.raw = data
	timeout, err := readInt32(data, 0, "timeout")
	if err != nil {
		return err
	}
	p.timeout, p.loadedAt = int32(timeout), int32(timeout)
	if len(data) < 6 {
		return frameError(len(data), "flags", fmt.Errorf("%w: 2 bytes needed, %d left", ErrTruncated, len(data)-4))
	}
	hasItems, hasStatic := data[4] != 0, data[5] != 0
	end := 6
	if hasItems {
		if end, err = p.items.parse(data, end); err != nil {
			return err
		}
	}
	if hasStatic {
		stop, err := walkStatic(data, end, func(StaticObject) {})
		if err != nil {
			return err
		}
		p.static, p.staticAt, end = data[end:stop:stop], end, stop
	}
	if end >= len(data) {
		return frameError(end, "trailer", fmt.Errorf("%w: the trailer is missing", ErrTruncated))
	}
	if data[end] != Trailer {
		return frameError(end, "trailer", fmt.Errorf("%w: 0x%02x, not 0x%02x", ErrCorrupt, data[end], Trailer))
	}
	return nil
}

// Items is the session's collection; it lives as long as p.
func (p *Payload) Items() *Items { return &p.items }

// Timeout is the sliding timeout in minutes, as stored: ASP.NET writes 1 to
// 525,600, but any int32 can be in a frame.
func (p *Payload) Timeout() int32 { return p.timeout }

// SetTimeout changes the sliding timeout, in minutes.
func (p *Payload) SetTimeout(minutes int32) { p.timeout = minutes }

// TimeoutChanged reports that the timeout is not the one opened or committed.
func (p *Payload) TimeoutChanged() bool { return p.timeout != p.loadedAt }

// Static is the tail with the static objects, verbatim, or nil. Read only.
func (p *Payload) Static() []byte { return p.static }

// Dirty reports that there is something to save.
func (p *Payload) Dirty() bool { return p.items.Dirty() || p.TimeoutChanged() }

// Commit forgets the changes: the store has them now.
func (p *Payload) Commit() {
	p.items.Commit()
	p.loadedAt = p.timeout
}

// verbatim reports that the opened bytes are still the whole truth.
func (p *Payload) verbatim() bool {
	return p.raw != nil && !p.items.edited && binary.LittleEndian.Uint32(p.raw) == uint32(p.timeout)
}

// Size is the length in bytes of what Append will add.
func (p *Payload) Size() int {
	if p.verbatim() {
		return len(p.raw)
	}
	size := 7 + len(p.static)
	if !p.items.Empty() {
		size += p.items.Size()
	}
	return size
}

// Append adds the frame to dst. A session that was not changed comes out byte
// for byte as it went in. Errors are those of [Items.Append].
func (p *Payload) Append(dst []byte) ([]byte, error) {
	if p.verbatim() {
		return append(dst, p.raw...), nil
	}
	if err := p.items.limits.Allow(p); err != nil {
		return nil, err // nobody could open it again
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(p.timeout))
	dst = append(dst, flag(!p.items.Empty()), flag(p.static != nil))
	if !p.items.Empty() {
		var err error
		if dst, err = p.items.Append(dst); err != nil {
			return nil, err
		}
	}
	dst = append(dst, p.static...)
	return append(dst, Trailer), nil
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}
