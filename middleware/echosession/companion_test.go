package echosession_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/middleware/echosession"
	"github.com/aspsession/aspsession/stores/inproc"
)

// A bound visitor signs in again, and the page fails after Bind: nothing is saved,
// so that no new companion cookie may leave with the error page.
func TestBindThenError(t *testing.T) {
	store := inproc.New(inproc.Options{SweepInterval: -1})
	defer store.Close()
	m, err := middleware.New(store, middleware.Options{Companion: &middleware.Companion{Keys: [][]byte{bytes.Repeat([]byte{1}, 32)}}})
	require.NoError(t, err)
	e := echo.New()
	e.Use(echosession.New(m))
	fails := false
	e.GET("/", func(c echo.Context) error {
		if err := middleware.Bind(c.Request()); err != nil {
			return err
		}
		if fails {
			return errors.New("database")
		}
		return c.String(200, "in")
	})
	e.GET("/page", func(c echo.Context) error { return c.String(200, "page") })
	jar := map[string]string{}
	get := func(path string) int {
		r := httptest.NewRequest("GET", path, nil)
		for n, v := range jar {
			r.AddCookie(&http.Cookie{Name: n, Value: v})
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			jar[c.Name] = c.Value
		}
		return w.Code
	}
	require.Equal(t, 200, get("/"))
	require.Equal(t, 200, get("/page"))
	fails = true
	require.Equal(t, 500, get("/"))
	require.Equal(t, 200, get("/page"), "locked out")
}
