package sqlserver

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	// purgeBatch is far below the 5,000 locks at which SQL Server locks the table.
	purgeBatch = 500
	purgePause = 50 * time.Millisecond
	purgeTime  = 5 * time.Minute // for one purge of the store's own
)

// purgeText skips rows that others have locked, another purging node among them,
// and is the one to die in a deadlock. {hints} are for tables on disk.
const purgeText = `SET NOCOUNT OFF; SET DEADLOCK_PRIORITY LOW;
DELETE TOP (@batch) FROM {table}{hints} WHERE Expires < GETUTCDATE()`

// Purge deletes expired sessions, locked or not, in small batches with pauses,
// and returns how many. Any number of nodes may do it at once. Where the login
// may not touch the table it calls the database's own procedure, which may not
// say how many there were: 0.
//
// The procedure of databases from before .NET 4 deletes in one statement and can
// hold up the site; `aspstate sql check` tells.
func (s *Store) Purge(ctx context.Context) (deleted int64, err error) {
	b, err := s.bind(ctx)
	if err != nil {
		return 0, err
	}
	if !s.procPurge.Load() || b.purge() == "" {
		deleted, err = s.purgeByText(ctx, b)
		if n := number(err); n != 229 && n != 208 || b.purge() == "" {
			return deleted, err
		}
		s.procPurge.Store(true)
	}
	rows, _, err := s.exec(ctx, statement{object: b.purge(), text: b.purge()}, "")
	return deleted + rows, err
}

func (s *Store) purgeByText(ctx context.Context, b *binding) (deleted int64, err error) {
	names, memory := b.tables()
	for _, table := range names {
		var n int64
		n, err = s.purgeTable(ctx, table, memory)
		deleted += n
		if number(err) != 208 { // else it may be in tempdb
			break
		}
	}
	return deleted, err
}

func (s *Store) purgeTable(ctx context.Context, table string, memory bool) (deleted int64, err error) {
	st := statement{table, purgeStatement(table, memory), []any{in("batch", int32(purgeBatch))}}
	for {
		rows, _, err := s.exec(ctx, st, "")
		deleted += rows
		if err != nil || rows < purgeBatch {
			return deleted, err
		}
		if err := sleep(ctx, rand.N(purgePause)); err != nil {
			return deleted, err
		}
	}
}

func purgeStatement(table string, memory bool) string {
	hints := " WITH (ROWLOCK, READPAST)"
	if memory {
		hints = "" // refused there, and needless
	}
	return strings.NewReplacer("{table}", table, "{hints}", hints).Replace(purgeText)
}

// sleep ends early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// purger runs until Close. The nodes of a farm do not stay in step: each waits
// between a half and one and a half of the interval.
func (s *Store) purger(ctx context.Context) {
	defer close(s.done)
	for sleep(ctx, s.opt.PurgeInterval/2+rand.N(s.opt.PurgeInterval)) == nil {
		call, done := context.WithTimeout(ctx, purgeTime)
		_, err := s.Purge(call)
		done()
		if err != nil && s.opt.PurgeError != nil && !errors.Is(err, context.Canceled) {
			s.opt.PurgeError(err)
		}
	}
}
