package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A listing that is garbage, cut, refused or of something else is one line.
func TestBadListing(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("a token of the admin\n"), 0o600))
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"garbage": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "line 1 of the listing cannot be read"},
		"no key":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}\n{\"key\":5}")) }, "line 2 of the listing cannot be read"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{}\n{"))
		}, "unexpected EOF"},
		"another server": {http.NotFound, "status 404: is it the --admin address"},
		"moved": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://evil.example/", http.StatusFound)
		}, "status 302"},
		"refused": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer another" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		}, "the token is missing or wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(row.answer)
			defer server.Close()
			for _, verb := range []string{"ls", "discover"} {
				r := runTool(nil, verb, "--store", "stateserver://127.0.0.1:1?app=/a", "--admin", server.URL, "--admin-token", token)
				require.Equal(t, exitData, r.code)
				require.Empty(t, r.stdout)
				require.Regexp(t, "^aspstate: "+verb+": [^\n]*\n$", r.stderr)
				require.Contains(t, r.stderr, row.want)
				require.NotContains(t, r.stderr, "a token of")
			}
		})
	}
	r := runTool(nil, "ls", "--store", "stateserver://127.0.0.1:1?app=/a", "--admin-token", token)
	require.Contains(t, r.stderr, "--admin-token goes with --admin")
	r = runTool(nil, "ls", "--store", "stateserver://127.0.0.1:1?app=/a", "--admin", "http://127.0.0.1:9", "--admin-token", token+".missing")
	require.Contains(t, r.stderr, "--admin-token: ")
}

// Keys of all generations are told apart, and those of nobody's.
func FuzzSplitKey(f *testing.F) {
	f.Add("/LM/W3SVC/1/ROOT(" + "abc=)/id")
	f.Add("")
	f.Add("()/")
	f.Add("a(b)/c(d)/e")
	f.Fuzz(func(t *testing.T, key string) {
		front, application, generation := splitKey(key)
		require.NotEmpty(t, generation)
		if front != "" {
			require.Equal(t, front, key[:len(front)])
			require.Equal(t, application, key[:len(application)])
		}
	})
}
