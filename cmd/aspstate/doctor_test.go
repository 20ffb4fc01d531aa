package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
	"github.com/aspsession/aspsession/stores/stateserver"
)

const (
	doctorID  = "2ne4zzc4yrcakgqbxgtomtfb"
	doctorApp = "/LM/W3SVC/1/ROOT"
	oldKey    = "21F090935F6E49C2C797F69BBAAD8402ABD2EE0B667A8B44EA7DD4374267A75D7AD972A119482D15A4127461DB1DC347C1A63AE5F1CCFAACFF1B72A7F0A281B0"
)

// webConfigFile writes the inside of <system.web>, and what stands beside it.
func webConfigFile(t *testing.T, inside, beside string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "web.config")
	text := "<?xml version=\"1.0\"?>\n<configuration>\n" + beside + "\n<system.web>\n" + inside + "\n</system.web>\n</configuration>\n"
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func stateService(t *testing.T, opt stateservice.Options) string {
	t.Helper()
	s := stateservice.New(opt)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		<-done
	})
	return ln.Addr().String()
}

func stateConfig(t *testing.T, addr, more, beside string) string {
	return webConfigFile(t, fmt.Sprintf(`<sessionState mode="StateServer" stateConnectionString="tcpip=%s" %s/>`, addr, more), beside)
}

func redisConfig(t *testing.T, addr, more string) string {
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	return webConfigFile(t, fmt.Sprintf(`<sessionState mode="Custom" customProvider="r"><providers>
<add name="r" type="Microsoft.Web.Redis.RedisSessionStateProvider" host="%s" port="%s" ssl="false" %s/></providers></sessionState>`, host, port, more), "")
}

// put stores a session as the other side would, with items beside a plain one.
func put(t *testing.T, store session.Store, change func(*payload.Items)) session.Store {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("visits", 3))
	if change != nil {
		change(p.Items())
	}
	require.NoError(t, store.Save(t.Context(), doctorID, session.Lock{}, p))
	t.Cleanup(func() { _ = closeStore(store) })
	return store
}

func stateStore(t *testing.T, opt stateserver.Options) session.Store {
	store, err := stateserver.New(opt)
	require.NoError(t, err)
	return store
}

func redisStore(t *testing.T, opt redis.Options, addr string, db int) session.Store {
	opt.Redis.Addrs, opt.Redis.DB = []string{addr}, db
	store, err := redis.Open(t.Context(), opt)
	require.NoError(t, err)
	return store
}

func sqlStore(t *testing.T, opt sqlserver.Options) session.Store {
	store, err := sqlserver.New(opt)
	require.NoError(t, err)
	return store
}

func sqlConfig(t *testing.T, srv *sqlservertest.Server, password, database string) string {
	host, port, err := net.SplitHostPort(srv.Addr())
	require.NoError(t, err)
	more := ""
	if database != "" {
		more = "Initial Catalog=" + database + ";"
	}
	return webConfigFile(t, fmt.Sprintf(`<sessionState mode="SQLServer" allowCustomSqlDatabase="true" sqlConnectionString="Data Source=%s,%s;%sUser ID=%s;Password='%s'"/>`,
		host, port, more, sqlservertest.User, password), "")
}

func asyncConfig(t *testing.T, srv *sqlservertest.Server) string {
	host, port, err := net.SplitHostPort(srv.Addr())
	require.NoError(t, err)
	return webConfigFile(t, `<sessionState mode="Custom" customProvider="s"><providers>
<add name="s" type="Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync" connectionStringName="db" repositoryType="SqlServer"/></providers></sessionState>`,
		fmt.Sprintf(`<connectionStrings><add name="db" connectionString="Data Source=%s,%s;Initial Catalog=ASPState;User ID=%s;Password='%s'"/></connectionStrings>`,
			host, port, sqlservertest.User, sqlservertest.Password))
}

// probeFile is what the page would answer, changed.
func probeFile(t *testing.T, change func(*probed)) string {
	t.Helper()
	p := probed{Probe: "1", AppID: doctorApp, VirtualPath: "/", Runtime: ".NET Framework", CLR: "4.0.30319.42000", Bits: 64, KeyBase: msasp.Base(doctorApp)}
	p.HTTPRuntime.ExecutionTimeoutSeconds = 110
	p.SessionState.Mode, p.SessionState.CookieName, p.SessionState.Cookieless, p.SessionState.CompressionEnabled = "StateServer", "ASP.NET_SessionId", "UseCookies", "False"
	change(&p)
	b, err := json.Marshal(p)
	require.NoError(t, err)
	return writeFile(t, b)
}

// vector is an item collection of payload's vectors.
func vector(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "payload", "testdata", name))
	require.NoError(t, err)
	return b
}

func takeLock(t *testing.T, store session.Store) {
	t.Helper()
	_, err := store.Acquire(t.Context(), doctorID, time.Minute)
	require.NoError(t, err)
}

// Each fault that is planted is named first, with a cure, and no secret and no
// id is shown.
func TestDoctorNamesEachFault(t *testing.T) {
	site := []string{"--app-id", doctorApp, "--id", doctorID}
	args := func(config string, more ...string) []string { return append([]string{"--config", config}, more...) }
	found := func(opt stateserver.Options) string { // a state service that has the session
		opt.Addr = stateService(t, stateservice.Options{})
		put(t, stateStore(t, opt), nil)
		return opt.Addr
	}
	tests := []struct {
		name, fault, cure string
		notice            bool
		plant             func(t *testing.T) []string
	}{
		{"no XML", "web.config", "correct the file", false, func(t *testing.T) []string {
			return args(writeFile(t, []byte("mode=StateServer")))
		}},
		{"a port that is no number", "web.config", "correct", false, func(t *testing.T) []string {
			return args(stateConfig(t, "127.0.0.1:abc", "", ""), site...)
		}},
		{"InProc", "inproc", "state service", false, func(t *testing.T) []string {
			return args(webConfigFile(t, `<sessionState timeout="30"/>`, ""), site...)
		}},
		{"a provider of the site's own", "foreign-type", "session.Store", false, func(t *testing.T) []string {
			return args(webConfigFile(t, `<sessionState mode="Custom" customProvider="x"><providers><add name="x" type="Shop.Provider, Shop"/></providers></sessionState>`, ""), site...)
		}},
		{"no application id", "app-id-missing", "--app-id", false, func(t *testing.T) []string {
			return args(stateConfig(t, "127.0.0.1:42424", "", ""))
		}},
		{"the service is down", "store-down", "start the service", false, func(t *testing.T) []string {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, ln.Close())
			return args(stateConfig(t, ln.Addr().String(), "", ""), site...)
		}},
		{"a web server on the port", "wrong-service", "host and port", false, func(t *testing.T) []string {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
			t.Cleanup(srv.Close)
			return args(stateConfig(t, srv.Listener.Addr().String(), "", ""), site...)
		}},
		{"a neighbour's site id", "app-id", "/LM/W3SVC/7/ROOT", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: "/LM/W3SVC/7/ROOT"}), "", ""), site...)
		}},
		{"Root for ROOT", "app-id-case", "/LM/W3SVC/1/Root", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: "/LM/W3SVC/1/Root"}), "", ""), site...)
		}},
		{"case of the application's path", "app-path-case", "/LM/W3SVC/1/ROOT/Shop", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: "/LM/W3SVC/1/ROOT/Shop"}), "", ""), "--app-id", "/LM/W3SVC/1/ROOT/shop", "--path", "/shop", "--id", doctorID)
		}},
		{"an application below the site", "app-id", "/LM/W3SVC/1/ROOT/shop", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: "/LM/W3SVC/1/ROOT/shop"}), "", ""), "--app-id", doctorApp, "--path", "/shop", "--id", doctorID)
		}},
		{"keys of before 4.5", "old-hash", "--old-hash", false, func(t *testing.T) []string {
			base, err := msasp.KeyedBase(doctorApp, msasp.SHA1, []byte(mustHex(t, oldKey)))
			require.NoError(t, err)
			addr := found(stateserver.Options{Base: base})
			return args(webConfigFile(t, fmt.Sprintf(`<machineKey validation="SHA1" validationKey="%s"/><sessionState mode="StateServer" stateConnectionString="tcpip=%s"/>`, oldKey, addr), ""), site...)
		}},
		{"OldHash with a generated key", "machine-key", "--key-base", false, func(t *testing.T) []string {
			return args(stateConfig(t, "127.0.0.1:42424", "", ""), append(site, "--old-hash")...)
		}},
		{"compressed there", "compression", "web.config", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: doctorApp, Compress: true}), "", ""), site...)
		}},
		{"compressed here", "compression", "web.config", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: doctorApp}), `compressionEnabled="true"`, ""), site...)
		}},
		{"a crashed page's lock", "stale-lock", "unlock", false, func(t *testing.T) []string {
			var ahead atomic.Int64
			addr := stateService(t, stateservice.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, SweepInterval: -1, ParkTimeout: -1})
			takeLock(t, put(t, stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp}), nil))
			ahead.Store(int64(5 * time.Minute))
			return args(stateConfig(t, addr, "", ""), site...)
		}},
		{"a page at work", "locked", "try again", false, func(t *testing.T) []string {
			addr := stateService(t, stateservice.Options{})
			takeLock(t, put(t, stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp}), nil))
			return args(stateConfig(t, addr, "", ""), site...)
		}},
		{"a cut object", "bad-item", "store it again", false, func(t *testing.T) []string {
			addr := stateService(t, stateservice.Options{})
			put(t, stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp}), func(it *payload.Items) {
				require.NoError(t, it.Load("cart", payload.Typed, []byte{20, 0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 12}))
			})
			return args(stateConfig(t, addr, "", ""), site...)
		}},
		{"a class of the site's own", "unmapped-type", "aspstate gen", true, func(t *testing.T) []string {
			addr := stateService(t, stateservice.Options{})
			put(t, stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp}), func(it *payload.Items) {
				from, err := payload.OpenItems(vector(t, "item-person-autoprops.bin"), payload.Limits{})
				require.NoError(t, err)
				person, ok := from.Item("obj")
				require.True(t, ok)
				require.NoError(t, it.Put(person))
			})
			return args(stateConfig(t, addr, "", ""), site...)
		}},
		{"another session than the cookie's", "not-found", "expired", false, func(t *testing.T) []string {
			return args(stateConfig(t, stateService(t, stateservice.Options{}), "", ""), site...)
		}},
		{"no id", "id", "cookie", false, func(t *testing.T) []string {
			return args(stateConfig(t, stateService(t, stateservice.Options{}), "", ""), "--app-id", doctorApp, "--id", "hello")
		}},
		{"another cookie's name", "cookie-name", "cookieName", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: doctorApp}), `cookieName="sid"`, ""), "--app-id", doctorApp, "--id", "theme=dark; ASP.NET_SessionId="+doctorID)
		}},
		{"the server's cookie name", "cookie-name", "web.config", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: doctorApp}), "", ""), append(site, "--probe", probeFile(t, func(p *probed) { p.SessionState.CookieName = "sid" }))...)
		}},
		{"the server's execution timeout", "execution-timeout", "locks", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: doctorApp}), "", ""), append(site, "--probe", probeFile(t, func(p *probed) { p.HTTPRuntime.ExecutionTimeoutSeconds = 300 }))...)
		}},
		{"a type that is not [Serializable]", "not-serializable", "[Serializable]", false, func(t *testing.T) []string {
			no := false
			return args(stateConfig(t, found(stateserver.Options{AppID: doctorApp}), "", ""), append(site, "--probe", probeFile(t, func(p *probed) {
				p.Items = []probedItem{{Name: "cart", Type: "Shop.Cart", Serializable: &no, Problem: "Shop.Line"}}
			}))...)
		}},
		{"the server keeps InProc", "inproc", "move the site", false, func(t *testing.T) []string {
			return args(stateConfig(t, found(stateserver.Options{AppID: doctorApp}), "", ""), append(site, "--probe", probeFile(t, func(p *probed) { p.SessionState.Mode = "InProc" }))...)
		}},
		{"the page knows the path", "path", "--path /Shop", false, func(t *testing.T) []string {
			return args(redisConfig(t, redistest.Server(t), ""), "--path", "/shop", "--probe", probeFile(t, func(p *probed) { p.SessionState.Mode, p.VirtualPath = "Custom", "/Shop" }))
		}},
		{"the page knows the application id", "app-id-case", "/LM/W3SVC/1/ROOT", false, func(t *testing.T) []string {
			return args(stateConfig(t, stateService(t, stateservice.Options{}), "", ""), "--app-id", "/LM/W3SVC/1/Root", "--probe", probeFile(t, func(p *probed) { p.KeyBase = "" }))
		}},
		{"the page knows the keys", "old-hash", "--old-hash", false, func(t *testing.T) []string {
			return args(stateConfig(t, stateService(t, stateservice.Options{}), "", ""), "--app-id", doctorApp, "--probe", probeFile(t, func(p *probed) { p.KeyBase = "/LM/W3SVC/1/ROOT(+ojqKPXi/AxbzrGWTOkR3wS94P4=)/" }))
		}},
		{"Redis: the other layout", "redis-layout", "--layout B", false, func(t *testing.T) []string {
			addr := redistest.Server(t)
			put(t, redisStore(t, redis.Options{App: "MyApp", Layout: redis.LayoutB}, addr, 0), nil)
			return args(redisConfig(t, addr, `applicationName="MyApp"`), "--id", doctorID)
		}},
		{"Redis: another application name", "redis-application", "--key-base /shop", false, func(t *testing.T) []string {
			addr := redistest.Server(t)
			put(t, redisStore(t, redis.Options{App: "/shop"}, addr, 0), nil)
			return args(redisConfig(t, addr, `applicationName="MyApp"`), "--id", doctorID, "--path", "/shop")
		}},
		{"Redis: case of the application's path", "app-path-case", "/Shop", false, func(t *testing.T) []string {
			addr := redistest.Server(t)
			put(t, redisStore(t, redis.Options{App: "/Shop"}, addr, 0), nil)
			return args(redisConfig(t, addr, ""), "--id", doctorID, "--path", "/shop")
		}},
		{"Redis: another database", "redis-database", "uses 3", false, func(t *testing.T) []string {
			addr := redistest.Server(t)
			put(t, redisStore(t, redis.Options{App: "/"}, addr, 3), nil)
			return args(redisConfig(t, addr, ""), "--id", doctorID)
		}},
		{"Redis: a page's lock from another zone", "lock-clock", "clock and zone", false, func(t *testing.T) []string {
			addr := redistest.Server(t)
			put(t, redisStore(t, redis.Options{App: "/"}, addr, 0), nil)
			client := goredis.NewClient(&goredis.Options{Addr: addr})
			defer client.Close()
			ticks := 621355968000000000 + time.Now().Add(-7*time.Hour).UnixNano()/100
			require.NoError(t, client.Set(t.Context(), "{/_"+doctorID+"}_WriteLock", strconv.FormatInt(ticks, 10), 110*time.Second).Err())
			return args(redisConfig(t, addr, ""), "--id", doctorID, "--probe", probeFile(t, func(p *probed) { p.SessionState.Mode, p.UTCOffsetMinutes, p.Zone = "Custom", 60, "W. Europe" }))
		}},
		{"SQL Server: another database", "database", "sql", false, func(t *testing.T) []string {
			srv := sqlservertest.Run(t, sqlservertest.Options{Databases: []sqlservertest.Database{{Name: "Shop", Layouts: []sqlservertest.Layout{}}}})
			return args(sqlConfig(t, srv, sqlservertest.Password, "Shop"), site...)
		}},
		{"SQL Server: a database that is not there", "database", "sql", false, func(t *testing.T) []string {
			return args(sqlConfig(t, sqlservertest.Run(t, sqlservertest.Options{}), sqlservertest.Password, "Nowhere"), site...)
		}},
		{"Redis: a wrong password", "login", "accessKey", false, func(t *testing.T) []string {
			return args(redisConfig(t, redistest.Server(t, "--requirepass", "right"), `accessKey="Sesame-open"`), "--id", doctorID)
		}},
		{"a host's name that is not known", "store-name", "/etc/hosts", false, func(t *testing.T) []string {
			return args(stateConfig(t, "no-such-host.invalid:42424", "", ""), site...)
		}},
		{"no file", "web.config", "path", false, func(t *testing.T) []string {
			return args(filepath.Join(t.TempDir(), "web.config"))
		}},
		{"Redis is down", "store-down", "port", false, func(t *testing.T) []string {
			return args(redisConfig(t, "127.0.0.1:1", ""), "--id", doctorID)
		}},
		{"SQL Server is down", "store-down", "port", false, func(t *testing.T) []string {
			return args(webConfigFile(t, `<sessionState mode="SQLServer" sqlConnectionString="Data Source=127.0.0.1,1;User ID=u;Password=Sesame-open"/>`, ""), site...)
		}},
		{"SQL Server: a wrong password", "login", "password", false, func(t *testing.T) []string {
			return args(sqlConfig(t, sqlservertest.Run(t, sqlservertest.Options{}), "Sesame-open", ""), site...)
		}},
		{"SQL Server: a neighbour's site id", "app-id", "/LM/W3SVC/4/ROOT", false, func(t *testing.T) []string {
			srv := sqlservertest.Run(t, sqlservertest.Options{})
			put(t, sqlStore(t, sqlserver.Options{ConnectionString: srv.DSN(), AppID: "/LM/W3SVC/4/ROOT"}), nil)
			return args(sqlConfig(t, srv, sqlservertest.Password, ""), site...)
		}},
		{"SQL Server, async: the other hash", "sql-hash", "--hash 64", false, func(t *testing.T) []string {
			srv := sqlservertest.Run(t, sqlservertest.Options{Databases: []sqlservertest.Database{{Layouts: []sqlservertest.Layout{sqlservertest.Async2}}}})
			put(t, sqlStore(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: sqlserver.Async, AppID: doctorApp, Hash: sqlserver.Hash64}), nil)
			return args(asyncConfig(t, srv), site...)
		}},
	}
	require.GreaterOrEqual(t, len(tests), 15)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			args := test.plant(t)
			got := runTool(nil, append([]string{"doctor", "--json"}, args...)...)
			require.Empty(t, got.stderr)
			var r report
			require.NoError(t, json.Unmarshal(got.stdout, &r), "%s", got.stdout)
			require.NotEmpty(t, r.Findings, "%s", got.stdout)
			first := r.Findings[0]
			require.Equal(t, test.fault, first.Fault, "%s", got.stdout)
			require.Contains(t, first.Cure, test.cure, "%s", got.stdout)
			require.NotEmpty(t, first.Found)
			require.Equal(t, test.notice, r.Healthy)
			require.Equal(t, test.notice, got.code == exitOK)
			for _, secret := range []string{doctorID, sqlservertest.Password, "Sesame-open", oldKey} {
				require.NotContains(t, string(got.stdout), secret)
			}
		})
	}
}

func mustHex(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(s); i += 2 {
		n, err := strconv.ParseUint(s[i:i+2], 16, 8)
		require.NoError(t, err)
		b.WriteByte(byte(n))
	}
	return b.String()
}

// What is healthy prints a clean page and exits with 0, on every store; a page's
// answer that agrees with web.config adds nothing.
func TestDoctorOnAHealthySite(t *testing.T) {
	addr := stateService(t, stateservice.Options{})
	put(t, stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp}), nil)
	redisAddr := redistest.Server(t)
	put(t, redisStore(t, redis.Options{App: "/"}, redisAddr, 0), nil)
	srv := sqlservertest.Run(t, sqlservertest.Options{})
	put(t, sqlStore(t, sqlserver.Options{ConnectionString: srv.DSN(), AppID: doctorApp}), nil)
	for name, args := range map[string][]string{
		"state service": {"--config", stateConfig(t, addr, "", "")},
		"with a probe":  {"--config", stateConfig(t, addr, "", ""), "--probe", probeFile(t, func(p *probed) { p.IDHash = idHash(doctorID) })},
		"SQL Server":    {"--config", sqlConfig(t, srv, sqlservertest.Password, "")},
		"Redis":         {"--config", redisConfig(t, redisAddr, `applicationName="/"`)},
	} {
		t.Run(name, func(t *testing.T) {
			got := runTool([]byte("ASP.NET_SessionId="+doctorID+"\n"), append([]string{"doctor", "--app-id", doctorApp, "--id", "-"}, args...)...)
			require.Empty(t, got.stderr)
			require.Equal(t, exitOK, got.code, "%s", got.stdout)
			page := string(got.stdout)
			require.True(t, strings.HasPrefix(page, "Healthy: "), page)
			for _, clean := range []string{"fault", "notice", "failed", "skipped", doctorID} {
				require.NotContains(t, page, clean)
			}
			for _, step := range []string{"settings", "connect", "find", "lock", "decode"} {
				require.Contains(t, page, "ok       "+step)
			}
		})
	}
}

// Looking takes no lock and changes no item.
func TestDoctorLeavesTheSessionAlone(t *testing.T) {
	addr := stateService(t, stateservice.Options{})
	store := put(t, stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp}), nil)
	for range 3 {
		require.Equal(t, exitOK, runTool(nil, "doctor", "--config", stateConfig(t, addr, "", ""), "--app-id", doctorApp, "--id", doctorID).code)
	}
	rec, err := store.Acquire(t.Context(), doctorID, time.Minute)
	require.NoError(t, err)
	require.Equal(t, []string{"visits"}, rec.Payload.Items().Keys())
}

// A session is named as the browser shows it.
func TestDoctorReadsAnID(t *testing.T) {
	addr := stateService(t, stateservice.Options{})
	put(t, stateStore(t, stateserver.Options{Addr: addr, AppID: doctorApp}), nil)
	config := stateConfig(t, addr, "", "")
	for _, id := range []string{
		doctorID, strings.ToUpper(doctorID), " " + doctorID + " ", "asp.net_sessionid=" + doctorID, "Cookie: a=b; ASP.NET_SessionId=" + doctorID,
		"http://shop.example.com/(A(x)S(" + doctorID + "))/cart.aspx", "(S(" + doctorID + "))",
	} {
		got := runTool(nil, "doctor", "--config", config, "--app-id", doctorApp, "--id", id)
		require.Equal(t, exitOK, got.code, "%s: %s", id, got.stdout)
		require.Contains(t, string(got.stdout), idHash(doctorID))
	}
}

func TestDoctorCommandLine(t *testing.T) {
	for name, args := range map[string][]string{
		"nothing":          {},
		"a store":          {"--store", "stateserver://127.0.0.1"},
		"no time":          {"--config", "web.config", "--timeout", "0s"},
		"an argument":      {"--config", "web.config", "more"},
		"an unknown flags": {"--conf", "web.config"},
	} {
		got := runTool(nil, append([]string{"doctor"}, args...)...)
		require.Equal(t, exitUsage, got.code, name)
		require.Empty(t, got.stdout, name)
		require.NotEmpty(t, got.stderr, name)
	}
	config := stateConfig(t, "127.0.0.1:1", "", "")
	got := runTool(nil, "doctor", "--config", config, "--probe", config)
	require.Equal(t, exitData, got.code)
	require.Contains(t, got.stderr, "probe.aspx")
}

// A user who stops waiting gets an answer.
func TestDoctorEndsWithItsContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close() // it takes connections and says nothing
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var out, errOut strings.Builder
	code := run(ctx, []string{"doctor", "--config", stateConfig(t, ln.Addr().String(), "", ""), "--app-id", doctorApp}, strings.NewReader(""), &out, &errOut)
	require.Equal(t, exitData, code)
	require.Contains(t, out.String(), "Most likely: store-silent")
}
