package stateservice

// Peek returns a copy of an item's content, and what List tells of it; ok is
// false where there is none. It is for people who look: it renews nothing, waits
// for no lock and takes none, and no holder of one notices. A content of more
// than most bytes is not copied: body is nil then, and Info.Size how long it is.
// The key is that of Info, a bearer secret.
func (s *Server) Peek(key string, most int) (body []byte, info Info, ok bool) {
	e := &s.engine
	body, info, ok = e.peek(key, most)
	if ok && info.Size <= most && !e.private(info.Size) {
		body = append([]byte{}, body...) // never written again, so that it need not be locked
	}
	return body, info, ok
}

func (e *engine) peek(key string, most int) (body []byte, info Info, ok bool) {
	sh := e.shard([]byte(key))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := e.now()
	it := sh.items[key]
	if it == nil || it.grave || it.expired(now) {
		return nil, Info{}, false
	}
	info = e.info(sh, it, now)
	switch {
	case len(it.body) > most:
	case e.private(len(it.body)):
		body = append([]byte{}, it.body...)
	default:
		body = it.body
	}
	return body, info, true
}
