package webconfig_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/webconfig"
)

var update = flag.Bool("update", false, "write the want files anew")

// secrets are planted in the files; nothing but Reveal may show them.
var secrets = []string{"S3cr3t", "C0FFEE"}

// Each folder of testdata is a site: web.config, the files it names, in
// "options" where it stands, and in "want" the settings that are not defaults,
// or the errors.
func TestSites(t *testing.T) {
	sites, err := filepath.Glob("testdata/*/options")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(sites), 30)
	for _, options := range sites {
		dir := filepath.Dir(options)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			path, opt := site(t, dir)
			cfg, err := webconfig.Read(path, opt)
			got := ""
			if cfg != nil {
				got = render(cfg)
			}
			if err != nil {
				got += err.Error() + "\n"
			}
			got = strings.ReplaceAll(got, dir+string(filepath.Separator), "")
			noSecrets(t, cfg, err)
			want := filepath.Join(dir, "want")
			if *update {
				require.NoError(t, os.WriteFile(want, []byte(got), 0o644))
			}
			b, err := os.ReadFile(want)
			require.NoError(t, err)
			require.Equal(t, string(b), got)
		})
	}
}

// site reads the lines of an options file: a key and its value.
func site(t *testing.T, dir string) (string, webconfig.Options) {
	b, err := os.ReadFile(filepath.Join(dir, "options"))
	require.NoError(t, err)
	path, opt := filepath.Join(dir, "web.config"), webconfig.Options{}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "":
		case "path":
			path = filepath.Join(dir, value)
		case "machine":
			opt.Machine = filepath.Join(dir, value)
		case "root":
			opt.Root = filepath.Join(dir, value)
		case "parent":
			folder, file, _ := strings.Cut(value, " ")
			opt.Parents = append(opt.Parents, webconfig.Parent{Path: filepath.Join(dir, file), VirtualPath: folder})
		case "site":
			opt.Site = value
		case "virtual":
			opt.VirtualPath = value
		case "page":
			opt.Page = value
		default:
			t.Fatalf("%s: no option %q", dir, key)
		}
	}
	return path, opt
}

// render lists the settings that differ from those of an empty configuration,
// with secrets in the clear, and then the warnings.
func render(c *webconfig.Config) string {
	var b strings.Builder
	standard, err := webconfig.Read("testdata/empty/web.config", webconfig.Options{})
	if err != nil {
		panic(err)
	}
	list(&b, "", reflect.ValueOf(*c), reflect.ValueOf(*standard))
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

func list(b *strings.Builder, name string, v, standard reflect.Value) {
	switch x := v.Interface().(type) {
	case map[string]webconfig.Position:
		return
	case webconfig.Secret:
		if s := x.Reveal(); s != standard.Interface().(webconfig.Secret).Reveal() {
			fmt.Fprintf(b, "%s = %q\n", name, s)
		}
		return
	case webconfig.Secrets:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			fmt.Fprintf(b, "%s[%s] = %q\n", name, key, x[key].Reveal())
		}
		return
	case webconfig.Position:
		fmt.Fprintf(b, "%s at %s\n", name, x)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i).Name
			if field == "Path" || field == "Warnings" {
				continue
			}
			list(b, strings.TrimPrefix(name+"."+field, "."), v.Field(i), standard.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() && name != "SessionState.Provider" {
			list(b, name, v.Elem(), reflect.Zero(v.Type().Elem()))
		} else if !v.IsNil() {
			fmt.Fprintf(b, "%s = %s\n", name, v.Elem().FieldByName("Name"))
		}
	case reflect.Slice:
		for i := range v.Len() {
			list(b, fmt.Sprintf("%s[%d]", name, i), v.Index(i), reflect.Zero(v.Type().Elem()))
		}
	default:
		if !reflect.DeepEqual(v.Interface(), standard.Interface()) {
			fmt.Fprintf(b, "%s = %v\n", name, v.Interface())
		}
	}
}

// noSecrets prints a result in all ways that come to mind.
func noSecrets(t *testing.T, cfg *webconfig.Config, err error) {
	t.Helper()
	var said strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&said, verb+"\n", cfg)
		if cfg != nil {
			fmt.Fprintf(&said, verb+"\n", *cfg)
			fmt.Fprintf(&said, verb+"\n", cfg.SessionState.Providers)
		}
		fmt.Fprintf(&said, verb+"\n", err)
	}
	b, jsonErr := json.Marshal(cfg)
	require.NoError(t, jsonErr)
	said.Write(b)
	if cfg != nil {
		said.WriteString(strings.Join(cfg.Warnings, "\n"))
	}
	if err != nil {
		said.WriteString(err.Error())
	}
	for _, s := range secrets {
		require.NotContains(t, said.String(), s)
		require.NotContains(t, said.String(), fmt.Sprintf("%x", s))
	}
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		require.True(t, strings.HasPrefix(line, "webconfig: "), "not one line an error: %s", line)
		require.Less(t, len(line), 700, line)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	for _, one := range joined.Unwrap() {
		var plain *webconfig.Error
		var foreign *webconfig.ForeignError
		require.True(t, errors.As(one, &plain) || errors.As(one, &foreign), "%T", one)
	}
}
