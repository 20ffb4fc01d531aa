package interop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// The state service goes down: both sides fail, and Go's error names the
// address. A new one comes up there: both work again, on new connections.
func TestStateServiceGoesDownAndComesBack(t *testing.T) {
	w := enter(t, plain)
	addr := w.addr()
	v := newVisitor(t)
	var failure error
	watched, err := middleware.New(w.store, middleware.Options{OnError: func(rw http.ResponseWriter, _ *http.Request, err error) {
		failure = err
		rw.WriteHeader(http.StatusTeapot)
	}})
	require.NoError(t, err)
	page, watchedPage := w.page(t, session.ReadWrite, increment), w.pageOn(t, watched, session.ReadWrite, increment)
	require.Equal(t, "1", v.get(page)) // connections of both sides are pooled now
	require.Equal(t, "2", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))

	require.NoError(t, w.service.Close())
	for range 2 { // with dead connections in the pool, and without
		status, text, err := v.try(page)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, "The session could not be loaded or saved. Please try again.\n", text)
		status, _, err = v.try(watchedPage)
		require.NoError(t, err)
		require.Equal(t, http.StatusTeapot, status)
		require.ErrorIs(t, failure, session.ErrUnavailable)
		require.ErrorContains(t, failure, addr)
		require.NotContains(t, failure.Error(), v.id())
		status, text, err = v.try(w.a.URL("slow.aspx?ms=0"))
		require.NoError(t, err)
		require.Equal(t, http.StatusInternalServerError, status, text)
	}

	require.NoError(t, w.serve(addr))
	require.Equal(t, "1", v.get(page), "a new service has no sessions")
	require.Equal(t, "2", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))
	require.Equal(t, "3", word(t, v.get(w.b.URL("slow.aspx?ms=0")), "n"))
	require.Equal(t, "4", v.get(page))
}

// A new service is up before either side noticed that the old one was down:
// pooled connections that died are replaced, and no request fails.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	w := enter(t, plain)
	addr := w.addr()
	v := newVisitor(t)
	page := w.page(t, session.ReadWrite, increment)
	v.get(page)
	v.get(w.a.URL("slow.aspx?ms=0"))
	require.NoError(t, w.service.Close())
	require.NoError(t, w.serve(addr))
	v.get(page)
	require.Equal(t, "2", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))
}
