package aspsession_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession"
	"github.com/aspsession/aspsession/cookieless"
	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/msasp"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/inproc"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/stateserver"
	"github.com/aspsession/aspsession/webconfig"
)

const (
	appID     = "/LM/W3SVC/1/ROOT"
	visitorID = "2ne4zzc4yrcakgqbxgtomtfb"
	key       = "21F090935F6E49C2C797F69BBAAD8402ABD2EE0B667A8B44EA7DD4374267A75D7AD972A119482D15A4127461DB1DC347C1A63AE5F1CCFAACFF1B72A7F0A281B0"
)

// config writes the inside of <system.web>, and what stands beside it.
func config(t testing.TB, inside, beside string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "web.config")
	require.NoError(t, os.WriteFile(name, []byte("<configuration>"+beside+"<system.web>\n"+inside+"\n</system.web></configuration>"), 0o600))
	return name
}

func serve(t testing.TB) (addr string) {
	t.Helper()
	s := stateservice.New(stateservice.Options{})
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

// fill stores what a page of ASP.NET would have stored.
func fill(t testing.TB, opt stateserver.Options) {
	t.Helper()
	store, err := stateserver.New(opt)
	require.NoError(t, err)
	defer store.Close()
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("visits", 41))
	require.NoError(t, store.Save(t.Context(), visitorID, session.Lock{}, p))
}

// A request with the site's cookie has the session that a page stored: store,
// application id, compression, key generation and cookie name are web.config's.
func TestOpen(t *testing.T) {
	keyed, err := msasp.KeyedBase(appID, msasp.SHA1, unhex(t, key))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		stored       stateserver.Options
		more, inside string
		site         aspsession.Site
	}{
		"by application id": {stateserver.Options{AppID: appID}, "", "", aspsession.Site{AppID: appID}},
		"compressed":        {stateserver.Options{AppID: appID, Compress: true}, `compressionEnabled="true"`, "", aspsession.Site{AppID: appID}},
		"by base":           {stateserver.Options{Base: "/x(y)/"}, "", "", aspsession.Site{KeyBase: "/x(y)/"}},
		"old keys":          {stateserver.Options{Base: keyed}, "", `<machineKey validation="SHA1" validationKey="` + key + `"/>`, aspsession.Site{AppID: appID, OldHash: true}},
	} {
		t.Run(name, func(t *testing.T) {
			c.stored.Addr = serve(t)
			fill(t, c.stored)
			file := config(t, fmt.Sprintf(`<sessionState mode="StateServer" cookieName="sid" stateConnectionString="tcpip=%s" %s/>%s`, c.stored.Addr, c.more, c.inside), "")
			app, err := aspsession.Open(t.Context(), file, c.site)
			require.NoError(t, err)
			require.Equal(t, "sid", app.Config.SessionState.CookieName)
			h := app.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s := middleware.From(r)
				n, err := session.Value[int](s, "visits")
				require.NoError(t, err)
				require.NoError(t, s.Set("visits", n+1))
				fmt.Fprint(w, n+1)
			}))
			for _, want := range []string{"42", "43"} {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.AddCookie(&http.Cookie{Name: "sid", Value: visitorID})
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				require.Equal(t, want, w.Body.String())
			}
			require.NoError(t, app.Close(t.Context()))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			require.Equal(t, http.StatusServiceUnavailable, w.Code, "a closed App serves nobody")
		})
	}
}

// opened is an Opener that keeps what it was told.
type opened struct {
	mode, provider string
	settings       session.Settings
	err            error
	closed         bool
}

type closing struct {
	*inproc.Store
	o *opened
}

func (c closing) Close() error {
	c.o.closed = true
	return c.Store.Close()
}

func (o *opened) Serves(mode, provider string) bool { return mode == o.mode && provider == o.provider }

func (o *opened) Open(_ context.Context, s session.Settings) (session.Store, error) {
	o.settings = s
	if o.err != nil {
		return nil, o.err
	}
	return closing{inproc.New(inproc.Options{}), o}, nil
}

// Everything that has a counterpart reaches the middleware.
func TestOpenMapsSettings(t *testing.T) {
	file := config(t, `
<sessionState mode="SQLServer" sqlConnectionString="Data Source=db;User ID=u;Password=p" allowCustomSqlDatabase="true" sqlCommandTimeout="7"
  timeout="33" cookieName="sid" cookieless="AutoDetect" regenerateExpiredSessionId="false" cookieSameSite="Strict" compressionEnabled="true"/>
<httpCookies requireSSL="true" domain="example.com"/>
<httpRuntime executionTimeout="300" requestPathInvalidCharacters="&lt;,|"/>`,
		`<appSettings><add key="aspnet:RequestQueueLimitPerSession" value="9"/></appSettings>`)
	store := &opened{mode: "SQLServer"}
	var got middleware.Options
	zone := time.FixedZone("", 3600)
	app, err := aspsession.Open(t.Context(), file, aspsession.Site{AppID: appID, Path: "/shop", Zone: zone, Middleware: func(o *middleware.Options) { got = *o }, Warn: func(w string) { t.Error(w) }}, store)
	require.NoError(t, err)
	require.Equal(t, middleware.Cookie{Name: "sid", Domain: "example.com", Secure: true, SameSite: http.SameSiteStrictMode}, got.Cookie)
	require.Equal(t, cookieless.Options{Mode: cookieless.AutoDetect, App: "/shop", KeepExpiredIDs: true, InvalidCharacters: "<|"}, got.Cookieless)
	require.Equal(t, 33*time.Minute, got.Session.Timeout)
	require.Equal(t, 300*time.Second, got.Session.ExecutionTimeout)
	require.Equal(t, 7*time.Second, got.Session.StoreTimeout)
	require.Equal(t, 9, got.Session.QueueLimit)
	require.Same(t, zone, got.Session.Location)
	s := store.settings
	require.NotNil(t, s.Warn)
	s.Warn = nil
	require.Equal(t, session.Settings{Mode: "SQLServer", AppID: appID, Connection: "Data Source=db;User ID=u;Password=p",
		Attributes: map[string]string{"allowcustomsqldatabase": "true"}, Timeout: 33 * time.Minute, NetworkTimeout: 7 * time.Second,
		ExecutionTimeout: 300 * time.Second, Compress: true}, s)
	require.NoError(t, app.Close(t.Context()))
	require.True(t, store.closed)
}

// What ASP.NET has and Go has not is told.
func TestOpenWarns(t *testing.T) {
	for inside, want := range map[string]string{
		`<sessionState mode="SQLServer" sqlConnectionString="Server=db" sqlConnectionRetryInterval="5"/>`:                                   "sqlConnectionRetryInterval",
		`<sessionState mode="SQLServer" sqlConnectionString="Server=db" useHostingIdentity="true"/>`:                                        "useHostingIdentity",
		`<sessionState mode="SQLServer" sqlConnectionString="Server=db" cookieSameSite="None"/>`:                                            "SameSite",
		`<sessionState mode="SQLServer" sqlConnectionString="Server=db"/><pages enableSessionState="ReadOnly"/>`:                            "enableSessionState",
		`<sessionState mode="SQLServer" sqlConnectionString="Server=db"/><httpRuntime requestPathInvalidCharacters=""/>`:                    "requestPathInvalidCharacters",
		`<sessionState mode="SQLServer" sqlConnectionString="Server=db"/><machineKey validationKey="` + key + `" validation="HMACSHA256"/>`: "OldHash",
	} {
		var warnings []string
		app, err := aspsession.Open(t.Context(), config(t, inside, ""), aspsession.Site{AppID: appID, OldHash: true, Warn: func(w string) { warnings = append(warnings, w) }}, &opened{mode: "SQLServer"})
		require.NoError(t, err)
		require.Contains(t, strings.Join(warnings, "\n"), want)
		require.NotContains(t, strings.Join(warnings, "\n"), key)
		require.NoError(t, app.Close(t.Context()))
	}
}

// A provider's attributes are looked up as it looks them up, and Site.Attributes
// lies over them.
func TestOpenLooksUpAttributes(t *testing.T) {
	const provider = "Microsoft.Web.Redis.RedisSessionStateProvider"
	file := config(t, `<sessionState mode="Custom" customProvider="R"><providers><add name="r" type="`+provider+`, Microsoft.Web.RedisSessionStateProvider"
  connectionString="cache" accessKey="RedisKey" port="6379"/></providers></sessionState>`,
		`<appSettings><add key="rediskey" value="open-sesame"/></appSettings><connectionStrings><add name="Cache" connectionString="h:6379"/></connectionStrings>`)
	o := &opened{mode: "Custom", provider: provider}
	store, _, err := aspsession.OpenStore(t.Context(), file, aspsession.Site{Path: "/shop", Attributes: map[string]string{"layout": "B"}}, o)
	require.NoError(t, err)
	require.NoError(t, store.(closing).Close())
	a := o.settings.Attributes
	require.Equal(t, "h:6379", o.settings.Connection)
	require.Equal(t, "open-sesame", a["accesskey"])
	require.Equal(t, "/shop", a["applicationname"])
	require.Equal(t, "B", a["layout"])
	require.Equal(t, "r", a["name"])
}

func TestOpenErrors(t *testing.T) {
	const redisSite = `<sessionState mode="Custom" customProvider="r"><providers><add name="r" type="Microsoft.Web.Redis.RedisSessionStateProvider"/></providers></sessionState>`
	state := `<sessionState mode="StateServer" stateConnectionString="tcpip=127.0.0.1:42424"/>`
	generated := `<machineKey validationKey="AutoGenerate"/>`
	isolated := `<machineKey validationKey="` + key + `,IsolateApps"/>`
	for name, c := range map[string]struct {
		inside string
		site   aspsession.Site
		is     error
		says   []string
	}{
		"InProc":            {`<sessionState mode="InProc"/>`, aspsession.Site{}, aspsession.ErrInProc, []string{"web.config:2", "StateServer"}},
		"InProc by default": {``, aspsession.Site{}, aspsession.ErrInProc, []string{"web.config", "StateServer"}},
		"Off":               {`<sessionState mode="Off"/>`, aspsession.Site{}, aspsession.ErrOff, []string{"web.config:2"}},
		"no opener, SQL":    {`<sessionState mode="SQLServer" sqlConnectionString="Server=db;Password=open-sesame"/>`, aspsession.Site{}, aspsession.ErrNoOpener, []string{`"github.com/aspsession/aspsession/stores/sqlserver"`}},
		"no opener, Redis":  {redisSite, aspsession.Site{}, aspsession.ErrNoOpener, []string{`"github.com/aspsession/aspsession/stores/redis"`}},
		"no application id": {state, aspsession.Site{}, nil, []string{"AppID"}},
		"a value":           {`<sessionState mode="Stateserver"/>`, aspsession.Site{}, webconfig.ErrValue, []string{"web.config:2", "StateServer"}},
		"a generated key":   {state + generated, aspsession.Site{AppID: appID, OldHash: true}, aspsession.ErrKey, []string{"KeyBase"}},
		"an isolated key":   {state + isolated, aspsession.Site{AppID: appID, OldHash: true}, aspsession.ErrKey, []string{"IsolateApps"}},
		"a bad cookie name": {`<sessionState mode="StateServer" cookieName="a;b"/>`, aspsession.Site{AppID: appID}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			app, err := aspsession.Open(t.Context(), config(t, c.inside, ""), c.site)
			require.Nil(t, app)
			require.Error(t, err)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			for _, part := range c.says {
				require.ErrorContains(t, err, part)
			}
			require.NotContains(t, err.Error(), "open-sesame")
			require.NotContains(t, err.Error(), key)
		})
	}
	o := &opened{mode: "SQLServer", err: session.ErrUnavailable}
	_, err := aspsession.Open(t.Context(), config(t, `<sessionState mode="SQLServer" sqlConnectionString="Server=db"/>`, ""), aspsession.Site{}, o)
	require.ErrorIs(t, err, session.ErrUnavailable)

	o = &opened{mode: "SQLServer"}
	_, err = aspsession.Open(t.Context(), config(t, `<sessionState mode="SQLServer" sqlConnectionString="Server=db"/>`, ""),
		aspsession.Site{Middleware: func(o *middleware.Options) { o.BufferSize = -1 }}, o)
	require.ErrorContains(t, err, "BufferSize")
	require.True(t, o.closed, "the store of an App that did not come about is closed")
}

// Types of the site's own are errors unless the program has their counterpart.
func TestOpenWithTypesOfTheSite(t *testing.T) {
	const own = "Shop.Provider"
	provider := config(t, `<sessionState mode="Custom" customProvider="x"><providers><add name="x" type="Shop.Provider, Shop" size="3"/></providers></sessionState>`, "")
	foreign := new(webconfig.ForeignError)
	_, err := aspsession.Open(t.Context(), provider, aspsession.Site{})
	require.ErrorAs(t, err, &foreign)
	o := &opened{mode: "Custom", provider: own}
	app, err := aspsession.Open(t.Context(), provider, aspsession.Site{}, o)
	require.NoError(t, err)
	require.Equal(t, "3", o.settings.Attributes["size"])
	require.NoError(t, app.Close(t.Context()))

	ids := config(t, `<sessionState mode="StateServer" sessionIDManagerType="Shop.Ids, Shop"/>`, "")
	_, err = aspsession.Open(t.Context(), ids, aspsession.Site{AppID: appID})
	require.ErrorAs(t, err, &foreign)
	app, err = aspsession.Open(t.Context(), ids, aspsession.Site{AppID: appID, Middleware: func(o *middleware.Options) { o.Session.IDs = session.StandardIDs{} }})
	require.NoError(t, err)
	require.NoError(t, app.Close(t.Context()))
	warned := ""
	store, _, err := aspsession.OpenStore(t.Context(), ids, aspsession.Site{AppID: appID, Warn: func(w string) { warned += w }})
	require.NoError(t, err, "a tool needs no ids")
	require.NoError(t, store.(*stateserver.Store).Close())
	require.Contains(t, warned, "Shop.Ids")

	partition := config(t, `<sessionState mode="StateServer" partitionResolverType="Shop.Parts, Shop"/>`, "")
	_, err = aspsession.Open(t.Context(), partition, aspsession.Site{AppID: appID})
	require.ErrorAs(t, err, &foreign)
	_, _, err = aspsession.OpenStore(t.Context(), partition, aspsession.Site{AppID: appID})
	require.ErrorAs(t, err, &foreign)
	app, err = aspsession.Open(t.Context(), partition, aspsession.Site{AppID: appID, Middleware: func(o *middleware.Options) {
		o.Session.Partition = func(string) session.Store { return nil }
	}})
	require.NoError(t, err)
	require.NoError(t, app.Close(t.Context()))
}

// The files around web.config count, and Config has the last word.
func TestOpenReadsWhatIsAround(t *testing.T) {
	own := config(t, `<sessionState mode="StateServer"/>`, `<location path="slow.aspx"><system.web><httpRuntime executionTimeout="900"/></system.web></location>`)
	parent := config(t, `<sessionState cookieName="family"/>`, "")
	machine := filepath.Join(t.TempDir(), "machine.config")
	require.NoError(t, os.WriteFile(machine, []byte(`<configuration><system.web><httpRuntime executionTimeout="200"/></system.web></configuration>`), 0o600))
	root := filepath.Join(filepath.Dir(machine), "web.config")
	open := func(location string) *webconfig.Config {
		store, cfg, err := aspsession.OpenStore(t.Context(), own, aspsession.Site{AppID: appID, Path: "/shop", Location: location, Machine: machine,
			Parents: []webconfig.Parent{{Path: parent}}, Config: func(c *webconfig.Config) { c.SessionState.StateConnectionString = "tcpip=127.0.0.1:1" }})
		require.NoError(t, err)
		_, err = store.Get(t.Context(), visitorID)
		require.ErrorContains(t, err, "127.0.0.1:1")
		require.NoError(t, store.(*stateserver.Store).Close())
		return cfg
	}
	cfg := open("")
	require.Equal(t, "family", cfg.SessionState.CookieName)
	require.Equal(t, 200*time.Second, cfg.Runtime.ExecutionTimeout)
	require.Equal(t, 900*time.Second, open("slow.aspx").Runtime.ExecutionTimeout)
	require.NoError(t, os.WriteFile(root, []byte(`<configuration><system.web><httpRuntime executionTimeout="201"/></system.web></configuration>`), 0o600))
	require.Equal(t, 201*time.Second, open("").Runtime.ExecutionTimeout)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	_, err := fmt.Sscanf(s, "%x", &out)
	require.NoError(t, err)
	return out
}

// The whole of it: the site's web.config, its id, and the drivers to link.
func ExampleOpen() {
	ctx := context.Background()
	app, err := aspsession.Open(ctx, `testdata/web.config`, aspsession.Site{AppID: "/LM/W3SVC/1/ROOT"}, sqlserver.Opener, redis.Opener)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer app.Close(ctx)
	http.Handle("/cart", app.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := session.Value[int](middleware.From(r), "visits")
		fmt.Fprintln(w, n, err)
	})))
	fmt.Println(app.Config.SessionState.Mode, app.Config.SessionState.CookieName)
	// Output: StateServer ASP.NET_SessionId
}
