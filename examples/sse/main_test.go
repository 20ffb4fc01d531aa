package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/stores/inproc"
)

// While a stream is open the visitor's other pages answer, and the next stream
// sees what they and it left.
func TestAStreamHoldsNoLock(t *testing.T) {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	require.NoError(t, err)
	server := httptest.NewServer(pages(m, time.Millisecond))
	defer server.Close()
	defer server.CloseClientConnections()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := http.Client{Jar: jar}
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()

	stream := func() *bufio.Scanner {
		r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events", nil)
		require.NoError(t, err)
		resp, err := browser.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { resp.Body.Close() })
		require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
		return bufio.NewScanner(resp.Body)
	}
	next := func(s *bufio.Scanner) string {
		require.True(t, s.Scan(), s.Err())
		line := s.Text()
		require.True(t, s.Scan(), s.Err()) // the empty line that ends an event
		return line
	}
	click := func() string {
		resp, err := browser.Post(server.URL+"/count", "", nil)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}

	first := stream()
	require.Equal(t, "data: event 0 of stream 1", next(first))
	require.Equal(t, "click 1", click())
	require.Equal(t, "data: event 1 of stream 1", next(first))
	second := stream()
	require.Equal(t, "data: event 0 of stream 2", next(second))
	require.Equal(t, "click 2", click())
	require.Equal(t, "data: event 2 of stream 1", next(first))
}

func TestHome(t *testing.T) {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	pages(m, time.Second).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Empty(t, w.Result().Cookies()) // it has no session
}
