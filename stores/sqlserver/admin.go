package sqlserver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/aspsession/aspsession/session"
)

var (
	// ErrForeignSchema: Install met procedures that are not this package's.
	ErrForeignSchema = errors.New("sqlserver: the database has procedures of session state that another program installed; `aspstate sql upgrade` puts this project's in their place and keeps tables and sessions")
	// ErrNoSchema: Upgrade met none.
	ErrNoSchema = errors.New("sqlserver: there is nothing to upgrade: no procedure of session state; is it the right database? `aspstate sql install` makes them")
)

// An Admin is the installation side of a database: see Install, Upgrade and Check.
// It is safe for concurrent use.
type Admin struct {
	target *Target
	open   func(*Target) *sql.DB
}

// NewAdmin checks the connection string; it does not connect. The database is
// ASPState where it names none. connector is as Options.Connector, nil for the
// driver's own; with one, the database must exist.
func NewAdmin(connectionString string, connector driver.Connector) (*Admin, error) {
	target, err := ParseConnectionString(connectionString)
	if err != nil {
		return nil, err
	}
	if target.Database() == "" {
		target = target.In(DefaultDatabase)
	}
	a := &Admin{target: target}
	switch {
	case connector != nil:
		a.open = func(*Target) *sql.DB { return sql.OpenDB(connector) }
	case target.windows:
		return nil, ErrIntegratedSecurity
	default:
		a.open = func(t *Target) *sql.DB { return sql.OpenDB(mssql.NewConnectorConfig(t.cfg)) }
	}
	return a, nil
}

// Target is the server and database that the Admin works on.
func (a *Admin) Target() *Target { return a.target }

// in runs f on one connection to a database.
func (a *Admin) in(ctx context.Context, t *Target, f func(*sql.Conn) error) error {
	db := a.open(t)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err == nil {
		err = conn.PingContext(ctx)
		defer conn.Close()
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return fmt.Errorf("sqlserver: server %s: %w", t.address, cause)
		}
		return t.wrap(session.ErrUnavailable, login, err)
	}
	return f(conn)
}

// Install makes the schema, and the database where it is missing. What is there
// already and ours is written anew; sessions stay. ErrForeignSchema where the
// procedures are another's. schema.Database is that of the connection string.
func (a *Admin) Install(ctx context.Context, schema Schema) error {
	schema.Database = a.target.Database()
	err := a.in(ctx, a.target, func(c *sql.Conn) error { return a.install(ctx, c, schema, false) })
	if n := number(err); n != 4060 && n != 911 {
		return err
	}
	master := a.target.In("master")
	if err := a.in(ctx, master, func(c *sql.Conn) error { return master.create(ctx, c, schema) }); err != nil {
		return err
	}
	return a.in(ctx, a.target, func(c *sql.Conn) error { return a.install(ctx, c, schema, false) })
}

// Upgrade replaces procedures and adds what tables lack; sessions stay. It takes
// procedures of any origin since ASP.NET 2.0; ErrNoSchema where there are none.
func (a *Admin) Upgrade(ctx context.Context, schema Schema) error {
	schema.Database = a.target.Database()
	return a.in(ctx, a.target, func(c *sql.Conn) error { return a.install(ctx, c, schema, true) })
}

const editionText = `SELECT CONVERT(int, SERVERPROPERTY('EngineEdition'))`

// create makes the database, but not on Azure SQL, where that costs money and
// takes decisions.
func (t *Target) create(ctx context.Context, c *sql.Conn, schema Schema) error {
	var edition int
	if err := c.QueryRowContext(ctx, editionText).Scan(&edition); err != nil {
		return t.wrap(session.ErrUnavailable, "SERVERPROPERTY", err)
	}
	if edition == 5 {
		return t.wrap(session.ErrUnavailable, quoted(schema.Database), errors.New("on Azure SQL make the database first, then install into it"))
	}
	script, err := schema.Script()
	if err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, batches(script)[0]); err != nil {
		return t.wrap(session.ErrUnavailable, "CREATE DATABASE "+quoted(schema.Database), err)
	}
	return nil
}

func (a *Admin) install(ctx context.Context, c *sql.Conn, schema Schema, upgrade bool) error {
	list, err := schema.Batches()
	if err != nil {
		return err
	}
	state := catalogue{target: a.target, conn: c}
	if err := state.readProcedures(ctx); err != nil {
		return err
	}
	foreign := state.foreign()
	switch {
	case upgrade && len(state.known()) == 0:
		return ErrNoSchema
	case !upgrade && len(foreign) > 0:
		return fmt.Errorf("%w (%s)", ErrForeignSchema, strings.Join(foreign, ", "))
	}
	for _, batch := range list {
		if _, err := c.ExecContext(ctx, batch); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return fmt.Errorf("sqlserver: server %s: installing: %w; run it again", a.target.address, cause)
			}
			return a.target.wrap(session.ErrUnavailable, "the batch "+firstLine(batch), err)
		}
	}
	return nil
}

// firstLine names a batch: its first line that is no comment.
func firstLine(batch string) string {
	for line := range strings.SplitSeq(batch, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return fmt.Sprintf("%q", line)
		}
	}
	return "of comments"
}
