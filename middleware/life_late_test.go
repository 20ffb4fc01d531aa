package middleware_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
)

// After its handler has returned a writer is closed, whichever way it is used.
func TestAWriterEndsWithItsHandler(t *testing.T) {
	for name, page := range map[string]string{"buffered": "page", "long": strings.Repeat("page", 20_000)} {
		t.Run(name, func(t *testing.T) {
			m := newMiddleware(t, newStore(t), middleware.Options{})
			var kept http.ResponseWriter
			w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				kept = w
				_, _ = io.WriteString(w, page)
			})), request(""))
			for _, late := range []func() error{
				func() error { _, err := kept.Write([]byte("late")); return err },
				func() error { _, err := io.WriteString(kept, "late"); return err },
				func() error { _, err := io.Copy(kept, strings.NewReader("late")); return err },
				func() error { _, err := kept.(io.ReaderFrom).ReadFrom(strings.NewReader("late")); return err },
				func() error { return http.NewResponseController(kept).Flush() },
				func() error { _, _, err := kept.(http.Hijacker).Hijack(); return err },
			} {
				require.Error(t, late())
			}
			kept.WriteHeader(500)
			require.Equal(t, 200, w.Code)
			require.Equal(t, page, w.Body.String())
		})
	}
}

// A Read into the buffer that is under way when its handler returns keeps that
// buffer: the next visitor's page is in another.
func TestALateReadKeepsItsBuffer(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	for range 100 { // which buffer is next is the pool's choice
		late := &lateReader{entered: make(chan bool), arrives: make(chan bool), read: make(chan bool)}
		copied := make(chan error)
		w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			go func() {
				_, err := w.(io.ReaderFrom).ReadFrom(late)
				copied <- err
			}()
			<-late.entered
		})), request(""))
		require.Empty(t, w.Body.String())
		w = serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "another visitor's page")
			close(late.arrives)
			<-late.read
		})), request(""))
		require.Equal(t, "another visitor's page", w.Body.String())
		require.Error(t, <-copied)
	}
}

// lateReader has something to read when it is told so.
type lateReader struct{ entered, arrives, read chan bool }

func (r *lateReader) Read(b []byte) (int, error) {
	close(r.entered)
	<-r.arrives
	n := copy(b, "SECRET")
	close(r.read)
	return n, io.EOF
}
