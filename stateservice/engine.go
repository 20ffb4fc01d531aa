package stateservice

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"

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
	epoch  time.Time // what an item's times count from
	shards [shardCount]shard
	items  atomic.Int64
	bytes  atomic.Int64 // of contents
	parked atomic.Int64 // requests
	ends   *ends        // nil: nobody asks

	first      int32 // the cookie of new items until firstUntil: see journal
	firstUntil int64

	sweeping sync.Mutex // one sweep at a time
}

type shard struct {
	mu     sync.Mutex // guards all below, every item and every waiter
	items  map[string]*item
	queues map[*item]*queue
	wheel  wheel
	stats  counters
}

func (e *engine) init(opt Options) {
	e.opt, e.seed, e.epoch = opt, maphash.MakeSeed(), opt.Now()
	for i := range e.shards {
		e.shards[i].items = make(map[string]*item)
		e.shards[i].queues = make(map[*item]*queue)
	}
}

func (e *engine) now() int64             { return int64(e.opt.Now().Sub(e.epoch)) }
func (e *engine) time(t int64) time.Time { return e.epoch.Add(time.Duration(t)) }

func (e *engine) shard(key []byte) *shard {
	return &e.shards[maphash.Bytes(e.seed, key)&(shardCount-1)]
}

// find returns a live item and renews it: every verb does.
func (e *engine) find(sh *shard, key []byte, now int64) *item {
	it := sh.items[string(key)]
	if it == nil || it.grave {
		return nil
	}
	if it.expired(now) {
		e.expire(sh, it, now)
		return nil
	}
	e.renew(sh, it, now)
	return it
}

func (e *engine) renew(sh *shard, it *item, now int64) {
	it.expires = life(it.timeout, now)
	sh.wheel.moved(it)
	// The journal is told coarsely: reading is not to be writing.
	if e.opt.Journal != nil && it.timeout > 0 && it.expires-it.told > int64(it.timeout)*int64(time.Minute)/touchShare {
		e.touch(it)
	}
}

// A request and what becomes of it.
type call struct {
	*msasp.Request
	key  []byte
	body []byte  // all of it; the engine keeps it unless it is private
	buf  *[]byte // for the content
	w    *waiter // of the connection
	park bool    // it may be parked
	now  int64

	rep     msasp.Reply
	content []byte
	parked  bool   // there is no reply yet: w has it when it comes
	why     string // what refused it, for the log
}

// do runs a request.
func (e *engine) do(c *call) {
	sh := e.shard(c.key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	c.now = e.now() // under the lock: no item sees time go back
	c.rep.Ours = c.Ours
	switch c.Verb {
	case msasp.GET:
		e.get(sh, c)
	case msasp.PUT:
		e.put(sh, c)
	case msasp.DELETE:
		e.remove(sh, c)
	case msasp.HEAD:
		c.rep.Status = msasp.StatusNotFound
		if e.find(sh, c.key, c.now) != nil {
			c.rep.Status = msasp.StatusOK
		}
	}
	if !c.parked {
		c.rep.Length = len(c.content)
		sh.stats.count(opOf(c.Request), c.rep.Status)
		sh.stats.limit(c.why)
	}
}

func (e *engine) get(sh *shard, c *call) {
	if c.Exclusive == msasp.ExclusiveBad {
		c.rep.Status = msasp.StatusBadRequest
		return
	}
	it := e.find(sh, c.key, c.now)
	if it == nil {
		c.rep.Status = msasp.StatusNotFound
		return
	}
	if it.fresh {
		it.fresh = false
		c.rep.ActionFlags = msasp.Int32(uninitialized)
		e.touch(it)
	}
	cookie, valid := optional(c.LockCookie, math.MaxInt32)
	switch {
	case c.Exclusive == msasp.ExclusiveRelease && (!valid || cookie < 0):
		c.rep.Status = msasp.StatusBadRequest
	case c.Exclusive == msasp.ExclusiveRelease && (!it.locked || it.cookie == cookie):
		e.unlock(sh, it, c.now)
		c.rep.Status = msasp.StatusOK
	case c.Exclusive == msasp.ExclusiveRelease:
		e.refuse(it, &c.rep, c.now)
	case it.locked, c.Exclusive == msasp.ExclusiveAcquire && e.awaited(sh, it):
		e.enqueue(sh, it, c)
	default:
		if c.Exclusive == msasp.ExclusiveAcquire {
			sh.stats.wait.observe(0)
		}
		c.content = e.serve(it, &c.rep, c.buf, c.Exclusive == msasp.ExclusiveAcquire, c.now)
	}
}

// serve answers a Get or an acquire with the content; an acquire takes the lock.
func (e *engine) serve(it *item, rep *msasp.Reply, buf *[]byte, lock bool, now int64) (content []byte) {
	if lock {
		it.locked, it.lockedAt = true, now
		if it.cookie = next(it.cookie); it.cookie%cookieShare == 0 {
			e.touch(it)
		}
		rep.LockCookie = msasp.Int32(it.cookie)
	}
	rep.Status = msasp.StatusOK
	rep.Timeout = msasp.Int32(it.timeout)
	rep.Length = len(it.body)
	return e.copyOut(buf, it.body)
}

// unlock ends a lock and serves those who waited for it.
func (e *engine) unlock(sh *shard, it *item, now int64) {
	if !it.locked {
		return
	}
	it.locked = false
	sh.stats.hold.observe(time.Duration(now - it.lockedAt))
	if it.queued {
		e.unlocked(sh, it, now)
	}
}

func (e *engine) put(sh *shard, c *call) {
	timeout, ok := optional(c.Timeout, maxTimeout)
	flags, ok2 := optional(c.ExtraFlags, math.MaxInt32)
	if !ok || !ok2 {
		c.refused(badHeader)
		return
	}
	if timeout < 0 {
		timeout = defaultTimeout
	}
	create := flags > 0 && flags&uninitialized != 0
	cookie, ok := optional(c.LockCookie, math.MaxInt32)
	it := e.find(sh, c.key, c.now)
	switch {
	case it == nil && c.Ours && cookie > 0:
		c.rep.Status = msasp.StatusNotFound // whoever held that lock held another item
		return
	case it == nil:
		e.insert(sh, c, timeout, create)
		return
	case create:
		c.rep.Status = msasp.StatusOK // and nothing changes
		return
	case !ok:
		c.refused(badHeader)
		return
	case it.locked && cookie != it.cookie, !e.opt.LaxSaves && cookie > 0 && cookie != it.cookie, c.Ours && cookie > 0 && !it.locked:
		e.refuse(it, &c.rep, c.now)
		return
	case c.Ours && cookie <= 0:
		c.rep.Status = msasp.StatusConflict // it was to be a new session
		return
	}
	// Also where it is refused for its size: its owner is done.
	defer e.unlock(sh, it, c.now)
	fresh := it.fresh && timeout == it.timeout
	if why := e.reserve(0, len(c.body)-len(it.body)); why != "" {
		c.refused(why)
		return
	}
	if !e.tell(Change{Kind: Put, Key: it.key, Body: c.body, Timeout: timeout, Cookie: it.cookie, Uninitialized: fresh}, life(timeout, c.now)) {
		e.bytes.Add(int64(len(it.body) - len(c.body)))
		c.refused(noJournal)
		return
	}
	it.body, it.timeout, it.fresh = e.copyIn(it.body, c.body), timeout, fresh
	it.told = life(timeout, c.now)
	e.renew(sh, it, c.now)
	c.rep.Status = msasp.StatusOK
}

// insert makes a new item, where there was one lately with a cookie above its.
func (e *engine) insert(sh *shard, c *call, timeout int32, fresh bool) {
	if why := e.reserve(1, len(c.body)); why != "" {
		c.refused(why)
		return
	}
	cookie := int32(1)
	if c.now < e.firstUntil {
		cookie = e.first
	}
	it := sh.items[string(c.key)] // a grave
	if it != nil && !it.expired(c.now) {
		cookie = next(it.cookie)
	}
	key := ""
	if it != nil {
		key = it.key
	} else {
		key = string(c.key)
	}
	expires := life(timeout, c.now)
	if !e.tell(Change{Kind: Put, Key: key, Body: c.body, Timeout: timeout, Cookie: cookie, Uninitialized: fresh}, expires) {
		e.items.Add(-1)
		e.bytes.Add(-int64(len(c.body)))
		c.refused(noJournal)
		return
	}
	if it != nil {
		sh.wheel.remove(it)
	} else {
		it = new(item)
		sh.items[key] = it
	}
	*it = item{key: key, body: e.copyIn(nil, c.body), timeout: timeout, cookie: cookie, fresh: fresh, expires: expires, told: expires}
	sh.wheel.add(it)
	c.rep.Status = msasp.StatusOK
}

// refuseUnread answers a Set that is too large to be read.
func (e *engine) refuseUnread(c *call) {
	c.rep.Ours = c.Ours
	c.refused(overBody)
	e.giveUp(c.key, c.LockCookie)
	sh := e.shard(c.key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.stats.count(opOf(c.Request), c.rep.Status)
	sh.stats.limit(overBody)
}

// giveUp releases a lock for an owner who cannot: his Set was refused unread, or
// the reply that told him of it was not sent.
func (e *engine) giveUp(key []byte, cookie msasp.Number) {
	sh := e.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := e.now()
	it := e.find(sh, key, now)
	if cookie, ok := optional(cookie, math.MaxInt32); it != nil && ok && it.locked && it.cookie == cookie {
		e.unlock(sh, it, now)
	}
}

func (e *engine) remove(sh *shard, c *call) {
	it := e.find(sh, c.key, c.now)
	if it == nil {
		c.rep.Status = msasp.StatusNotFound
		return
	}
	cookie, ok := optional(c.LockCookie, math.MaxInt32)
	switch {
	case !ok:
		c.refused(badHeader)
	case it.locked && cookie != it.cookie, c.Ours && cookie > 0 && !it.locked:
		e.refuse(it, &c.rep, c.now)
	case !e.end(sh, it, Removed, c.now):
		e.unlock(sh, it, c.now)
		c.refused(noJournal)
	default:
		c.rep.Status = msasp.StatusOK
	}
}
