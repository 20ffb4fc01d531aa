package middleware_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
)

func TestLargeFilesReachReadFrom(t *testing.T) {
	name := filepath.Join(t.TempDir(), "big.bin")
	require.NoError(t, os.WriteFile(name, bytes.Repeat([]byte("0123456789"), 20_000), 0o600))
	m := newMiddleware(t, newStore(t), middleware.Options{})
	seen := &readerFrom{}
	sv := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.ResponseWriter = w
		m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) })).ServeHTTP(seen, r)
	}))
	resp, body, err := fetch(t, sv, "/", "")
	require.NoError(t, err)
	sv.Close() // and with it the handler's goroutine
	require.EqualValues(t, 200_000, resp.ContentLength)
	require.Len(t, body, 200_000)
	require.EqualValues(t, 200_000, seen.n.Load(), "all of it went by ReadFrom")
}

type readerFrom struct {
	http.ResponseWriter
	n atomic.Int64
}

func (w *readerFrom) ReadFrom(src io.Reader) (int64, error) {
	n, err := w.ResponseWriter.(io.ReaderFrom).ReadFrom(src)
	w.n.Add(n)
	return n, err
}

func TestWritersOfOtherKinds(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	w := &bare{header: http.Header{}}
	m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		require.ErrorIs(t, rc.Flush(), http.ErrNotSupported)
		_, _, err := rc.Hijack()
		require.ErrorIs(t, err, http.ErrNotSupported)
		_, err = io.Copy(w, bufio.NewReader(strings.NewReader("copied")))
		require.NoError(t, err)
	})).ServeHTTP(w, request(""))
	require.Equal(t, "copied", w.body.String())
}

type bare struct {
	header http.Header
	body   bytes.Buffer
}

func (b *bare) Header() http.Header         { return b.header }
func (b *bare) Write(p []byte) (int, error) { return b.body.Write(p) }
func (b *bare) WriteHeader(int)             {}

func TestAReaderThatFailsIsTheHandlersToSee(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	w := serve(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := w.(io.ReaderFrom).ReadFrom(io.MultiReader(strings.NewReader("half"), failing{}))
		require.ErrorIs(t, err, errDisk)
	})), request(""))
	require.Equal(t, "half", w.Body.String())
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

// What recovers outside answers afresh.
func TestPanicForgetsHeaders(t *testing.T) {
	m := newMiddleware(t, newStore(t), middleware.Options{})
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		_, _ = w.Write(make([]byte, 5000))
		panic("oops")
	}))
	s := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Outer", "stays")
		defer func() {
			if recover() != nil {
				http.Error(w, "sorry", http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	}))
	resp, body, err := fetch(t, s, "/", "")
	require.NoError(t, err)
	require.Equal(t, 500, resp.StatusCode)
	require.Equal(t, "sorry\n", body)
	require.Equal(t, "stays", resp.Header.Get("X-Outer"))
}
