package payload

import (
	"fmt"
	"math"
)

// Limits bound what opening a payload may cost. The zero value means the
// defaults.
type Limits struct {
	// Bytes is the largest payload, inflated. Default 32 MiB; at most 2 GiB - 1,
	// which is all the format's offsets can hold. A higher limit lets one stored
	// session take that much memory each time it is opened.
	Bytes int
	// Items is the largest number of items. Default 262,144. Each costs 24 bytes
	// beside its share of the payload.
	Items int
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 32 << 20
	}
	l.Bytes = min(l.Bytes, math.MaxInt32)
	if l.Items <= 0 {
		l.Items = 1 << 18
	}
	return l
}

// Allow reports ErrLimit for a payload that Open would refuse under l: storing it
// would lose the session.
func (l Limits) Allow(p *Payload) error {
	l = l.withDefaults()
	if n := p.Size(); n > l.Bytes {
		return frameError(-1, "frame", fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, n, l.Bytes))
	}
	if n := len(p.items.entries); n > l.Items {
		return frameError(-1, "item count", fmt.Errorf("%w: %d items, at most %d", ErrLimit, n, l.Items))
	}
	return nil
}
