package sqlserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aspsession/aspsession/session"
)

const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second // ASP.NET's
)

// do makes a call, and makes it again after errors that pass, until ctx or
// Options.RetryFor ends that. unsure reports that an attempt before the last may
// have had its effect, though nobody heard of it. Errors are wrapped but for the
// context's own and duplicate keys.
func (s *Store) do(ctx context.Context, object, key string, once func() error) (unsure bool, err error) {
	var until time.Time
	pause := firstPause
	for {
		err = once()
		if err == nil || duplicate(err) {
			return unsure, err
		}
		if cause := context.Cause(ctx); cause != nil {
			return unsure, s.over(cause, object, err, key)
		}
		again, maybe := verdict(err)
		now := time.Now()
		if until.IsZero() {
			until = now.Add(s.opt.RetryFor)
		}
		if !again || now.Add(pause).After(until) {
			e := s.target.wrap(session.ErrUnavailable, object, err, key)
			if e.Remedy == "" && maybe {
				e.Remedy = "whether it happened is not known"
			}
			return unsure, e
		}
		unsure = unsure || maybe
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return unsure, s.over(context.Cause(ctx), object, err, key)
		}
		pause = min(pause*2, lastPause)
	}
}

// over is the error of a context that ended, with what the last attempt met.
func (s *Store) over(cause error, object string, last error, key string) error {
	if errors.Is(last, context.Canceled) || errors.Is(last, context.DeadlineExceeded) {
		return fmt.Errorf("sqlserver: server %s, %s: %w", s.target.address, object, cause)
	}
	return fmt.Errorf("%w, after %w", cause, s.target.wrap(session.ErrUnavailable, object, last, key))
}

// exec makes a call that answers with a count of rows: 1 where it found the row
// and the lock, 0 where not. Where the server counts nothing (NOCOUNT) it is 0,
// too.
func (s *Store) exec(ctx context.Context, st statement, key string) (rows int64, unsure bool, err error) {
	unsure, err = s.do(ctx, st.object, key, func() error {
		result, err := s.db.ExecContext(ctx, st.text, st.args...)
		if err == nil {
			rows, err = result.RowsAffected()
		}
		return err
	})
	return rows, unsure, err
}

// fetch makes a call that reads a session. The outputs are there only once the
// result set was read to its end.
func (s *Store) fetch(ctx context.Context, st func(*row) statement, key string) (r row, unsure bool, err error) {
	unsure, err = s.do(ctx, st(&r).object, key, func() error {
		r = row{}
		call := st(&r)
		rows, err := s.db.QueryContext(ctx, call.text, call.args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var long sql.RawBytes
			if err := rows.Scan(&long); err != nil {
				rows.Close()
				return err
			}
			r.long = append([]byte{}, long...)
		}
		if err := rows.Err(); err != nil {
			rows.Close()
			return err
		}
		return rows.Close()
	})
	return r, unsure, err
}
