package redis_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stores/redis"
)

func TestConnectionStrings(t *testing.T) {
	plain := func(change func(*goredis.UniversalOptions)) goredis.UniversalOptions {
		o := goredis.UniversalOptions{DialTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
		change(&o)
		return o
	}
	type options = goredis.UniversalOptions
	for _, row := range []struct {
		in       string
		want     options
		warnings int
	}{
		{"cache", plain(func(o *options) { o.Addrs = []string{"cache:6379"} }), 0},
		{" cache : 1, ,other:7000,", plain(func(o *options) { o.Addrs = []string{"other:7000"} }), 1},
		{"a,A:6379,a:6379,b", plain(func(o *options) { o.Addrs = []string{"a:6379", "A:6379", "b:6379"} }), 1},
		{"::1,[fe80::1]:7,10.0.0.1", plain(func(o *options) { o.Addrs = []string{"[::1]:6379", "[fe80::1]:7", "10.0.0.1:6379"} }), 0},
		{"cache:6380,password=abc/def==,ssl=True,abortConnect=False", plain(func(o *options) {
			o.Addrs, o.Password, o.TLSConfig = []string{"cache:6380"}, "abc/def==", &tls.Config{ServerName: "cache"}
		}), 0},
		{"a,b,ssl=1,sslHost=c,SslProtocols=Tls12|tls13", plain(func(o *options) {
			o.Addrs = []string{"a:6380", "b:6380"}
			o.TLSConfig = &tls.Config{ServerName: "c", MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}
		}), 0},
		{"shop.redis.cache.windows.net,password=x", plain(func(o *options) {
			o.Addrs, o.Password = []string{"shop.redis.cache.windows.net:6380"}, "x"
			o.TLSConfig = &tls.Config{ServerName: "shop.redis.cache.windows.net"}
		}), 0},
		{"s1,s2:1,serviceName=mymaster,user=u,password=p,defaultDatabase=3,name=web", plain(func(o *options) {
			o.Addrs, o.MasterName, o.DB, o.ClientName = []string{"s1:26379", "s2:1"}, "mymaster", 3, "web"
			o.Username, o.Password, o.SentinelUsername, o.SentinelPassword = "u", "p", "u", "p"
		}), 1},
		{"s1,serviceName=m,password=p,sentinelPassword=q", plain(func(o *options) {
			o.Addrs, o.MasterName, o.Password, o.SentinelPassword = []string{"s1:26379"}, "m", "p", "q"
		}), 0},
		{"c,connectTimeout=1500,syncTimeout=250,connectRetry=5", plain(func(o *options) {
			o.Addrs, o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.MaxRetries = []string{"c:6379"}, 1500*time.Millisecond, 250*time.Millisecond, 250*time.Millisecond, 5
		}), 0},
		{"c,syncTimeout=9000", plain(func(o *options) { // connecting takes at least as long
			o.Addrs, o.DialTimeout, o.ReadTimeout, o.WriteTimeout = []string{"c:6379"}, 9*time.Second, 9*time.Second, 9*time.Second
		}), 0},
		{"c,connectRetry=0,protocol=resp2", plain(func(o *options) { o.Addrs, o.MaxRetries, o.Protocol = []string{"c:6379"}, -1, 2 }), 0},
		{"c,allowAdmin=true,keepAlive=60,tiebreaker=,proxy=None,checkCertificateRevocation=true", plain(func(o *options) { o.Addrs = []string{"c:6379"} }), 4},
		{"c,sslHost=d", plain(func(o *options) { o.Addrs = []string{"c:6379"} }), 1},
	} {
		t.Run(row.in, func(t *testing.T) {
			got, warnings, err := redis.ParseConnectionString(row.in)
			require.NoError(t, err)
			require.Equal(t, row.want, got)
			require.Len(t, warnings, row.warnings, "%q", warnings)
		})
	}
}

func TestConnectionStringsRefused(t *testing.T) {
	for _, row := range [][2]string{
		{"", "no endpoint"},
		{"password=secret", "no endpoint"},
		{"c,ssl=maybe", "part 2: ssl is neither"},
		{"c,defaultDatabase=x", "part 2: defaultdatabase"},
		{"c,syncTimeout=0", "synctimeout"},
		{"c,connectTimeout=99999999999", "connecttimeout"},
		{"c,proxy=Twemproxy", "proxies"},
		{"c,tunnel=http:x", "tunnels"},
		{"c,$EVAL=", "renamed"},
		{"c,sslProtocols=Tls99", "unknown protocol"},
		{"c,protocol=resp9", "protocol"},
		{"!/tmp/redis.sock", "Unix sockets"},
		{"c,password=half,secret=", "part 3: no such option; a password with a comma"},
	} {
		_, _, err := redis.ParseConnectionString(row[0])
		require.ErrorContains(t, err, row[1], row[0])
		require.NotContains(t, err.Error(), "secret")
		require.NotContains(t, err.Error(), "half")
	}
	// What follows a comma in a password looks like an endpoint: it is not shown.
	_, warnings, err := redis.ParseConnectionString("c,password=half,se cret")
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.NotContains(t, warnings[0], "cret")
}

func FuzzConnectionString(f *testing.F) {
	for _, s := range []string{"", "a", "a:1,b:2,ssl=true,password=x=,$x=", "[::1]:1,::2,!x", "s,serviceName=m,user=u,sslProtocols=Tls|Tls13", "=,=a,a=,,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const secret = "S3CRET/half"
		opt, warnings, err := redis.ParseConnectionString(s + ",password=" + secret)
		if err != nil {
			require.NotContains(t, err.Error(), secret)
			return
		}
		require.NotEmpty(t, opt.Addrs)
		require.Equal(t, secret, opt.Password)
		for _, w := range warnings {
			require.NotContains(t, w, secret)
		}
	})
}

func TestWebConfig(t *testing.T) {
	p := redis.Provider{
		Attributes: map[string]string{
			"name": "MySessionStateStore", "type": "Microsoft.Web.Redis.RedisSessionStateProvider",
			"HOST": "cacheHost", "port": "cachePort", "accessKey": "key,with=comma", "ssl": "useSSL", "databaseId": "2",
			"applicationName": "MyApp", "connectionTimeoutInMilliseconds": "3000", "operationTimeoutInMilliseconds": "1000",
			"throwOnError": "true", "retryTimeoutInMilliseconds": "3000", "colour": "blue",
		},
		AppSettings: map[string]string{"CacheHost": "cache.example.com", "cachePort": "7001", "useSSL": "false"},
		Timeout:     30 * time.Minute, ExecutionTimeout: time.Minute,
	}
	opt, warnings, err := p.Options()
	require.NoError(t, err)
	require.Equal(t, "MyApp", opt.App)
	require.Equal(t, []string{"cache.example.com:7001"}, opt.Redis.Addrs)
	require.Equal(t, "key,with=comma", opt.Redis.Password)
	require.Equal(t, 2, opt.Redis.DB)
	require.Nil(t, opt.Redis.TLSConfig)
	require.Equal(t, 3*time.Second, opt.Redis.DialTimeout)
	require.Equal(t, time.Second, opt.Redis.ReadTimeout)
	require.Equal(t, 30*time.Minute, opt.Timeout)
	require.Equal(t, time.Minute, opt.ExecutionTimeout)
	require.Len(t, warnings, 3, "%q", warnings) // throwOnError, retryTimeout, colour

	for name, row := range map[string]struct {
		attributes map[string]string
		app        string
		addr       string
		password   string
		db         int
		tls        bool
		layout     redis.Layout
		warning    string
	}{
		"nothing":               {nil, "/", "127.0.0.1:6380", "", 0, true, redis.LayoutC, "ssl is missing"},
		"by name":               {map[string]string{"connectionString": "Redis", "host": "ignored", "applicationName": "A"}, "A", "r1:6379", "pw", 5, false, redis.LayoutC, "host has no counterpart"},
		"from appSettings":      {map[string]string{"connectionString": "redisSetting", "databaseId": "4"}, "/", "r2:6379", "", 4, false, redis.LayoutC, ""},
		"as it stands":          {map[string]string{"connectionString": "r3:1,defaultDatabase=6", "databaseId": "4"}, "/", "r3:1", "", 6, false, redis.LayoutC, ""},
		"a custom serializer":   {map[string]string{"ssl": "false", "redisSerializerType": "My.Json, My"}, "/", "127.0.0.1:6379", "", 0, false, redis.LayoutB, "Options.Serializer"},
		"an application's name": {map[string]string{"ssl": "False", "applicationName": "appName"}, "Shop", "127.0.0.1:6379", "", 0, false, redis.LayoutC, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := redis.Provider{Attributes: row.attributes, AppSettings: map[string]string{"redisSetting": "r2", "appName": "Shop"},
				ConnectionStrings: map[string]string{"Redis": "r1,password=pw,defaultDatabase=5"}}
			opt, warnings, err := p.Options()
			require.NoError(t, err)
			require.Equal(t, row.app, opt.App)
			require.Equal(t, []string{row.addr}, opt.Redis.Addrs)
			require.Equal(t, row.password, opt.Redis.Password)
			require.Equal(t, row.db, opt.Redis.DB)
			require.Equal(t, row.tls, opt.Redis.TLSConfig != nil)
			require.Equal(t, row.layout, opt.Layout)
			require.Contains(t, strings.Join(warnings, "\n"), row.warning)
		})
	}
	for _, row := range []map[string]string{
		{"settingsClassName": "A", "settingsMethodName": "B"}, {"port": "x"}, {"ssl": "maybe"}, {"databaseId": "-1"}, {"host": "a,b"},
		{"connectionString": "a,nonsense=secret"},
	} {
		_, _, err := redis.Provider{Attributes: row}.Options()
		require.Error(t, err, "%v", row)
		require.NotContains(t, err.Error(), "secret")
	}
}
