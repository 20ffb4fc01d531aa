package redis_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

const microsoftProvider = "Microsoft.Web.Redis.RedisSessionStateProvider"

func TestOpenerServes(t *testing.T) {
	require.True(t, redis.Opener.Serves("Custom", microsoftProvider))
	require.False(t, redis.Opener.Serves("Custom", "Shop.RedisSessionStateProvider"))
	require.False(t, redis.Opener.Serves("StateServer", ""))
}

// The store that the opener makes is the one that Options make.
func TestOpener(t *testing.T) {
	addr := redistest.Server(t)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	id := strings.Repeat("a", 24)
	for name, c := range map[string]struct {
		opt        redis.Options
		db         int
		connection string
		keyBase    string
		attributes map[string]string
	}{
		"host and port":         {redis.Options{App: "/shop"}, 2, "", "", map[string]string{"host": host, "port": port, "ssl": "false", "databaseid": "2", "applicationname": "/shop", "name": "r", "type": microsoftProvider}},
		"a connection string":   {redis.Options{App: "A"}, 1, addr + ",ssl=false,defaultDatabase=1", "", map[string]string{"applicationname": "A", "connectionstring": "Name", "host": "nowhere"}},
		"a layout":              {redis.Options{App: "B", Layout: redis.LayoutB}, 0, addr, "", map[string]string{"applicationname": "B", "layout": "b"}},
		"another name":          {redis.Options{App: "C"}, 0, addr, "C", map[string]string{"applicationname": "wrong"}},
		"the root, where empty": {redis.Options{App: "/"}, 0, addr, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.opt.Redis.Addrs, c.opt.Redis.DB = []string{addr}, c.db
			direct, err := redis.Open(t.Context(), c.opt)
			require.NoError(t, err)
			defer direct.Close()
			p := payload.New(20, payload.Limits{})
			require.NoError(t, p.Items().Set("n", 1))
			require.NoError(t, direct.Save(t.Context(), id, session.Lock{}, p))

			var warnings []string
			store, err := redis.Opener.Open(t.Context(), session.Settings{Mode: "Custom", Provider: microsoftProvider,
				Connection: c.connection, KeyBase: c.keyBase, Attributes: c.attributes, Timeout: time.Hour,
				Warn: func(what string) { warnings = append(warnings, what) }})
			require.NoError(t, err)
			defer store.(*redis.Store).Close()
			rec, err := store.Get(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, []string{"n"}, rec.Payload.Items().Keys())
			for _, w := range warnings {
				require.True(t, strings.HasPrefix(w, "redis: "), w)
				require.NotContains(t, w, "layout is unknown", "the layout is ours, not the provider's")
			}
		})
	}
}

func TestOpenerErrors(t *testing.T) {
	open := func(attributes map[string]string) error {
		_, err := redis.Opener.Open(t.Context(), session.Settings{Mode: "Custom", Provider: microsoftProvider, Attributes: attributes, Warn: func(string) {}})
		return err
	}
	require.ErrorContains(t, open(map[string]string{"layout": "D"}), "layout")
	require.ErrorContains(t, open(map[string]string{"settingsclassname": "X", "settingsmethodname": "Y"}), "settings")
	err := open(map[string]string{"host": "127.0.0.1", "port": "1", "ssl": "false", "accesskey": "open-sesame"})
	require.ErrorIs(t, err, session.ErrUnavailable)
	require.NotContains(t, err.Error(), "open-sesame")
}
