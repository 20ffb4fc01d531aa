package redis

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// Microsoft's provider names a lock with the decimal ticks (100 ns since the
// year 1) of its server's wall clock, and takes the difference to its own wall
// clock for the lock's age: one of 110 s is broken. What a server in another
// zone wrote looks hours old, or hours ahead; no number that is "now" is right
// for all zones. So ours lie a day ahead, beyond every zone's clock (the farthest
// is UTC+14): no age that a page computes from one ever reaches the limit, and
// only the TTL, which pages give the same length, ends our lock. Nor can a page
// come to hold a lock that looks like ours.

const (
	epochTicks  = 621_355_968_000_000_000 // 1970-01-01 (.NET DateTime.Ticks)
	ticksSecond = 10_000_000
	aheadTicks  = 24 * 3600 * ticksSecond
	spreadTicks = 30 * 24 * 3600 * ticksSecond
	zoneTicks   = 15 * 3600 * ticksSecond // no page's clock is so far ahead
	// leases is what a lock id of ours holds its lease in seconds modulo.
	leases = 100_000
)

// newLock makes a lock id: ahead of every clock, and unlike any other, which
// plain ticks are not. Its last digits are the lease, from which others know the
// lock's age.
func newLock(now time.Time, lease time.Duration) string {
	n := ticks(now) + aheadTicks + rand.Int64N(spreadTicks)
	return strconv.FormatInt(n-n%leases+min(seconds(lease), leases-1), 10)
}

// isOurs tells a lock id made by newLock within the last hours from a page's.
func isOurs(id string, now time.Time) bool {
	n, err := strconv.ParseInt(id, 10, 64)
	return err == nil && n > ticks(now)+zoneTicks
}

func ticks(t time.Time) int64 { return epochTicks + t.Unix()*ticksSecond + int64(t.Nanosecond()/100) }

// lockAge is how old a lock is. A page's clock and zone say nothing, but it let
// its lock live for the execution timeout, and Redis knows what is left of that.
// A lock of ours lived for its lease, which may be shorter. A lock without a TTL
// would never end: it counts as overdue, and is broken.
func (s *Store) lockAge(id string, left time.Duration) time.Duration {
	if left < 0 {
		return s.opt.ExecutionTimeout
	}
	life := s.opt.ExecutionTimeout
	if isOurs(id, s.now()) {
		n, _ := strconv.ParseInt(id, 10, 64)
		life = min(life, time.Duration(n%leases)*time.Second)
	}
	return max(life-left, 0)
}
