package sqlserver_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stores/sqlserver"
)

func TestConnectionStrings(t *testing.T) {
	for _, test := range []struct{ text, server, database, user, password string }{
		{`data source=db1;user id=web;password=pw`, "db1", "", "web", "pw"},
		{`Server=tcp:db1,1433;Initial Catalog=ASPState;UID=web;PWD=pw;Encrypt=True;TrustServerCertificate=yes`, "tcp:db1,1433", "ASPState", "web", "pw"},
		{`  Data  Source = db1 ; `, "", "", "", ""}, // two blanks: another keyword
		{`Addr=.;Database=a;User=u;Password="a;b""c"`, ".", "a", "u", `a;b"c`},
		{`Address=(local);User ID='it''s';Password='a;b"c'  ;`, "(local)", "", "it's", `a;b"c`},
		{`Network Address=db1\sql2,1500;User ID=u;Password= a"b'c =d `, `db1\sql2,1500`, "", "u", `a"b'c =d`},
		{`server=db1;password=one;pwd=two;user id=u`, "db1", "", "u", "two"},
		{`server=db1;database=x;initial catalog=;user id=u;password=p`, "db1", "", "u", "p"},
		{"server=db1;;;\r\n uid=u;\tpwd=p;", "db1", "", "u", "p"},
		{`server=db1;uid=u;pwd=p;Pooling=false;MultipleActiveResultSets=True;Persist Security Info=True;Connect Timeout=0;Max Pool Size=7`, "db1", "", "u", "p"},
		{`server=::1,1433;uid=u;pwd=p`, "::1,1433", "", "u", "p"},
		{`sqlserver://web:p%3Bw@db1:1433?database=ASPState&encrypt=disable`, "db1:1433", "ASPState", "web", "p;w"},
		{`sqlserver://db1/sql2?user+id=u&password=p&connection+timeout=30`, "db1/sql2", "", "u", "p"},
		{`SQLSERVER://u:p@db1`, "db1", "", "u", "p"},
	} {
		got, err := sqlserver.ParseConnectionString(test.text)
		if test.server == "" {
			require.ErrorIs(t, err, sqlserver.ErrConnectionString, test.text)
			continue
		}
		require.NoError(t, err, test.text)
		user, password := got.Credentials()
		require.Equal(t, test.server, got.Server(), test.text)
		require.Equal(t, []string{test.database, test.user, test.password}, []string{got.Database(), user, password}, test.text)
	}
}

func TestBadConnectionStrings(t *testing.T) {
	const secret = "hunter2-Secret"
	for text, want := range map[string]string{
		``:                                                     "there is no server",
		`password=` + secret:                                   "there is no server",
		`server=a;encrpyt=true;pwd=` + secret:                  `no keyword "encrpyt"`,
		`server=a;pwd="` + secret:                              "never closed",
		`server=a;pwd="` + secret + `"x;uid=u`:                 "more behind the closing quote",
		`server=a;` + secret:                                   `part 2 has no "="`,
		`server=a;` + secret + `=x`:                            "no keyword of that name",
		`server=a;=` + secret:                                  "part 2 has no keyword",
		`server=a,99999;pwd=` + secret:                         "the port",
		`server=np:a;pwd=` + secret:                            "only tcp is",
		`server=(localdb)\v11.0;pwd=` + secret:                 "LocalDB",
		`server=a;encrypt=` + secret:                           "encrypt",
		`server=a;AttachDbFilename=|DataDirectory|x.mdf`:       "can be attached on its server only",
		`server=a;authentication=Active Directory Password`:    "azuread",
		`server=a;Max Pool Size=many;pwd=` + secret:            "Max Pool Size",
		`server=a;Connect Timeout=soon;pwd=` + secret:          "Connect Timeout",
		`odbc:server=a;password={` + secret + `}`:              "ODBC",
		`sqlserver://u:` + secret + `%zz@host`:                 "no URL",
		`sqlserver://u:` + secret + `@host:port`:               "no URL",
		`sqlserver://u:` + secret + `@`:                        "there is no server",
		`sqlserver://u:` + secret + `@h?database=a&database=b`: "is there twice",
		`sqlserver://u:` + secret + `@h?%zz`:                   "no query",
	} {
		_, err := sqlserver.ParseConnectionString(text)
		require.ErrorIs(t, err, sqlserver.ErrConnectionString, text)
		require.ErrorContains(t, err, want, text)
		if !strings.Contains(text, "encrypt="+secret) { // which is no password
			require.NotContains(t, err.Error(), secret, text)
		}
	}
}

func TestIntegratedSecurity(t *testing.T) {
	for _, text := range []string{
		"data source=db1;Integrated Security=SSPI", "server=db1;Trusted_Connection=yes", "server=db1;integrated security=true;user id=u;password=p",
		"server=db1;Authentication=ActiveDirectoryIntegrated",
	} {
		_, err := sqlserver.New(sqlserver.Options{ConnectionString: text, AppID: appID})
		require.ErrorIs(t, err, sqlserver.ErrIntegratedSecurity, text)
		for _, alternative := range []string{"User ID", `DOMAIN\user`, "krb5", "Connector"} {
			require.ErrorContains(t, err, alternative)
		}
		_, err = sqlserver.NewAdmin(text, nil)
		require.ErrorIs(t, err, sqlserver.ErrIntegratedSecurity, text)
	}
	s, err := sqlserver.New(sqlserver.Options{ConnectionString: "server=db1;integrated security=false;user id=u;password=p", AppID: appID})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

// A connector of the site's own, for the logins that a string cannot say.
func TestConnector(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	connector, err := mssql.NewConnector(srv.DSN())
	require.NoError(t, err)
	s, err := sqlserver.New(sqlserver.Options{ConnectionString: "server=db1;Integrated Security=SSPI", Connector: connector, AppID: appID})
	require.NoError(t, err)
	defer s.Close()
	id := newID(t)
	require.NoError(t, s.Create(t.Context(), id, time.Minute))
	_, ok := srv.Get(classicKey(id))
	require.True(t, ok)
	srv.MissingProc("TempResetTimeout")
	require.ErrorContains(t, s.Touch(t.Context(), id), "server db1, database ASPState")

	a, err := sqlserver.NewAdmin("server=db1;Integrated Security=SSPI", connector)
	require.NoError(t, err)
	require.Equal(t, []string{"db1", "ASPState"}, []string{a.Target().Server(), a.Target().Database()})
	require.ErrorContains(t, a.Install(t.Context(), sqlserver.Schema{}), "server db1", "it was asked, and knows no catalogue")
}

// ASP.NET's rule about the database's name.
func TestCustomDatabase(t *testing.T) {
	for _, test := range []struct {
		name   string
		custom bool
		layout sqlserver.Layout
		ok     bool
	}{
		{"", false, sqlserver.Classic, true},
		{"", true, sqlserver.Classic, true},
		{"Shop", false, sqlserver.Classic, false},
		{"Shop", true, sqlserver.Classic, true},
		{"aspstate", false, sqlserver.Classic, true}, // the same database: no harm
		{"Shop", false, sqlserver.Async, true},       // not the async provider's rule
	} {
		for _, form := range []string{"server=db1;uid=u;pwd=p;Initial Catalog=" + test.name, "sqlserver://u:p@db1?database=" + test.name} {
			s, err := sqlserver.New(sqlserver.Options{ConnectionString: form, AllowCustomDatabase: test.custom, AppID: appID, Layout: test.layout})
			if !test.ok {
				require.ErrorIs(t, err, sqlserver.ErrCustomDatabase)
				continue
			}
			require.NoError(t, err, form)
			require.NoError(t, s.Close())
		}
	}
}

func TestOptions(t *testing.T) {
	for want, opt := range map[string]sqlserver.Options{
		"either AppID":       {},
		"give either AppID":  {AppID: "a", Suffix: "2014c0f1"},
		"eight hexadecimal":  {Suffix: "2014"},
		"no layout":          {AppID: "a", Layout: 9},
		"no hash":            {AppID: "a", Layout: sqlserver.Async, Hash: 9},
		"Table and Hash are": {AppID: "a", Table: "x"},
		"outside ASCII":      {AppID: "/LM/W3SVC/1/ROOT/é"},
		"no name of a table": {AppID: "a", Layout: sqlserver.Async, Table: strings.Repeat("x", 101)},
	} {
		opt.ConnectionString = "server=db1;uid=u;pwd=p"
		_, err := sqlserver.New(opt)
		require.ErrorContains(t, err, want)
	}
}

func TestWithDatabase(t *testing.T) {
	for _, text := range []string{"server=db1;uid=u;pwd=p", "server=db1;database=old;uid=u;pwd='p';", "sqlserver://u:p@db1", "sqlserver://u:p@db1?Database=old"} {
		for _, name := range []string{"Shop", `a"b;c`} {
			got, err := sqlserver.WithDatabase(text, name)
			require.NoError(t, err)
			target, err := sqlserver.ParseConnectionString(got)
			require.NoError(t, err, got)
			require.Equal(t, name, target.Database())
		}
	}
	got, err := sqlserver.WithDatabase("whatever", "")
	require.NoError(t, err)
	require.Equal(t, "whatever", got)
}

func FuzzConnectionString(f *testing.F) {
	for _, seed := range []string{
		`data source=db1;user id=web;password="a;b""c"`, `server=tcp:a,1;pwd='x`, "sqlserver://u:p@h/i?database=d", `a==b=c;`, "server=\x00;", `server="a"b`, `;;=;`, "odbc:x",
	} {
		f.Add(seed)
	}
	const secret = "S3cr3t+zzz"
	f.Fuzz(func(t *testing.T, text string) {
		target, err := sqlserver.ParseConnectionString(text)
		if err == nil {
			if target.Server() == "" {
				t.Fatalf("%q: no server", text)
			}
			return
		}
		// Whatever is wrong, a password at its end is not repeated.
		for _, whole := range []string{text + ";password=" + secret, "sqlserver://u:" + url.QueryEscape(secret) + "@" + text} {
			if _, err := sqlserver.ParseConnectionString(whole); err != nil && strings.Contains(err.Error(), "S3cr3t") {
				t.Fatalf("%q: the error holds the password: %v", whole, err)
			}
		}
	})
}

// What is quoted as ADO.NET quotes comes back as it was.
func FuzzQuoting(f *testing.F) {
	for _, seed := range []string{"", "a", `"`, `'`, `a;b`, ` x `, `=`, "\r\n", `"";''`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.Contains(value, "\x00") {
			return
		}
		for _, quote := range []string{`"`, `'`} {
			target, err := sqlserver.ParseConnectionString("server=a;pwd=" + quote + strings.ReplaceAll(value, quote, quote+quote) + quote + ";uid=u")
			if err != nil {
				t.Fatalf("%q: %v", value, err)
			}
			if _, password := target.Credentials(); password != value {
				t.Fatalf("%q became %q", value, password)
			}
		}
	})
}
