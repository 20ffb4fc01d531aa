package redis_test

import (
	"context"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// A Go handler's lock lives for its lease and is nobody else's meanwhile, also
// where the site's execution timeout is shorter than Options.ExecutionTimeout.
func TestYoungLockIsNotBroken(t *testing.T) {
	addr := redistest.Server(t)
	ctx := context.Background()
	opt := session.Options{ExecutionTimeout: 30 * time.Second, WaitTimeout: 300 * time.Millisecond}
	s := open(t, addr, redis.Options{})
	stored(t, s, anID, "n", 1)
	one, err := session.NewManager(s, opt)
	require.NoError(t, err)
	two, err := session.NewManager(open(t, addr, redis.Options{}), opt)
	require.NoError(t, err)
	mine, err := one.Open(ctx, anID, session.ReadWrite)
	require.NoError(t, err)
	for _, access := range []session.Access{session.ReadOnly, session.ReadWrite} {
		_, err = two.Open(ctx, anID, access)
		require.ErrorIs(t, err, session.ErrLocked, "the lock is younger than the execution timeout")
	}
	require.NoError(t, mine.Set("n", 2))
	require.NoError(t, one.Finish(mine))
}

// An acquire whose reply was lost and that the client sent again still tells that
// the session is uninitialized: nobody else was told.
func TestLostReplyOfAnUninitializedAcquire(t *testing.T) {
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			p := newProxy(t, redistest.Server(t))
			s := open(t, p.addr(), redis.Options{Layout: layout, Redis: goredis.UniversalOptions{Addrs: []string{p.addr()}, MinRetryBackoff: time.Millisecond}})
			ctx := context.Background()
			stored(t, s, "other", "n", 1)
			rec, err := s.Acquire(ctx, "other", time.Minute) // the script is known from now on
			require.NoError(t, err)
			require.NoError(t, s.Release(ctx, "other", rec.Lock))
			require.NoError(t, s.Create(ctx, anID, 20*time.Minute))

			p.loseNextReply()
			rec, err = s.Acquire(ctx, anID, time.Minute)
			require.NoError(t, err)
			require.EqualValues(t, 1, p.lost.Load())
			require.True(t, rec.Uninitialized)
		})
	}
}

// A checkpoint of a new session whose reply was lost is the caller's own when it
// is sent again: neither a conflict nor a lock that nobody knows.
func TestLostReplyOfANewCheckpoint(t *testing.T) {
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			p := newProxy(t, redistest.Server(t))
			s := open(t, p.addr(), redis.Options{Layout: layout, Redis: goredis.UniversalOptions{Addrs: []string{p.addr()}, MinRetryBackoff: time.Millisecond}})
			ctx := context.Background()
			stored(t, s, "other", "n", 1)
			pl := payload.New(20, payload.Limits{})
			require.NoError(t, pl.Items().Set("n", 1))
			p.loseNextReply()
			lock, err := s.Checkpoint(ctx, anID, session.Lock{}, time.Minute, pl)
			require.EqualValues(t, 1, p.lost.Load())
			require.NoError(t, err)
			require.NoError(t, s.Save(ctx, anID, lock, pl))
		})
	}
}
