package webconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// seeds are all files of testdata.
func seeds(f *testing.F) (out [][]byte) {
	err := filepath.WalkDir("testdata", func(path string, d os.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".config") || strings.HasSuffix(path, ".web")) {
			var b []byte
			if b, err = os.ReadFile(path); err == nil {
				out = append(out, b)
			}
		}
		return err
	})
	require.NoError(f, err)
	require.NotEmpty(f, out)
	return out
}

// Whatever the bytes: settings or errors of one line each, and in these no text
// that could be a password.
func FuzzRead(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b, len(b)/2)
		if at := strings.Index(string(b), "S3cr3t"); at >= 0 {
			f.Add(b, at)
		}
	}
	const planted = "S3cr3t=P@ss;"
	path := filepath.Join(f.TempDir(), "web.config")
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		if at >= 0 && at <= len(b) {
			b = append(append(append([]byte(nil), b[:at]...), planted...), b[at:]...)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Read(path, Options{VirtualPath: "/shop", Page: "admin", Site: "s"})
		if err == nil {
			if cfg == nil || cfg.SessionState.Timeout <= 0 || cfg.SessionState.Mode == ModeCustom && cfg.SessionState.Provider == nil {
				t.Fatalf("no error, and no settings: %v", cfg)
			}
			return
		}
		said := err.Error()
		if strings.Contains(said, "S3cr3t=P") || strings.Contains(said, "P@ss") {
			t.Fatalf("a secret is shown: %s", said)
		}
		for line := range strings.Lines(said) {
			if !strings.HasPrefix(line, "webconfig: ") || !utf8.ValidString(line) {
				t.Fatalf("not one line an error: %q", line)
			}
		}
	})
}

// Every element and attribute is where its position says.
func FuzzPositions(f *testing.F) {
	for _, b := range seeds(f) {
		if text, why := decode(b); why == "" {
			f.Add(text)
		}
	}
	f.Add("<a\n b = 'c=\"d\"' e=\"'f'\"x:g=\"\"h=''/>")
	f.Add("<ä ö='=' \r\n\tü='>'\n></ä>")
	f.Fuzz(func(t *testing.T, text string) {
		root, err := parse("f", text)
		if err != nil || root == nil {
			return
		}
		lines := strings.Split(text, "\n")
		at := func(p Position) string {
			line := lines[p.Line-1] + "\n" + strings.Join(lines[p.Line:], "\n")
			for range p.Column - 1 {
				_, n := utf8.DecodeRuneInString(line)
				line = line[n:]
			}
			return line
		}
		var walk func(e *element)
		walk = func(e *element) {
			if !strings.HasPrefix(at(e.pos), "<") {
				t.Fatalf("no element at %v of %q", e.pos, text)
			}
			for _, a := range e.attrs {
				if !strings.HasPrefix(at(a.pos), a.name) {
					t.Fatalf("no %s at %v of %q", a.name, a.pos, text)
				}
			}
			for _, c := range e.children {
				walk(c)
			}
		}
		walk(root)
	})
}

// What a file's first bytes say of its encoding.
func TestEncodings(t *testing.T) {
	for name, c := range map[string]struct{ in, text, why string }{
		"empty":                {"", "", ""},
		"UTF-8":                {"<ä/>", "<ä/>", ""},
		"mark":                 {"\xef\xbb\xbf<ä/>", "<ä/>", ""},
		"broken UTF-8":         {"<a>\xc3\x28", "", "offset 3"},
		"a real U+FFFD":        {"\uFFFD\xff", "", "offset 3"},
		"UTF-16 LE":            {"\xff\xfe<\x00\xe4\x00\x3d\xd8\x00\xde", "<ä😀", ""},
		"UTF-16 BE":            {"\xfe\xff\x00<\xd8\x3d\xde\x00", "<😀", ""},
		"odd UTF-16":           {"\xff\xfe<", "", "odd"},
		"half a character":     {"\xff\xfe\x3d\xd8", "", "half"},
		"halves the wrong way": {"\xff\xfe\x00\xde\x3d\xd8", "", "half"},
		"UTF-16 without mark":  {`<?xml version="1.0" encoding="utf-16"?>`, "", "byte order mark"},
		"Latin-1":              {"<?xml version='1.0' encoding='ISO-8859-1'?>\xe4", "<?xml version='1.0' encoding='ISO-8859-1'?>ä", ""},
		"Windows' euro":        {"<?xml version='1.0' encoding='windows-1252'?>\x80", "", "differs"},
		"another, all ASCII":   {"<?xml version='1.0' encoding='koi8-r'?>a", "<?xml version='1.0' encoding='koi8-r'?>a", ""},
		"another":              {"<?xml version='1.0' encoding='koi8-r'?>\xd0", "", "koi8-r"},
	} {
		text, why := decode([]byte(c.in))
		require.Equal(t, c.text, text, name)
		if c.why == "" {
			require.Empty(t, why, name)
		} else {
			require.Contains(t, why, c.why, name)
		}
	}
}

// What an error may hold of a value.
func TestShow(t *testing.T) {
	for _, s := range []string{"StateServer", "00:20:00", "4.5", `..\shop`, "[::1]:42424", "-1", "0123456789ABCDE"} {
		require.Equal(t, `"`+s+`"`, show(s))
	}
	for _, s := range []string{"a=b", "a;b", "p@ss", "0123456789ABCDEF", strings.Repeat("x", 33), "a\nb", "\x1b[31m", "ü"} {
		require.NotContains(t, show(s), s)
	}
	require.Equal(t, "Shop.Ids, Shop", showType("Shop.Ids , Shop, Version=1.0.0.0"))
	require.Equal(t, "(a name that is not shown)", showType("password=x"))
}
