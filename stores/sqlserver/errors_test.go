package sqlserver_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

const checkIt = "`aspstate sql check`"

// calls makes every call once and returns its error.
func calls(t *testing.T, s session.Store, id string) map[string]error {
	ctx, lock := t.Context(), session.NumberLock(2)
	p := payload.New(20, payload.Limits{})
	_, get := s.Get(ctx, id)
	_, acquire := s.Acquire(ctx, id, time.Minute)
	return map[string]error{
		"Get": get, "Acquire": acquire, "Create": s.Create(ctx, id, time.Minute), "Save": s.Save(ctx, id, lock, p), "Save of a new one": s.Save(ctx, id, session.Lock{}, p),
		"Release": s.Release(ctx, id, lock), "Remove": s.Remove(ctx, id, lock), "Touch": s.Touch(ctx, id),
	}
}

// Each error names the server, the database, the object and what to do, and holds
// neither the password nor an id.
func TestErrorsSayWhatWhereAndWhatToDo(t *testing.T) {
	everything := func(f func(srv *sqlservertest.Server, name string)) func(srv *sqlservertest.Server) {
		return func(srv *sqlservertest.Server) {
			for _, name := range []string{
				"TempGetStateItem3", "TempGetStateItemExclusive3", "TempInsertUninitializedItem", "TempUpdateStateItemShortNullLong", "TempInsertStateItemShort",
				"TempReleaseStateItemExclusive", "TempRemoveStateItem", "TempResetTimeout",
			} {
				f(srv, name)
			}
		}
	}
	id := newID(t)
	for name, test := range map[string]struct {
		db     sqlservertest.Database
		spoil  func(srv *sqlservertest.Server)
		dsn    func(srv *sqlservertest.Server) string
		object string
		number int32
		opt    sqlserver.Options
	}{
		"a missing procedure":     {spoil: everything((*sqlservertest.Server).MissingProc), object: "dbo.Temp", number: 2812},
		"a login without EXECUTE": {spoil: everything((*sqlservertest.Server).Deny), object: "dbo.Temp", number: 229},
		"a wrong database":        {db: sqlservertest.Database{Layouts: []sqlservertest.Layout{}}, object: "dbo.TempGetAppID", number: 2812},
		"one that is not there": {dsn: func(srv *sqlservertest.Server) string {
			return srv.URL(sqlservertest.User, sqlservertest.Password, "Elsewhere")
		}, object: "login", number: 4060},
		"a wrong password":       {dsn: func(srv *sqlservertest.Server) string { return srv.URL(sqlservertest.User, "hunter2", "ASPState") }, object: "login", number: 18456},
		"of the async provider":  {db: sqlservertest.Database{Layouts: []sqlservertest.Layout{}}, object: "Item", number: 2812, opt: sqlserver.Options{Layout: sqlserver.Async}},
		"no table for its texts": {db: sqlservertest.Database{Layouts: []sqlservertest.Layout{sqlservertest.Async2}}, object: "Sessions", opt: sqlserver.Options{Layout: sqlserver.AsyncCompat, Table: "Sessions"}},
		"nothing for compat":     {db: sqlservertest.Database{Layouts: []sqlservertest.Layout{}}, object: "dbo.Temp", number: 2812, opt: sqlserver.Options{Layout: sqlserver.AsyncCompat}},
		"that says too much of it": {spoil: everything(func(srv *sqlservertest.Server, name string) {
			srv.FailNextWith(sqlservertest.Error{Number: 2812, Message: "No " + strings.ToUpper(id) + "2014C0F1 for " + sqlservertest.Password}, 1, name)
		}), object: "dbo.Temp", number: 2812},
	} {
		t.Run(name, func(t *testing.T) {
			srv := runWith(t, test.db)
			dsn := srv.DSN()
			if test.dsn != nil {
				dsn = test.dsn(srv)
			}
			if test.spoil != nil {
				test.spoil(srv)
			}
			opt := test.opt
			opt.ConnectionString = dsn
			for call, err := range calls(t, open(t, opt), id) {
				require.ErrorIs(t, err, session.ErrUnavailable, call)
				var e *sqlserver.Error
				require.ErrorAs(t, err, &e, call)
				require.Contains(t, err.Error(), srv.Addr(), call)
				require.Contains(t, err.Error(), "database "+e.Database, call)
				require.Contains(t, []string{"ASPState", "Elsewhere"}, e.Database)
				require.Contains(t, e.Object, test.object, call)
				require.Equal(t, test.number, e.Number, call)
				require.Contains(t, err.Error(), checkIt, call)
				requireNoSecrets(t, err, id)
			}
		})
	}
}

// requireNoSecrets looks at what is inside, too: a logger may print it.
func requireNoSecrets(t *testing.T, err error, id string) {
	t.Helper()
	texts := []string{err.Error()}
	var sqlErr mssql.Error
	if errors.As(err, &sqlErr) {
		texts = append(texts, sqlErr.Error(), sqlErr.Message)
		require.Empty(t, sqlErr.All)
	}
	for _, text := range texts {
		for _, secret := range []string{sqlservertest.Password, "hunter2", id} {
			require.NotContains(t, strings.ToLower(text), strings.ToLower(secret))
		}
	}
}

// A row whose payload is no session, or is compressed where this is not expected,
// and the other way round.
func TestBadPayloads(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	id := newID(t)
	for name, test := range map[string]struct {
		blob     []byte
		compress bool
		want     string
	}{
		"none":                  {nil, false, "no payload"},
		"garbage":               {[]byte("nothing of the kind"), false, checkIt},
		"garbage, compressed":   {[]byte("nothing of the kind"), true, checkIt},
		"compressed":            {vectors(t, "deflate-mixed.bin")["deflate-mixed.bin"], false, "with Compress true it can be read"},
		"not compressed at all": {vectors(t, "store-mixed.bin")["store-mixed.bin"], true, "with Compress false it can be read"},
	} {
		put(srv, classicKey(id), test.blob)
		s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Compress: test.compress})
		_, err := s.Get(t.Context(), id)
		require.ErrorIs(t, err, session.ErrBadData, name)
		for _, part := range []string{srv.Addr(), "database ASPState", "ASPStateTempSessions", test.want} {
			require.ErrorContains(t, err, part, name)
		}
		requireNoSecrets(t, err, id)
	}
}

// SQL Server quotes the key in the message of a duplicate.
func TestDuplicateTellsNoID(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	id := newID(t)
	p := payload.New(20, payload.Limits{})
	require.NoError(t, s.Save(t.Context(), id, session.Lock{}, p))
	for _, number := range []int32{2627, 2601} {
		if number == 2601 {
			srv.FailNext(number, 1, "TempInsertStateItemShort")
		}
		err := s.Save(t.Context(), id, session.Lock{}, p)
		require.ErrorIs(t, err, session.ErrExists)
		requireNoSecrets(t, err, id)
	}
	srv.FailNext(2601, 1, "TempInsertUninitializedItem")
	require.NoError(t, s.Create(t.Context(), id, time.Minute))
	// Another error with the key in it.
	srv.FailNextWith(sqlservertest.Error{Number: 2628, Message: "Truncated value: '" + id[:12] + "'."}, 1, "TempResetTimeout")
	requireNoSecrets(t, s.Touch(t.Context(), id), id[:12])
	srv.FailNextWith(sqlservertest.Error{Number: 50001, Message: "who is " + classicKey(id) + "?"}, 1, "TempResetTimeout")
	err := s.Touch(t.Context(), id)
	require.ErrorContains(t, err, "who is ***?")
}
