package middleware_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
)

// The headers of a HEAD are all that leaves: they wait for the save, however
// much the page writes and by whichever way. Its client would be back with the
// next request before it.
func TestHeadWaitsForTheSave(t *testing.T) {
	const size = 100_000
	for name, write := range map[string]func(w http.ResponseWriter){
		"one write": func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, size)) },
		"many writes": func(w http.ResponseWriter) {
			for range size / 100 {
				_, _ = io.WriteString(w, strings.Repeat("x", 100))
			}
		},
		"a reader": func(w http.ResponseWriter) { _, _ = io.Copy(w, io.LimitReader(zeros{}, size)) },
		"a reader of known length": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.Copy(w, io.LimitReader(zeros{}, size))
		},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, p *protocol) {
				sv := p.serve(t, func(w http.ResponseWriter, r *http.Request) {
					write(w)
					require.NoError(t, middleware.From(r).Set("n", 2)) // behind the page
					w.Header().Set("X-Late", "yes")
				})
				resp, body := p.do(t, sv, newRequest(t, "HEAD", sv, nil))
				require.Equal(t, 200, resp.StatusCode)
				require.Equal(t, "yes", resp.Header.Get("X-Late"))
				require.Empty(t, body)
				p.saved(t, 2)
			})
		})
	}
}
