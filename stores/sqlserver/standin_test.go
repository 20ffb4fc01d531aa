package sqlserver_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/testenv"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

const appID = "/LM/W3SVC/1/ROOT"

// backend is a server for tests that do not care which: the stand-in, or the one
// that ASPSESSION_SQLSERVER_DSN names.
type backend struct {
	dsn     string
	advance func(time.Duration) // nil on a real server
}

// realDSN names a database made by `aspstate sql install`, by a login that may read
// the table, too: the suite lists it.
const realDSN = "ASPSESSION_SQLSERVER_DSN"

// each runs a test on the stand-in, and on the real server if there is one.
func each(t *testing.T, layout sqlserver.Layout, test func(t *testing.T, b backend)) {
	t.Run("stand-in", func(t *testing.T) {
		srv := run(t, layout)
		test(t, backend{srv.DSN(), srv.Advance})
	})
	t.Run("server", func(t *testing.T) {
		dsn := os.Getenv(realDSN)
		testenv.Need(t, "sqlserver", dsn != "", "set "+realDSN+" to a connection string of a database made by `aspstate sql install`")
		if layout != sqlserver.Classic {
			t.Skip("the async provider's tables are made by the provider")
		}
		test(t, backend{dsn: dsn})
	})
}

var layouts = map[sqlserver.Layout][]sqlservertest.Layout{
	sqlserver.Classic:              {sqlservertest.Classic4},
	sqlserver.AsyncCompat:          {sqlservertest.Async11},
	sqlserver.Async:                {sqlservertest.Async2},
	sqlserver.AsyncInMemory:        {sqlservertest.Async2InMemory},
	sqlserver.AsyncInMemoryDurable: {sqlservertest.Async2InMemoryDurable},
}

// run starts a stand-in of a layout.
func run(t testing.TB, layout sqlserver.Layout) *sqlservertest.Server {
	return runWith(t, sqlservertest.Database{Layouts: layouts[layout]})
}

func runWith(t testing.TB, db sqlservertest.Database) *sqlservertest.Server {
	t.Helper()
	return sqlservertest.Run(t, sqlservertest.Options{Databases: []sqlservertest.Database{db}})
}

// open makes a store on a backend, with an application of its own on a real
// server.
func open(t testing.TB, opt sqlserver.Options) *sqlserver.Store {
	t.Helper()
	if opt.AppID == "" && opt.Suffix == "" {
		opt.AppID = appID
	}
	opt.AllowCustomDatabase = true
	s, err := sqlserver.New(opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func newID(t testing.TB) string {
	t.Helper()
	id, err := session.StandardIDs{}.New()
	require.NoError(t, err)
	return id
}

// classicKey and asyncKey are rows' keys of application appID.
func classicKey(id string) string { return id + "2014c0f1" }
func asyncKey(id string) string   { return id + "B3003E84" }

// random are bytes that do not compress.
func random(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[rand.N(64)]
	}
	return string(b)
}
