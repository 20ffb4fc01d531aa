package sqlserver

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/aspsession/aspsession/session"
)

// A binding is what the database had to be asked for: who calls how, and under
// which keys.
type binding struct {
	dialect
	suffix string
	once   bool // the suffix is not added to an id that has it
}

// bind asks at the first use, once for all callers, and again only after it
// failed.
func (s *Store) bind(ctx context.Context) (*binding, error) {
	if b := s.binding.Load(); b != nil {
		return b, nil
	}
	select {
	case <-s.resolving:
		defer func() { s.resolving <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if b := s.binding.Load(); b != nil {
		return b, nil
	}
	b, err := s.resolve(ctx)
	if err == nil {
		s.binding.Store(b)
	}
	return b, err
}

func (s *Store) resolve(ctx context.Context) (*binding, error) {
	b := &binding{suffix: s.opt.Suffix, once: s.opt.Layout != Classic}
	var err error
	switch s.opt.Layout {
	case Classic:
		b.dialect = classic{}
		if b.suffix == "" {
			b.suffix, err = s.askSuffix(ctx)
		}
		return b, err
	case AsyncCompat:
		b.dialect, err = s.askTable(ctx)
	default:
		b.dialect = asyncProcedures(s.opt.Layout, s.opt.Table)
	}
	if b.suffix == "" {
		b.suffix = s.opt.Hash.Suffix(s.opt.AppID)
	}
	return b, err
}

// askSuffix lets the database say which number the application has: administrators
// change the procedure to make two applications share sessions.
func (s *Store) askSuffix(ctx context.Context) (string, error) {
	const object = "dbo.TempGetAppID"
	var id sql.NullInt32
	_, err := s.do(ctx, object, "", func() error {
		_, err := s.db.ExecContext(ctx, object, in("appName", mssql.VarChar(cutAppName(s.opt.AppID))), out("appId", &id))
		return err
	})
	if err != nil {
		return "", err
	}
	if !id.Valid {
		return "", s.target.wrap(session.ErrUnavailable, object, fmt.Errorf("the application %q was given no number", s.opt.AppID))
	}
	return classicSuffix(id.Int32), nil
}

// askTable finds out which table FrameworkCompat meets: the classic one has a
// short column, that of version 1.1 has not.
func (s *Store) askTable(ctx context.Context) (dialect, error) {
	table := s.opt.Table
	if table == "" {
		table = classicTable
	}
	columns := map[string]string{}
	_, err := s.do(ctx, table, "", func() error {
		rows, err := s.db.QueryContext(ctx, columnsText, in("table", table))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name, kind string
			if err := rows.Scan(&name, &kind); err != nil {
				return err
			}
			columns[strings.ToLower(name)] = strings.ToLower(kind)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	long := columns["sessionitemlong"]
	switch {
	case columns["sessionitemshort"] != "" || len(columns) == 0 && table == classicTable:
		// Without columns the table may be in tempdb, and the procedures here.
		return classic{}, nil
	case columns["lockdatelocal"] == "" || long != "image" && long != "varbinary":
		return nil, s.target.wrap(session.ErrUnavailable, table, fmt.Errorf("no session table of the async provider 1.1 or of ASP.NET: `aspstate sql check` tells"))
	}
	return asyncText(table, long == "varbinary"), nil
}

const columnsText = `SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = @table`
