package echosession_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware/echosession"
)

// echo's Flush has no error; its Writer's has, and the page is given up.
func TestFlushThatFails(t *testing.T) {
	s, m := setup(t)
	s.full.Store(true)
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		require.NoError(t, echosession.From(c).Set("n", 1))
		require.ErrorIs(t, http.NewResponseController(c.Response().Writer).Flush(), errFull)
		return c.String(200, "page")
	}, echosession.New(m))
	resp, body, err := get(t, server(t, e, false), "/")
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "trouble\n", body)
	require.Zero(t, s.stored(t))
}
