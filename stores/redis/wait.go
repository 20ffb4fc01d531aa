package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/session"
)

// firstPoll is the first pause between two looks at a page's lock; each next one
// is half as long again, up to Options.PollInterval.
const firstPoll = 5 * time.Millisecond

// Wait implements session.Waiter. Locks of this package's are told of by their
// release; at those of pages it looks again and again.
func (s *Store) Wait(ctx context.Context, id string, holder session.Lock, maxWait time.Duration) error {
	c := s.call("wait", id)
	deadline := time.NewTimer(maxWait)
	defer deadline.Stop()
	var wake <-chan struct{}
	if channel := c.channel(); channel != "" {
		sub := s.hub.join(channel)
		defer s.hub.leave(channel, sub)
		wake = sub.wake
		// A look before the subscription stands could miss the release.
		select {
		case <-sub.ready:
		case <-deadline.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	pause := firstPoll
	for {
		now, err := s.client.Get(ctx, c.keys[0]).Result()
		switch {
		case errors.Is(err, goredis.Nil), err == nil && now != holder.Text():
			return nil
		case err != nil:
			return c.fail("", classify(ctx, err))
		}
		var poll <-chan time.Time
		if wake == nil || s.mute.Load() || !isOurs(now, s.now()) {
			poll = time.After(pause)
			pause = min(pause*3/2, s.opt.PollInterval)
		}
		select {
		case <-wake:
			return nil
		case <-poll:
		case <-deadline.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// silence stops publishing and subscribing, with one log line.
func (s *Store) silence(why error) {
	if s.mute.CompareAndSwap(false, true) {
		s.opt.Logger.Warn("redis: no rights on channels: waiters poll instead of being woken by a release", "error", why)
	}
}
