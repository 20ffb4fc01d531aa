package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/stores/inproc"
)

func TestCount(t *testing.T) {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	require.NoError(t, err)
	server := httptest.NewServer(m.Wrap(http.HandlerFunc(count)))
	defer server.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := http.Client{Jar: jar}
	for _, want := range []string{"visit 1\n", "visit 2\n", "visit 3\n"} {
		resp, err := browser.Get(server.URL)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, err)
		require.Equal(t, want, string(body))
	}
}

// The quickstart stays one: 40 lines, its comment aside.
func TestItIsShort(t *testing.T) {
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	_, program, ok := strings.Cut(string(source), "package main")
	require.True(t, ok)
	require.LessOrEqual(t, strings.Count(program, "\n"), 40)
}
