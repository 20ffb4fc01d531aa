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
	for _, page := range []struct {
		path, body string
		status     int
	}{
		{"/members", "sign in first: /signin?name=Ada\n", 403},
		{"/signin?name=Ada", "welcome \"Ada\", this is \"home\"\n", 200},
		{"/members/prices", "welcome \"Ada\", this is \"prices\"\n", 200},
		{"/signout", "goodbye\n", 200},
		{"/members/prices", "sign in first: /signin?name=Ada\n", 403},
	} {
		resp, err := browser.Get(server.URL + page.path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, err)
		require.Equal(t, page.status, resp.StatusCode, page.path)
		require.Equal(t, page.body, string(body), page.path)
	}
}

// Whoever knew the id before the visitor signed in has nothing.
func TestSignInChangesTheID(t *testing.T) {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	require.NoError(t, err)
	h := pages(m)
	ask := func(path, id string) (status int, cookie string) {
		r, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
		r.AddCookie(&http.Cookie{Name: "ASP.NET_SessionId", Value: id})
		h.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			cookie = c.Value
		}
		return w.Code, cookie
	}
	const known = "abcdefghijklmnopqrstuvwx"
	_, id := ask("/signin?name=Ada", known)
	require.NotEmpty(t, id)
	require.NotEqual(t, known, id)
	status, _ := ask("/members", id)
	require.Equal(t, http.StatusOK, status)
	status, _ = ask("/members", known)
	require.Equal(t, http.StatusForbidden, status)
}
