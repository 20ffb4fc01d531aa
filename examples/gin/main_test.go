package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/stores/inproc"
)

func TestPages(t *testing.T) {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	require.NoError(t, err)
	server := httptest.NewServer(pages(m))
	defer server.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := http.Client{Jar: jar}
	for _, page := range [][2]string{
		{"/visits", "0 visits so far\n"}, {"/", "visit 1\n"}, {"/", "visit 2\n"}, {"/visits", "2 visits so far\n"},
	} {
		resp, err := browser.Get(server.URL + page[0])
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, err)
		require.Equal(t, page[1], string(body))
	}
}
