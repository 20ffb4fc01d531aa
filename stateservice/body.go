package stateservice

// Contents come in two kinds.
//
// One of up to joined bytes is the shard's own: it is copied in and out with the
// shard locked, and a Set writes over the old one where it fits. So storing
// makes no garbage, and the heap of many sessions that are stored again and
// again is what they hold, not twice that: with the collector's default target a
// million sessions of 1 KB, each stored twice, took 2.1 GB otherwise, and 1.35
// GB so.
//
// A larger one, and every one where a journal or a hook may keep it, is never
// written again once it is here: replies share it.

// private reports that a content of n bytes is of the first kind.
func (e *engine) private(n int) bool {
	return n <= joined && e.opt.Journal == nil && e.opt.OnEnd == nil
}

// copyIn is what an item has of body from now on, in place of old.
func (e *engine) copyIn(old, body []byte) []byte {
	switch {
	case !e.private(len(body)):
		return body
	case len(old) <= joined && cap(old) >= len(body) && cap(old) <= 2*len(body)+64:
		return append(old[:0], body...)
	}
	return append([]byte(nil), body...) // rounded up to what is allocated anyway
}

// copyOut is a content that may be read with the shard unlocked, in buf where it
// has to be copied.
func (e *engine) copyOut(buf *[]byte, body []byte) []byte {
	if !e.private(len(body)) {
		return body
	}
	*buf = append((*buf)[:0], body...)
	return *buf
}
