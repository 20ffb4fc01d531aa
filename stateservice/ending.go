package stateservice

// expire ends an item because of its age.
func (e *engine) expire(sh *shard, it *item, now int64) { e.end(sh, it, Expired, now) }

// end takes an item's content out, answers who waited for it, and leaves a grave
// with its cookie. false: the journal refused, and nothing has happened.
func (e *engine) end(sh *shard, it *item, reason EndReason, now int64) bool {
	c := Change{Kind: Expire, Key: it.key, Cookie: it.cookie}
	if reason == Removed {
		c.Kind = Remove
	}
	until := now
	if it.cookie > 1 && !e.opt.ForgetCookies {
		until += int64(graveTime)
	} else {
		c.Cookie = 0
	}
	var end End
	if e.ends != nil {
		end = e.ends.next(it.key, reason, it.body, e.time(now))
		c.End, c.Body = end.ID, it.body
	}
	if !e.tell(c, until) && reason == Removed {
		return false
	}
	if e.ends != nil {
		e.ends.push(end)
	}
	if reason == Removed {
		sh.stats.removed++
	} else {
		sh.stats.expired++
	}
	e.items.Add(-1)
	e.bytes.Add(-int64(len(it.body)))
	e.dissolve(sh, it)
	it.body, it.locked, it.fresh = nil, false, false
	if c.Cookie == 0 {
		e.bury(sh, it)
		return true
	}
	it.grave, it.expires = true, until
	sh.wheel.moved(it)
	return true
}

// forget takes out a grave that is over.
func (e *engine) forget(sh *shard, it *item) {
	e.tell(Change{Kind: Forget, Key: it.key}, never)
	e.bury(sh, it)
}

func (e *engine) bury(sh *shard, it *item) {
	sh.wheel.remove(it)
	delete(sh.items, it.key)
}
