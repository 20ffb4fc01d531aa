package sqlserver_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
)

const asyncProvider = "Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync"

func TestOpenerServes(t *testing.T) {
	require.True(t, sqlserver.Opener.Serves("SQLServer", ""))
	require.True(t, sqlserver.Opener.Serves("Custom", asyncProvider))
	require.False(t, sqlserver.Opener.Serves("Custom", "Shop.Provider"))
	require.False(t, sqlserver.Opener.Serves("StateServer", ""))
}

// The store that the opener makes is the one that Options make.
func TestOpener(t *testing.T) {
	type attributes = map[string]string
	id := strings.Repeat("a", 24)
	for name, c := range map[string]struct {
		opt        sqlserver.Options
		keyBase    string
		provider   string
		attributes attributes
		warned     bool
	}{
		"classic":            {opt: sqlserver.Options{AppID: appID, Compress: true}},
		"classic, by suffix": {opt: sqlserver.Options{Suffix: "0a1b2c3d"}, keyBase: "0a1b2c3d"},
		"compat":             {opt: sqlserver.Options{Layout: sqlserver.AsyncCompat, AppID: appID}, provider: asyncProvider, attributes: attributes{}},
		"async":              {opt: sqlserver.Options{Layout: sqlserver.Async, AppID: appID}, provider: asyncProvider, attributes: attributes{"repositorytype": "sqlserver"}},
		"async 2.0": {opt: sqlserver.Options{Layout: sqlserver.Async, AppID: appID, Hash: sqlserver.Hash64}, provider: asyncProvider,
			attributes: attributes{"repositorytype": "SqlServer", "type": asyncProvider + ", " + asyncProvider + ", Version=2.0.0.0, Culture=neutral"}, warned: true},
		"async, 32 bits":   {opt: sqlserver.Options{Layout: sqlserver.Async, AppID: appID, Hash: sqlserver.Hash32}, provider: asyncProvider, attributes: attributes{"repositorytype": "SqlServer", "hash": "32"}},
		"in memory":        {opt: sqlserver.Options{Layout: sqlserver.AsyncInMemory, AppID: appID}, provider: asyncProvider, attributes: attributes{"useinmemorytable": "true"}},
		"in memory, saved": {opt: sqlserver.Options{Layout: sqlserver.AsyncInMemoryDurable, AppID: appID}, provider: asyncProvider, attributes: attributes{"repositorytype": "InMemoryDurable"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := run(t, c.opt.Layout)
			c.opt.ConnectionString, c.opt.AllowCustomDatabase = srv.DSN(), true
			direct, err := sqlserver.New(c.opt)
			require.NoError(t, err)
			defer direct.Close()
			p := payload.New(20, payload.Limits{})
			require.NoError(t, p.Items().Set("n", 1))
			require.NoError(t, direct.Save(t.Context(), id, session.Lock{}, p))

			s := session.Settings{Mode: "SQLServer", AppID: appID, Connection: srv.DSN(), KeyBase: c.keyBase, Compress: c.opt.Compress, Attributes: c.attributes}
			if c.provider != "" {
				s.Mode, s.Provider = "Custom", c.provider
			}
			warned := false
			s.Warn = func(string) { warned = true }
			store, err := sqlserver.Opener.Open(t.Context(), s)
			require.NoError(t, err)
			defer store.(*sqlserver.Store).Close()
			rec, err := store.Get(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, []string{"n"}, rec.Payload.Items().Keys())
			require.Equal(t, c.warned, warned)
		})
	}
}

func TestOpenerErrors(t *testing.T) {
	const named = "Data Source=127.0.0.1;Initial Catalog=Other;User ID=u;Password=open-sesame"
	open := func(s session.Settings) error {
		s.Warn = func(string) {}
		store, err := sqlserver.Opener.Open(t.Context(), s)
		if err == nil {
			return store.(*sqlserver.Store).Close()
		}
		return err
	}
	require.ErrorContains(t, open(session.Settings{Mode: "SQLServer", AppID: appID}), "connection string")
	require.ErrorIs(t, open(session.Settings{Mode: "SQLServer", AppID: appID, Connection: named}), sqlserver.ErrCustomDatabase)
	require.NoError(t, open(session.Settings{Mode: "SQLServer", AppID: appID, Connection: named, Attributes: map[string]string{"allowcustomsqldatabase": "true"}}))
	custom := session.Settings{Mode: "Custom", Provider: asyncProvider, AppID: appID, Connection: named}
	custom.Attributes = map[string]string{"repositorytype": "Other"}
	require.ErrorContains(t, open(custom), "repositoryType")
	custom.Attributes = map[string]string{"hash": "16"}
	require.ErrorContains(t, open(custom), "hash")
	custom.AppID, custom.Attributes = "", nil
	err := open(custom)
	require.ErrorContains(t, err, "AppID")
	require.NotContains(t, err.Error(), "open-sesame")
}
