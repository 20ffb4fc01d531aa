package inproc_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/stores/inproc"
)

// A new session over the store's own limit is refused at once, not for ever after.
func TestANewSessionOverTheLimitIsRefused(t *testing.T) {
	s := inproc.New(inproc.Options{SweepInterval: -1, Limits: payload.Limits{Bytes: 1000}})
	m, err := middleware.New(s, middleware.Options{})
	require.NoError(t, err)
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = middleware.From(r).Set("a", strings.Repeat("x", 2000))
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 {
		return // refused: fine
	}
	c := w.Result().Cookies()[0]
	for range 3 {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		w = httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, "every request of this visitor fails from now on: %s", w.Body)
	}
}
