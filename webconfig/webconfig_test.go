package webconfig_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/webconfig"
)

// read reads one file of the given text.
func read(t *testing.T, text string) (*webconfig.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "web.config")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return webconfig.Read(path, webconfig.Options{})
}

func TestSecretIsNeverShown(t *testing.T) {
	s := webconfig.NewSecret("hunter2")
	require.Equal(t, "hunter2", s.Reveal())
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, x := range []any{s, &s, []webconfig.Secret{s}, webconfig.Secrets{"a": s}, struct{ S webconfig.Secret }{s}, struct{ s webconfig.Secret }{s}, map[string]any{"a": s}} {
			fmt.Fprintf(&b, verb+"\n", x)
		}
	}
	type holder struct{ S webconfig.Secret }
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		out, err := marshal(holder{s})
		require.NoError(t, err)
		b.Write(out)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "s", s, "c", webconfig.Config{MachineKey: webconfig.MachineKey{ValidationKey: webconfig.Key{Hex: s}}})
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "s", s)
	require.NotContains(t, b.String(), "hunter2")
	require.NotContains(t, strings.ToLower(b.String()), fmt.Sprintf("%x", "hunter2"))
	require.Contains(t, b.String(), "(redacted)")

	require.Empty(t, webconfig.Secret{}.String())
	require.Empty(t, webconfig.NewSecret("").Reveal())
	require.True(t, webconfig.NewSecret("").IsEmpty())
}

func TestForeignErrorsLeaveAConfig(t *testing.T) {
	cfg, err := webconfig.Read("testdata/foreign-types/web.config", webconfig.Options{})
	var foreign *webconfig.ForeignError
	require.ErrorAs(t, err, &foreign)
	require.NotNil(t, cfg)
	require.Equal(t, 7*time.Minute, cfg.SessionState.Timeout)

	cfg, err = read(t, `<configuration><system.web><sessionState sessionIDManagerType="A.B" timeout="x"/></system.web></configuration>`)
	require.ErrorAs(t, err, &foreign)
	require.ErrorIs(t, err, webconfig.ErrValue)
	require.Nil(t, cfg, "with an error of another kind there is none")
}

func TestKindsOfErrors(t *testing.T) {
	for dir, kind := range map[string]error{
		"bad-missing-file": webconfig.ErrFile, "bad-encoding": webconfig.ErrFile, "bad-doctype": webconfig.ErrXML,
		"bad-names": webconfig.ErrName, "bad-port": webconfig.ErrValue, "bad-custom": webconfig.ErrConflict,
		"bad-encrypted": webconfig.ErrEncrypted,
	} {
		_, err := webconfig.Read(filepath.Join("testdata", dir, "web.config"), webconfig.Options{})
		require.ErrorIs(t, err, kind, dir)
		var e *webconfig.Error
		require.ErrorAs(t, err, &e, dir)
		require.NotEmpty(t, e.File)
		require.NotEmpty(t, e.Found)
		require.NotEmpty(t, e.Want)
	}
}

func TestPositionsOfSettings(t *testing.T) {
	cfg, err := webconfig.Read("testdata/stateserver/web.config", webconfig.Options{})
	require.NoError(t, err)
	require.Equal(t, webconfig.Position{File: "testdata/stateserver/web.config", Line: 7, Column: 38}, cfg.Positions["sessionState timeout"])
	require.NotContains(t, cfg.Positions, "sessionState sqlCommandTimeout")
}

// Each limit, one below it and one above.
func TestLimits(t *testing.T) {
	const head, tail = "<configuration><!--", "--></configuration>"
	most := 4<<20 - len(head) - len(tail)
	_, err := read(t, head+strings.Repeat("x", most)+tail)
	require.NoError(t, err)
	_, err = read(t, head+strings.Repeat("x", most+1)+tail)
	require.ErrorIs(t, err, webconfig.ErrFile)

	nested := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	many := func(n int) string { return strings.Repeat("<a/>", n) }
	attributes := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d=''", i)
		}
		return "<a" + b.String() + "/>"
	}
	for name, c := range map[string]struct {
		make func(int) string
		most int
	}{"depth": {nested, 63}, "elements": {many, 99_999}, "attributes": {attributes, 1000}} {
		_, err = read(t, "<configuration>"+c.make(c.most)+"</configuration>")
		require.NoError(t, err, name)
		_, err = read(t, "<configuration>"+c.make(c.most+1)+"</configuration>")
		require.ErrorIs(t, err, webconfig.ErrXML, name)
	}
}

// Long inputs that would be slow in a careless reader. The test's own time limit
// is the measure.
func TestLongInputs(t *testing.T) {
	var settings, providers, attributes strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&settings, `<add key="k%d" value="v"/>`, i)
		fmt.Fprintf(&providers, `<add name="p%d" type="T"/><remove name="P%d"/>`, i, i)
	}
	for range 4000 {
		attributes.WriteString("<a")
		for i := range 100 {
			fmt.Fprintf(&attributes, ` a%d=""`, i)
		}
		attributes.WriteString("/>")
	}
	cfg, err := read(t, "<configuration><appSettings>"+settings.String()+"</appSettings>"+"</configuration>")
	require.NoError(t, err)
	require.Len(t, cfg.AppSettings, 40_000)
	cfg, err = read(t, "<configuration><system.web><sessionState><providers>"+providers.String()+"</providers></sessionState></system.web></configuration>")
	require.NoError(t, err)
	require.Empty(t, cfg.SessionState.Providers)
	_, err = read(t, "<configuration>"+attributes.String()+"</configuration>")
	require.NoError(t, err)
}

func TestManyErrorsAreCut(t *testing.T) {
	_, err := read(t, "<configuration><appSettings>"+strings.Repeat("<x/>", 500)+"</appSettings></configuration>")
	require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 50)
}

// Every cut of every file is an error or settings, and no error shows a secret.
func TestCutFiles(t *testing.T) {
	for _, name := range []string{"redis", "sqlserver-by-name", "stateserver", "utf-16-le"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name, "web.config"))
		require.NoError(t, err)
		for n := 0; n < len(whole)-2; n += 3 {
			cfg, err := read(t, string(whole[:n]))
			noSecrets(t, cfg, err)
			if n > 0 && !bytes.HasSuffix(bytes.TrimSpace(whole[:n]), []byte("</configuration>")) {
				require.Error(t, err, "%s cut at %d", name, n)
			}
		}
	}
}

func TestSpellings(t *testing.T) {
	require.Equal(t, "SQLServer", webconfig.ModeSQLServer.String())
	require.Equal(t, "UseUri", webconfig.UseURI.String())
	require.Equal(t, "Unspecified", webconfig.SameSiteUnspecified.String())
	require.Equal(t, "ReadOnly", webconfig.PageReadOnly.String())
	require.Equal(t, "Redis", webconfig.ProviderRedis.String())
	require.Equal(t, "Mode(9)", webconfig.Mode(9).String())
}

// Times as .NET's converters take them.
func TestTimes(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"1": time.Minute, "525600": 8760 * time.Hour, "+20": 20 * time.Minute, " 5\t": 5 * time.Minute, "007": 7 * time.Minute,
	} {
		cfg, err := read(t, `<configuration><system.web><sessionState timeout="`+value+`"/></system.web></configuration>`)
		require.NoError(t, err, value)
		require.Equal(t, want, cfg.SessionState.Timeout, value)
	}
	for value, want := range map[string]string{
		"0": "1 to 525600", "-1": "1 to 525600", "": "1 to 525600", "20.5": "1 to 525600", "0x14": "1 to 525600", "99999999999999999999": "1 to 525600",
		"Infinite": "1 to 525600", "01:30:00": "write 90", "00:00:30": "1 to 525600", "20m": "1 to 525600", "1:2:3:4": "1 to 525600",
	} {
		_, err := read(t, `<configuration><system.web><sessionState timeout="`+value+`"/></system.web></configuration>`)
		require.ErrorIs(t, err, webconfig.ErrValue, value)
		require.ErrorContains(t, err, want, value)
	}
	cfg, err := read(t, `<configuration><system.web><sessionState stateNetworkTimeout="Infinite" sqlCommandTimeout="Infinite"/></system.web></configuration>`)
	require.NoError(t, err)
	require.Equal(t, webconfig.Infinite, cfg.SessionState.StateNetworkTimeout)
	require.Equal(t, webconfig.Infinite, cfg.SessionState.SQLCommandTimeout)
}

func TestStateConnectionStrings(t *testing.T) {
	for value, want := range map[string]string{
		"tcpip=10.0.0.5:42424": "", "tcpip=[::1]:1": "", "tcpip=state.example:65535": "", "tcpip=loopback:42424": "",
		"": "tcpip=", "TCPIP=a:1": "small letters", "tcpip=a": "without a port", "tcpip=a:": "port", "tcpip=a:0": "port", "tcpip=a:65536": "port",
		"tcpip=::1:42424": "colon", "tcpip=[a]:1": "IPv6", "tcpip=:1": "host", "tcpip=a b:1": "host", "tcpip=é:1": "host",
	} {
		_, err := read(t, `<configuration><system.web><sessionState mode="StateServer" stateConnectionString="`+value+`"/></system.web></configuration>`)
		if want == "" {
			require.NoError(t, err, value)
			continue
		}
		require.ErrorIs(t, err, webconfig.ErrValue, value)
		require.ErrorContains(t, err, want, value)
	}
}

// The errors of the files above do not hide one another.
func TestErrorsOfAllFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	_, err := webconfig.Read(write("web.config", "<configuration>"), webconfig.Options{
		Machine: write("machine.config", "<!DOCTYPE a>"), Root: filepath.Join(dir, "none.config"),
		Parents: []webconfig.Parent{{Path: write("site.config", "<web/>")}},
	})
	var list interface{ Unwrap() []error }
	require.True(t, errors.As(err, &list))
	require.Len(t, list.Unwrap(), 4)
}
