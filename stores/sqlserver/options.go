package sqlserver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/aspsession/aspsession/payload"
)

// Options of a Store. ConnectionString is needed, and AppID or Suffix.
type Options struct {
	// ConnectionString is sqlConnectionString of web.config, or go-mssqldb's URL:
	// see ParseConnectionString. In layout Classic the database is ASPState where
	// it names none.
	ConnectionString string
	// AllowCustomDatabase is sessionState's allowCustomSqlDatabase. Default false:
	// as in ASP.NET, layout Classic then takes no connection string with the name
	// of another database than ASPState.
	AllowCustomDatabase bool
	// Connector makes the connections, for logins that a connection string cannot
	// say: Kerberos, Entra ID. ConnectionString then only tells messages which
	// server and database they are about. Default: go-mssqldb's for
	// ConnectionString.
	Connector driver.Connector
	// Layout is how sessions lie in the database. Default Classic.
	Layout Layout
	// Table is the async provider's sessionTableName. Default: the layout's own.
	// Not for Classic.
	Table string
	// AppID is the application's id in IIS, such as "/LM/W3SVC/1/ROOT", case and
	// all. In layout Classic the database is asked which number it has, and gives it
	// one if it is new; in the others Hash makes the keys' end of it.
	AppID string
	// Hash is of the async provider's version. Default Hash21. A wrong one finds no
	// sessions and no error. Not for Classic.
	Hash Hash
	// Suffix is the end of the keys, eight hexadecimal digits, in place of AppID.
	// Default none. It is written as given; in memory-optimised tables case counts.
	Suffix string
	// Compress is sessionState's compressionEnabled. Nothing in the bytes tells:
	// a value other than ASP.NET's makes every session unreadable for one side.
	Compress bool
	// RetryFor is for how long after its first failure a call is tried again where
	// the error may pass: a deadlock, a lost connection, a failover. The context
	// ends it too. Default 5 s; negative: never. See the package comment for what a
	// repeated call cannot tell.
	RetryFor time.Duration
	// MaxConnections bounds the connections. Default Max Pool Size of the
	// connection string, else 100, as in ADO.NET.
	MaxConnections int
	// PurgeInterval makes the store delete expired sessions about so often, until
	// Close, for servers on which nothing else does. Without either, sessions never
	// expire. Default 0: never. One minute is what SQL Server's job has.
	PurgeInterval time.Duration
	// PurgeError is told when a purge failed. It runs on the purging goroutine.
	// Default: failures are silent, and the next purge tries again.
	PurgeError func(error)
	// Limits bound each session. Defaults as in package payload.
	Limits payload.Limits
}

// A Store is a session.Store on SQL Server; it is also a session.Lister. Make it
// with New.
type Store struct {
	opt    Options
	target *Target
	db     *sql.DB
	held   held

	binding   atomic.Pointer[binding]
	resolving chan struct{} // holds one token while nobody resolves the binding
	procPurge atomic.Bool   // deleting by text was refused

	stop context.CancelFunc // ends the purging goroutine
	done chan struct{}      // closed when it has ended
}

var hexSuffix = regexp.MustCompile(`^[0-9A-Fa-f]{8}$`)

// New checks the options. It does not connect, and starts a goroutine only if
// PurgeInterval says so.
func New(opt Options) (*Store, error) {
	target, err := ParseConnectionString(opt.ConnectionString)
	if err != nil {
		return nil, err
	}
	if target, err = target.forLayout(opt.Layout, opt.AllowCustomDatabase); err != nil {
		return nil, err
	}
	switch {
	case opt.Layout > AsyncInMemoryDurable:
		return nil, fmt.Errorf("sqlserver: there is no layout %d", opt.Layout)
	case opt.Hash > Hash32:
		return nil, fmt.Errorf("sqlserver: there is no hash %d", opt.Hash)
	case (opt.AppID == "") == (opt.Suffix == ""):
		return nil, errors.New(`sqlserver: give either AppID, such as "/LM/W3SVC/1/ROOT", or Suffix`)
	case opt.Suffix != "" && !hexSuffix.MatchString(opt.Suffix):
		return nil, errors.New("sqlserver: Suffix is not eight hexadecimal digits")
	case opt.Layout == Classic && (opt.Table != "" || opt.Hash != Hash21):
		return nil, errors.New("sqlserver: Table and Hash are of the async provider, and the layout is Classic")
	case strings.ContainsRune(opt.Table, 0) || len(opt.Table) > 100:
		return nil, errors.New("sqlserver: Table is no name of a table")
	case opt.Layout == Classic && strings.ContainsFunc(opt.AppID, func(c rune) bool { return c > 0x7f }):
		return nil, errors.New("sqlserver: an AppID outside ASCII depends on the database's code page: give its Suffix, the hexadecimal form of AppId in ASPStateTempApplications")
	}
	var connector driver.Connector = opt.Connector
	if connector == nil {
		if target.windows {
			return nil, ErrIntegratedSecurity
		}
		connector = mssql.NewConnectorConfig(target.cfg)
	}
	if opt.RetryFor == 0 {
		opt.RetryFor = 5 * time.Second
	}
	if opt.MaxConnections <= 0 {
		opt.MaxConnections = target.maxOpen
	}
	s := &Store{
		opt: opt, target: target, db: pool(connector, opt.MaxConnections),
		resolving: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.held.locks = make(map[heldKey]hold)
	s.resolving <- struct{}{}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	if opt.PurgeInterval > 0 {
		go s.purger(ctx)
	} else {
		close(s.done)
	}
	return s, nil
}

// pool is database/sql's, keeping as ADO.NET does what it has opened.
func pool(connector driver.Connector, most int) *sql.DB {
	if most <= 0 {
		most = 100
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(4 * time.Minute) // ADO.NET's: 4 to 8
	return db
}

// forLayout applies ASP.NET's rule about the database's name, which is of the
// classic provider alone.
func (t *Target) forLayout(l Layout, allowCustom bool) (*Target, error) {
	switch {
	case l != Classic:
		return t, nil
	case t.cfg.Database == "":
		return t.In(DefaultDatabase), nil
	case !allowCustom && !strings.EqualFold(t.cfg.Database, DefaultDatabase):
		return nil, ErrCustomDatabase
	}
	return t, nil
}

// Close stops the purging goroutine, waits for it, and closes the connections.
func (s *Store) Close() error {
	s.stop()
	<-s.done
	return s.db.Close()
}
