package sqlserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

func TestAppID(t *testing.T) {
	for name, want := range map[string]struct {
		id  int32
		hex string
	}{
		"/LM/W3SVC/1/ROOT":          {538231025, "2014c0f1"},
		"/lm/w3svc/2/root":          {729231826, "2b7731d2"},
		"":                          {5381, "00001505"},
		"/LM/W3SVC/1/ROOT/fxtest":   {708014934, "2a337356"},
		"/LM/W3SVC/3/ROOT":          {611758131, "2476b033"},
		"/LM/W3SVC/1273337584/ROOT": {-871514839, "cc0dbd29"},
	} {
		require.Equal(t, want.id, sqlserver.AppID(name), name)
		require.Equal(t, want.hex, fmt.Sprintf("%08x", uint32(sqlserver.AppID(name))), name)
	}
	long := "/" + strings.Repeat("x", 300)
	require.Equal(t, sqlserver.AppID(long[:280]), sqlserver.AppID(long), "as far as the column goes")
}

func TestHashes(t *testing.T) {
	for _, test := range []struct {
		name string
		hash sqlserver.Hash
		want string
	}{
		{"/LM/W3SVC/1/ROOT", sqlserver.Hash21, "B3003E84"},
		{"/lm/w3svc/2/root", sqlserver.Hash21, "F2B066C7"},
		{"", sqlserver.Hash21, "2D2816FE"},
		{"/LM/W3SVC/1/ROOT", sqlserver.Hash64, "7E023E84"},
		{"/LM/W3SVC/1/ROOT", sqlserver.Hash32, "F517E97F"},
		// Each remainder of four units.
		{"", sqlserver.Hash32, "2D2816FE"},
		{"a", sqlserver.Hash32, "CDCAB7BF"},
		{"ab", sqlserver.Hash32, "CDE8B7BF"},
		{"abc", sqlserver.Hash32, "2001D81A"},
		{"abcd", sqlserver.Hash32, "5F0DD81A"},
		{"abcde", sqlserver.Hash32, "17C4906D"},
	} {
		require.Equal(t, test.want, test.hash.Suffix(test.name), "%q, %d", test.name, test.hash)
	}
}

// The rows' keys, as other programs look for them.
func TestKeys(t *testing.T) {
	const id = "4m4irghotazmxblpyakfaw1d"
	for name, test := range map[string]struct {
		opt sqlserver.Options
		key string
	}{
		"classic":            {sqlserver.Options{}, id + "2014c0f1"},
		"classic, given":     {sqlserver.Options{Suffix: "deadbeef"}, id + "deadbeef"},
		"async 2.1":          {sqlserver.Options{Layout: sqlserver.Async}, id + "B3003E84"},
		"async 2.0, 64 bits": {sqlserver.Options{Layout: sqlserver.Async, Hash: sqlserver.Hash64}, id + "7E023E84"},
		"async 2.0, 32 bits": {sqlserver.Options{Layout: sqlserver.AsyncInMemory, Hash: sqlserver.Hash32}, id + "F517E97F"},
		"async, given":       {sqlserver.Options{Layout: sqlserver.AsyncInMemoryDurable, Suffix: "0000AAAA"}, id + "0000AAAA"},
		"1.1":                {sqlserver.Options{Layout: sqlserver.AsyncCompat, Hash: sqlserver.Hash64}, id + "7E023E84"},
	} {
		srv := run(t, test.opt.Layout)
		test.opt.ConnectionString = srv.DSN()
		s := open(t, test.opt)
		require.NoError(t, s.Create(t.Context(), id, time.Minute), name)
		row, ok := srv.Get(test.key)
		require.True(t, ok, "%s: %+v", name, srv.Rows())
		require.Equal(t, test.key, row.SessionID, name)
	}
}

// The async provider does not add its suffix to an id that ends so.
func TestSuffixOnce(t *testing.T) {
	srv := run(t, sqlserver.Async)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: sqlserver.Async})
	id := strings.Repeat("a", 24) + "B3003E84"
	require.NoError(t, s.Create(t.Context(), id, time.Minute))
	require.Equal(t, id, srv.Rows()[0].SessionID)

	srv = run(t, sqlserver.Classic)
	s = open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	id = strings.Repeat("a", 24) + "2014c0f1"
	require.NoError(t, s.Create(t.Context(), id, time.Minute))
	require.Equal(t, id+"2014c0f1", srv.Rows()[0].SessionID, "ASP.NET's own provider does")
}

// Administrators change an application's number so that two share their sessions.
func TestTheDatabaseSays(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	srv.PutApp(strings.ToLower(appID), -2)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	id := newID(t)
	require.NoError(t, s.Create(t.Context(), id, time.Minute))
	_, ok := srv.Get(id + "fffffffe")
	require.True(t, ok)
}

// One that does not come about is asked for again; one that did is not.
func TestSuffixIsAskedOnce(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	srv.MissingProc("TempGetAppID")
	require.ErrorIs(t, s.Touch(t.Context(), newID(t)), session.ErrUnavailable)
	srv.Restore("TempGetAppID")
	srv.ResetTrace()
	for range 3 {
		require.ErrorIs(t, s.Touch(t.Context(), newID(t)), session.ErrNotFound)
	}
	require.Equal(t, []string{"TempGetAppID", "TempResetTimeout", "TempResetTimeout", "TempResetTimeout"}, srv.Names())
}

// An id for which the column has no room would be cut off by the server, and
// meet another visitor's.
func TestLongIDs(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	s := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	require.NoError(t, s.Create(t.Context(), strings.Repeat("x", 80), time.Minute))
	for _, id := range []string{strings.Repeat("x", 81), strings.Repeat("é", 81)} {
		_, err := s.Get(t.Context(), id)
		require.ErrorContains(t, err, "over 80 characters")
		require.Error(t, s.Save(t.Context(), id, session.Lock{}, payload.New(20, payload.Limits{})))
	}
	require.Len(t, srv.Rows(), 1)
}

// The classic and the async provider do not see each other's sessions.
func TestTwoProvidersOneTable(t *testing.T) {
	srv := runWith(t, sqlservertest.Database{})
	a := open(t, sqlserver.Options{ConnectionString: srv.DSN()})
	b := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: sqlserver.AsyncCompat})
	id := newID(t)
	require.NoError(t, a.Create(t.Context(), id, time.Minute))
	_, err := b.Get(t.Context(), id)
	require.ErrorIs(t, err, session.ErrNotFound)
	require.NoError(t, b.Create(t.Context(), id, time.Minute))
	require.Len(t, srv.Rows(), 2)
	for _, s := range []*sqlserver.Store{a, b} {
		var ids []string
		require.NoError(t, s.List(t.Context(), func(i session.Info) bool { ids = append(ids, i.ID); return true }))
		require.Equal(t, []string{id}, ids, "and a list has one's own")
	}
}
