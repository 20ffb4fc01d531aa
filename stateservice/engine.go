package stateservice

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspsession/aspsession/clr"
	"github.com/aspsession/aspsession/msasp"
)

const (
	shardCount     = 256    // a power of two
	maxTimeout     = 525600 // minutes
	defaultTimeout = 20     // minutes
	graveTime      = 10 * time.Minute
	uninitialized  = 1 // the bit of ExtraFlags and ActionFlags
)

// engine is the store and its state machine (MS-ASP 3.1.5; .NET Framework 4.8
// StateHttpWorkerRequest, StateRuntime).
type engine struct {
	opt    Options
	seed   maphash.Seed
	shards [shardCount]shard
	items  atomic.Int64
	bytes  atomic.Int64 // of contents
}

type shard struct {
	mu     sync.Mutex // guards all below, and every item
	items  map[string]*item
	graves map[string]grave
	_      [24]byte
}

// An item's body is never written again once it is here: replies share it.
type item struct {
	body     []byte
	expires  time.Time // zero: never
	lockedAt time.Time
	timeout  int32 // minutes; 0: no expiry
	cookie   int32
	locked   bool
	fresh    bool // uninitialized
}

// A grave remembers the lock cookie of an item that ended.
type grave struct {
	cookie int32
	until  time.Time
}

func (e *engine) init(opt Options) {
	e.opt, e.seed = opt, maphash.MakeSeed()
	for i := range e.shards {
		e.shards[i].items = make(map[string]*item)
		e.shards[i].graves = make(map[string]grave)
	}
}

func (e *engine) shard(key []byte) *shard {
	return &e.shards[maphash.Bytes(e.seed, key)&(shardCount-1)]
}

// find returns a live item and renews it: every verb does.
func (e *engine) find(sh *shard, key []byte, now time.Time) *item {
	it := sh.items[string(key)]
	if it == nil {
		return nil
	}
	if it.expired(now) {
		e.drop(sh, string(key), it, now)
		return nil
	}
	it.renew(now)
	return it
}

func (it *item) expired(now time.Time) bool {
	return !it.expires.IsZero() && !now.Before(it.expires)
}

func (it *item) renew(now time.Time) {
	if it.expires = (time.Time{}); it.timeout > 0 {
		it.expires = now.Add(time.Duration(it.timeout) * time.Minute)
	}
}

// drop ends an item and remembers its cookie.
func (e *engine) drop(sh *shard, key string, it *item, now time.Time) {
	delete(sh.items, key)
	e.items.Add(-1)
	e.bytes.Add(-int64(len(it.body)))
	if it.cookie > 1 && !e.opt.ForgetCookies {
		sh.graves[key] = grave{it.cookie, now.Add(graveTime)}
	}
}

// do runs a request whose body is all there and returns the reply and its body.
// It keeps body.
func (e *engine) do(req *msasp.Request, key, body []byte) (rep msasp.Reply, content []byte) {
	now := e.opt.Now()
	sh := e.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	rep.Ours = req.Ours
	switch req.Verb {
	case msasp.GET:
		content = e.get(sh, req, key, now, &rep)
	case msasp.PUT:
		e.put(sh, req, key, body, now, &rep)
	case msasp.DELETE:
		e.remove(sh, req, key, now, &rep)
	case msasp.HEAD:
		rep.Status = msasp.StatusNotFound
		if e.find(sh, key, now) != nil {
			rep.Status = msasp.StatusOK
		}
	}
	rep.Length = len(content)
	return rep, content
}

func (e *engine) get(sh *shard, req *msasp.Request, key []byte, now time.Time, rep *msasp.Reply) (content []byte) {
	if req.Exclusive == msasp.ExclusiveBad {
		rep.Status = msasp.StatusBadRequest
		return nil
	}
	it := e.find(sh, key, now)
	if it == nil {
		rep.Status = msasp.StatusNotFound
		return nil
	}
	if it.fresh {
		it.fresh = false
		rep.ActionFlags = msasp.Int32(uninitialized)
	}
	cookie, valid := optional(req.LockCookie, math.MaxInt32)
	switch {
	case req.Exclusive == msasp.ExclusiveRelease && (!valid || cookie < 0):
		rep.Status = msasp.StatusBadRequest
	case req.Exclusive == msasp.ExclusiveRelease && (!it.locked || it.cookie == cookie):
		it.locked = false
		rep.Status = msasp.StatusOK
	case it.locked:
		it.refuse(rep, now)
	default:
		if req.Exclusive == msasp.ExclusiveAcquire {
			it.locked, it.lockedAt = true, now
			it.cookie = next(it.cookie)
			rep.LockCookie = msasp.Int32(it.cookie)
		}
		rep.Status = msasp.StatusOK
		rep.Timeout = msasp.Int32(it.timeout)
		return it.body
	}
	return nil
}

// next is the cookie after c; it never becomes 0 or negative.
func next(c int32) int32 {
	if c >= math.MaxInt32-1 {
		return 2
	}
	return c + 1
}

// refuse answers that the item is locked.
func (it *item) refuse(rep *msasp.Reply, now time.Time) {
	rep.Status = msasp.StatusLocked
	rep.LockCookie = msasp.Int32(it.cookie)
	rep.LockAge = msasp.Int32(0)
	at := now
	if it.locked {
		at = it.lockedAt
		rep.LockAge.Value = int32(min(max(now.Sub(at)/time.Second, 0), math.MaxInt32))
	}
	if d, err := clr.DateTimeOf(at); err == nil { // the server's wall clock
		rep.LockDate = d.Ticks
	}
}

// optional reads a header that may be missing: -1 then, which is also what -1 on
// the wire means to the genuine server.
func optional(n msasp.Number, highest int32) (v int32, valid bool) {
	if !n.Set || !n.Bad && n.Value == -1 {
		return -1, true
	}
	return n.Value, !n.Bad && n.Value >= 0 && n.Value <= highest
}

func (e *engine) put(sh *shard, req *msasp.Request, key, body []byte, now time.Time, rep *msasp.Reply) {
	timeout, ok := optional(req.Timeout, maxTimeout)
	flags, ok2 := optional(req.ExtraFlags, math.MaxInt32)
	if !ok || !ok2 {
		rep.Status = msasp.StatusBadRequest
		return
	}
	if timeout < 0 {
		timeout = defaultTimeout
	}
	create := flags > 0 && flags&uninitialized != 0
	cookie, ok := optional(req.LockCookie, math.MaxInt32)
	it := e.find(sh, key, now)
	switch {
	case it == nil && req.Ours && cookie > 0:
		rep.Status = msasp.StatusNotFound // whoever held that lock held another item
		return
	case it == nil && !e.reserve(1, len(body)):
		rep.Status = msasp.StatusBadRequest
		return
	case it == nil:
		it = &item{body: body, timeout: timeout, cookie: 1, fresh: create}
		if g, was := sh.graves[string(key)]; was {
			if now.Before(g.until) {
				it.cookie = next(g.cookie)
			}
			delete(sh.graves, string(key))
		}
		it.renew(now)
		sh.items[string(key)] = it
		rep.Status = msasp.StatusOK
		return
	case create:
		rep.Status = msasp.StatusOK // and nothing changes
		return
	case !ok:
		rep.Status = msasp.StatusBadRequest
		return
	case it.locked && cookie != it.cookie, !e.opt.LaxSaves && cookie > 0 && cookie != it.cookie, req.Ours && cookie > 0 && !it.locked:
		it.refuse(rep, now)
		return
	case req.Ours && cookie <= 0:
		rep.Status = msasp.StatusConflict // it was to be a new session
		return
	}
	it.locked = false // also where it is refused for its size: its owner is done
	if !e.reserve(0, len(body)-len(it.body)) {
		rep.Status = msasp.StatusBadRequest
		return
	}
	it.body = body
	if timeout != it.timeout {
		it.timeout = timeout
		it.fresh = false
	}
	it.renew(now)
	rep.Status = msasp.StatusOK
}

// reserve adds so much to what is stored, unless a limit is in the way.
// Shards ask at the same time: add first, look after.
func (e *engine) reserve(items, bytes int) bool {
	n, sum := e.items.Add(int64(items)), e.bytes.Add(int64(bytes))
	if (e.opt.MaxItems <= 0 || items <= 0 || n <= int64(e.opt.MaxItems)) &&
		(e.opt.MaxBytes <= 0 || bytes <= 0 || sum <= e.opt.MaxBytes) {
		return true
	}
	e.items.Add(-int64(items))
	e.bytes.Add(-int64(bytes))
	return false
}

// giveUp releases the lock of the owner of a Set that was refused unread.
func (e *engine) giveUp(req *msasp.Request, key []byte) {
	sh := e.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := e.find(sh, key, e.opt.Now())
	if cookie, ok := optional(req.LockCookie, math.MaxInt32); it != nil && ok && it.locked && it.cookie == cookie {
		it.locked = false
	}
}

func (e *engine) remove(sh *shard, req *msasp.Request, key []byte, now time.Time, rep *msasp.Reply) {
	it := e.find(sh, key, now)
	if it == nil {
		rep.Status = msasp.StatusNotFound
		return
	}
	cookie, ok := optional(req.LockCookie, math.MaxInt32)
	switch {
	case !ok:
		rep.Status = msasp.StatusBadRequest
	case it.locked && cookie != it.cookie, req.Ours && cookie > 0 && !it.locked:
		it.refuse(rep, now)
	default:
		e.drop(sh, string(key), it, now)
		rep.Status = msasp.StatusOK
	}
}

// sweep takes out what has expired and returns how many items there were. It
// holds one of many shards at a time.
func (e *engine) sweep() (n int) {
	for i := range e.shards {
		sh := &e.shards[i]
		sh.mu.Lock()
		now := e.opt.Now()
		for key, it := range sh.items {
			if it.expired(now) {
				e.drop(sh, key, it, now)
				n++
			}
		}
		for key, g := range sh.graves {
			if !now.Before(g.until) {
				delete(sh.graves, key)
			}
		}
		sh.mu.Unlock()
	}
	return n
}
