package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/redis"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// flagsOf parses a command line of a verb that works on a store.
func flagsOf(t *testing.T, args ...string) (f siteFlags) {
	t.Helper()
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	f.register(flags)
	require.NoError(t, flags.Parse(args))
	return f
}

func aCall(stdin string) (*call, *bytes.Buffer) {
	var errOut bytes.Buffer
	return &call{verb: &verb{name: "verb"}, ctx: context.Background(), stdin: strings.NewReader(stdin), stdout: io.Discard, stderr: &errOut}, &errOut
}

// Every way to name a store leads to the session in it.
func TestOpenStore(t *testing.T) {
	state := stateService(t, stateservice.Options{})
	put(t, stateStore(t, stateserver.Options{Addr: state, AppID: doctorApp, Compress: true}), nil)
	redisAddr := redistest.Server(t)
	put(t, redisStore(t, redis.Options{App: "MyApp", Layout: redis.LayoutB}, redisAddr, 2), nil)
	srv := sqlservertest.Run(t, sqlservertest.Options{})
	put(t, sqlStore(t, sqlserver.Options{ConnectionString: srv.DSN(), AppID: doctorApp}), nil)
	async := sqlservertest.Run(t, sqlservertest.Options{Databases: []sqlservertest.Database{{Layouts: []sqlservertest.Layout{sqlservertest.Async2}}}})
	put(t, sqlStore(t, sqlserver.Options{ConnectionString: async.DSN(), Layout: sqlserver.Async, AppID: doctorApp, Hash: sqlserver.Hash32}), nil)
	and := func(dsn, more string) string {
		if strings.Contains(dsn, "?") {
			return dsn + "&" + more
		}
		return dsn + "?" + more
	}
	for name, c := range map[string]struct {
		stdin string
		args  []string
	}{
		"web.config":           {"", []string{"--config", stateConfig(t, state, `compressionEnabled="true"`, ""), "--app-id", doctorApp}},
		"a state service":      {"", []string{"--store", "stateserver://" + state + "?compress=true&app=" + doctorApp}},
		"its flags":            {"", []string{"--store", "stateserver://" + state + "?compress=true&app=/wrong", "--app-id", doctorApp}},
		"its key base":         {"", []string{"--store", "stateserver://" + state + "?compress=true", "--key-base", "/LM/W3SVC/1/ROOT(cAHkmVhipCLv/QnONQmPsKL+q/AjnK/nYS9aV3Zlad8=)/"}},
		"Redis":                {"", []string{"--store", "redis://" + redisAddr + "/2?app=MyApp&layout=B"}},
		"Redis, layout":        {"", []string{"--store", "redis://" + redisAddr + "/2", "--app-id", "MyApp", "--layout", "b"}},
		"SQL Server":           {and(srv.DSN(), "app="+doctorApp) + "\n", []string{"--store", "@-"}},
		"SQL Server in a file": {"", []string{"--store", "@" + writeFile(t, []byte("\ufeff"+srv.DSN()+"\r\n")), "--app-id", doctorApp}},
		"SQL Server, async":    {and(async.DSN(), "layout=async&hash=32&app="+doctorApp), []string{"--store", "@-"}},
	} {
		t.Run(name, func(t *testing.T) {
			call, _ := aCall(c.stdin)
			f := flagsOf(t, c.args...)
			store, s, err := call.openStore(t.Context(), f)
			require.NoError(t, err)
			defer closeStore(store)
			require.NotEmpty(t, s.Mode)
			require.True(t, s.AppID != "" || s.KeyBase != "" || s.Attributes["applicationname"] != "")
			rec, err := store.Get(t.Context(), doctorID)
			require.NoError(t, err)
			require.Equal(t, []string{"visits"}, rec.Payload.Items().Keys())
		})
	}
}

func TestOpenStoreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing":                       {nil, "--config FILE or --store URL"},
		"both":                          {[]string{"--config", "web.config", "--store", "redis://h"}, "one of them"},
		"no file":                       {[]string{"--config", "there-is-none.config"}, "there-is-none.config"},
		"another scheme":                {[]string{"--store", "memcached://h"}, "begins with"},
		"no URL":                        {[]string{"--store", "redis://[open-sesame"}, "no URL"},
		"a password":                    {[]string{"--store", "redis://:open-sesame@h"}, "command line"},
		"a password among parameters":   {[]string{"--store", "sqlserver://u@h?Password=open-sesame"}, "command line"},
		"a file that is not there":      {[]string{"--store", "@there-is-none"}, "--store"},
		"an unknown parameter":          {[]string{"--store", "stateserver://h?apps=x"}, "unknown parameter"},
		"a user of Redis":               {[]string{"--store", "redis://me@h"}, "user names"},
		"a layout of Redis":             {[]string{"--store", "redis://h?layout=D"}, "layout"},
		"a layout of SQL Server":        {[]string{"--store", "sqlserver://u@h?layout=C&app=/x"}, "layout"},
		"a state service, no id":        {[]string{"--store", "stateserver://h"}, "AppID"},
		"an unknown driver's parameter": {[]string{"--store", "@" + writeFile(t, []byte("sqlserver://u:open-sesame@h?encrypt=perhaps&app=/x"))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			call, _ := aCall("")
			_, _, err := call.openStore(t.Context(), flagsOf(t, c.args...))
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "open-sesame")
		})
	}
	_, err := os.Stat("there-is-none")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A store that cannot be reached says so, and no password.
func TestOpenStoreThatIsDown(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	call, _ := aCall("redis://:open-sesame@" + ln.Addr().String())
	_, _, err = call.openStore(t.Context(), flagsOf(t, "--store", "@-"))
	require.ErrorContains(t, err, "refused")
	require.NotContains(t, err.Error(), "open-sesame")
}

func FuzzStoreURL(f *testing.F) {
	for _, s := range []string{
		"stateserver://h:1?app=/LM/W3SVC/1/ROOT&compress=true", "redis://:open-sesame@[::1]:6379/3?layout=A", "rediss://h",
		"sqlserver://u:open-sesame@h/instance?database=x&layout=async&hash=64", "@-", "", "://", "redis://h/%zz",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		call, _ := aCall(text)
		s, err := call.settings(siteFlags{store: "@-"})
		if err == nil && (s.Mode == "" || s.Attributes == nil) {
			t.Fatalf("no store and no error: %+v", s)
		}
	})
}

// What a user pastes as his cookie is an id, or none, and never shown.
func FuzzCookie(f *testing.F) {
	config := stateConfigOf(f)
	for _, s := range []string{doctorID, "ASP.NET_SessionId=" + doctorID, "a=b; sid=" + doctorID, "Cookie: x", "=", ";;", "\x00", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := runTool([]byte(text), "doctor", "--config", config, "--app-id", doctorApp, "--id", "-", "--json")
		if got.code == exitUsage || len(got.stdout) == 0 && got.stderr == "" {
			t.Fatalf("code %d, %q", got.code, got.stderr)
		}
	})
}

// stateConfigOf is a site whose service is down: a cookie is looked at all the
// same.
func stateConfigOf(f *testing.F) string {
	name := f.TempDir() + "/web.config"
	text := `<configuration><system.web><sessionState mode="StateServer" stateConnectionString="tcpip=127.0.0.1:1"/></system.web></configuration>`
	require.NoError(f, os.WriteFile(name, []byte(text), 0o600))
	return name
}
