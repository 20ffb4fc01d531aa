package stateservice

// A wheel is a shard's hashed timing wheel: a slot of items for each tick to
// come. A request that lets an item live longer does not move it; when its slot
// is due it is linked anew, at most once in a timeout or a turn of the wheel,
// whichever is shorter. So expiry costs O(1) amortised, and no memory beside the
// items' links.
type wheel struct {
	at    int64 // the first tick that is not over
	due   *item // what was taken out of its slot and not looked at yet
	slots [wheelSlots]*item
}

const (
	tickShift  = 33  // a tick is 2^33 ns, 8.6 s
	wheelSlots = 256 // a turn is 37 minutes
	unlinked   = -1  // an item's tick
)

// add links an item that is nowhere, unless it never expires.
func (w *wheel) add(it *item) {
	it.tick = unlinked
	if it.expires == never {
		return
	}
	it.tick = int32(min(max(it.expires>>tickShift, w.at), w.at+wheelSlots-1))
	head := &w.slots[it.tick%wheelSlots]
	if it.next = *head; it.next != nil {
		it.next.prev = it
	}
	*head = it
}

func (w *wheel) remove(it *item) {
	if it.tick == unlinked {
		return
	}
	if it.next != nil {
		it.next.prev = it.prev
	}
	switch {
	case it.prev != nil:
		it.prev.next = it.next
	case w.due == it:
		w.due = it.next
	default:
		w.slots[it.tick%wheelSlots] = it.next
	}
	it.next, it.prev, it.tick = nil, nil, unlinked
}

// moved is called when an item's expires has changed: sooner than its slot it is
// linked anew; later, it stays until the slot is due.
func (w *wheel) moved(it *item) {
	if it.tick == unlinked || it.expires>>tickShift < int64(it.tick) {
		w.remove(it)
		w.add(it)
	}
}

// turn makes the first slot due and goes on to the next, but not beyond tick,
// whose own slot stays the first: what is in it may expire later in the tick.
// done reports that this was the last one.
func (w *wheel) turn(tick int64) (done bool) {
	if w.at > tick { // the clock was set back
		return true
	}
	w.at = max(w.at, tick-wheelSlots+1) // after more than a turn: every slot once
	slot := &w.slots[w.at%wheelSlots]
	w.due, *slot = *slot, nil
	if w.at == tick {
		return true
	}
	w.at++
	return false
}
