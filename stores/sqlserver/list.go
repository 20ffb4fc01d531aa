package sqlserver

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/aspsession/aspsession/session"
)

const listPage = 500

// listText reads a page in the order of the primary key. {short} is the length of
// the short column where the table has one.
const listText = `SELECT TOP (@page) SessionId, {short}DATALENGTH(SessionItemLong), DATEDIFF(second, GETUTCDATE(), Expires), Flags, Locked, LockCookie, DATEDIFF(second, LockDate, GETUTCDATE())
FROM {table}
WHERE SessionId > @after AND RIGHT(SessionId, 8) = @suffix AND Expires > GETUTCDATE()
ORDER BY SessionId`

// List implements session.Lister. It needs SELECT on the table, which the role of
// `aspstate sql install` has not. Expired sessions that wait for their purge are
// left out.
func (s *Store) List(ctx context.Context, yield func(session.Info) bool) error {
	b, err := s.bind(ctx)
	if err != nil {
		return err
	}
	names, _ := b.tables()
	for _, table := range names {
		if err = s.listTable(ctx, b, table, yield); number(err) != 208 { // else it may be in tempdb
			break
		}
	}
	return err
}

func (s *Store) listTable(ctx context.Context, b *binding, table string, yield func(session.Info) bool) error {
	short := ""
	if _, ok := b.dialect.(classic); ok {
		short = "DATALENGTH(SessionItemShort), "
	}
	text := strings.NewReplacer("{short}", short, "{table}", table).Replace(listText)
	for after := ""; ; {
		var page []listed
		_, err := s.do(ctx, table, "", func() (err error) {
			page, err = s.listPage(ctx, text, short != "", in("page", int32(listPage)), in("after", after), in("suffix", b.suffix))
			return err
		})
		if err != nil {
			return err
		}
		for _, l := range page {
			id, ok := b.id(l.key)
			if !ok {
				continue
			}
			l.info.ID = id
			if !yield(l.info) {
				return nil
			}
		}
		if len(page) < listPage {
			return nil
		}
		after = page[len(page)-1].key
	}
}

type listed struct {
	key  string
	info session.Info
}

func (s *Store) listPage(ctx context.Context, text string, hasShort bool, args ...any) (page []listed, err error) {
	rows, err := s.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l listed
		var short, long sql.NullInt64
		var expires, flags, cookie, age int64
		var locked bool
		dest := []any{&l.key, &short, &long, &expires, &flags, &locked, &cookie, &age}
		if !hasShort {
			dest = append(dest[:1], dest[2:]...)
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		l.info.Size = int(long.Int64)
		if !long.Valid {
			l.info.Size = int(short.Int64)
		}
		l.info.Expires = time.Duration(expires) * time.Second
		l.info.Uninitialized = flags&1 != 0
		if locked {
			l.info.Lock, l.info.LockAge = session.NumberLock(cookie), time.Duration(max(age, 0))*time.Second
		}
		page = append(page, l)
	}
	return page, rows.Err()
}
