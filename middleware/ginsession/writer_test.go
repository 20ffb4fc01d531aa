package ginsession_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware/ginsession"
)

// The first part arrives while the handler still runs, with the cookie.
func TestStream(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		s, m := setup(t)
		e := engine()
		seen, read := make(chan outcome, 1), make(chan bool)
		e.Use(watch(seen), ginsession.New(m))
		e.GET("/", func(c *gin.Context) {
			count(c)
			parts := 0
			c.Stream(func(w io.Writer) bool {
				if parts++; parts > 1 {
					<-read
				}
				fmt.Fprintf(w, " part %d", parts)
				return parts < 2
			})
		})
		srv := server(t, e, http2)
		resp, err := srv.Client().Get(srv.URL)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.NotNil(t, sessionCookie(resp))
		first := make([]byte, len("n=1 part 1"))
		_, err = io.ReadFull(resp.Body, first)
		require.NoError(t, err)
		close(read)
		rest, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "n=1 part 1 part 2", string(first)+string(rest))
		require.Equal(t, outcome{200, 17, true}, <-seen)
		require.Equal(t, 1, s.stored(t))
	})
}

func TestEarlyHints(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		_, m := setup(t)
		e := engine()
		e.Use(ginsession.New(m))
		e.GET("/", func(c *gin.Context) {
			c.Header("Link", "</style.css>; rel=preload")
			c.Writer.WriteHeader(http.StatusEarlyHints)
			require.False(t, c.Writer.Written())
			c.Status(http.StatusAccepted)
			_, _ = c.Writer.WriteString("page")
		})
		srv := server(t, e, http2)
		var hints []string
		r, err := http.NewRequest("GET", srv.URL, nil)
		require.NoError(t, err)
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				hints = append(hints, fmt.Sprint(code, h.Get("Link")))
				return nil
			},
		}))
		resp, err := srv.Client().Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusAccepted, resp.StatusCode)
		require.Equal(t, []string{"103</style.css>; rel=preload"}, hints)
	})
}

func TestHijack(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		s, m := setup(t)
		e := engine()
		seen := make(chan outcome, 1)
		e.Use(watch(seen), ginsession.New(m))
		e.GET("/", func(c *gin.Context) {
			require.NoError(t, ginsession.From(c).Set("n", 1))
			conn, rw, err := c.Writer.Hijack()
			if err != nil {
				require.NoError(t, ginsession.From(c).Set("n", 2), "the session goes on")
				c.String(http.StatusUpgradeRequired, "%v", errors.Is(err, http.ErrNotSupported))
				return
			}
			defer conn.Close()
			require.True(t, c.Writer.Written())
			require.Equal(t, 1, s.stored(t), "saved before the connection is the handler's")
			fmt.Fprintf(rw, "HTTP/1.1 200 OK\r\nSet-Cookie: %s\r\nContent-Length: 3\r\n\r\nown", c.Writer.Header().Get("Set-Cookie"))
			_ = rw.Flush()
		})
		resp, body, err := get(t, server(t, e, http2), "/")
		require.NoError(t, err)
		require.NotNil(t, sessionCookie(resp))
		if http2 {
			require.Equal(t, "true", body)
			require.Equal(t, http.StatusUpgradeRequired, (<-seen).status)
		} else {
			require.Equal(t, "own", body)
			require.Equal(t, outcome{200, 0, true}, <-seen)
		}
	})
}

// A body comes before Hijack: refused, as in gin.
func TestHijackAfterBody(t *testing.T) {
	_, m := setup(t)
	e := engine()
	e.GET("/", ginsession.New(m), func(c *gin.Context) {
		c.String(200, "page")
		_, _, err := c.Writer.Hijack()
		require.Error(t, err)
	})
	_, body, err := get(t, server(t, e, false), "/")
	require.NoError(t, err)
	require.Equal(t, "page", body)
}

// What http.ResponseController can do reaches the connection.
func TestResponseController(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		_, m := setup(t)
		e := engine()
		e.GET("/", ginsession.New(m), func(c *gin.Context) {
			rc := http.NewResponseController(c.Writer)
			require.NoError(t, rc.SetWriteDeadline(time.Now().Add(time.Minute)))
			require.NoError(t, rc.SetReadDeadline(time.Now().Add(time.Minute)))
			require.NoError(t, rc.EnableFullDuplex())
			require.NoError(t, rc.Flush())
			require.True(t, c.Writer.Written())
			require.Equal(t, http2, c.Writer.Pusher() != nil)
			_, _ = c.Writer.WriteString("page")
		})
		_, body, err := get(t, server(t, e, http2), "/")
		require.NoError(t, err)
		require.Equal(t, "page", body)
	})
}

func TestTrailers(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		_, m := setup(t)
		e := engine()
		e.GET("/", ginsession.New(m), func(c *gin.Context) {
			c.Header("Trailer", "Checksum")
			count(c)
			c.Header("Checksum", "abc")
		})
		resp, body, err := get(t, server(t, e, http2), "/")
		require.NoError(t, err)
		require.Equal(t, "n=1", body)
		require.Empty(t, resp.Header.Get("Checksum"))
		require.Equal(t, "abc", resp.Trailer.Get("Checksum"))
	})
}

func TestFile(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		_, m := setup(t)
		long := strings.Repeat("a long file ", 10_000)
		name := filepath.Join(t.TempDir(), "page.txt")
		require.NoError(t, os.WriteFile(name, []byte(long), 0o600))
		e := engine()
		seen := make(chan outcome, 1)
		e.GET("/", watch(seen), ginsession.New(m), func(c *gin.Context) {
			require.NoError(t, ginsession.From(c).Set("n", 1))
			c.File(name)
		})
		resp, body, err := get(t, server(t, e, http2), "/")
		require.NoError(t, err)
		require.NotNil(t, sessionCookie(resp))
		require.Equal(t, long, body)
		require.Equal(t, outcome{200, len(long), true}, <-seen)
	})
}

// upper stands for a middleware that changes the body, as compression does: it
// embeds gin's writer and has no Unwrap.
type upper struct{ gin.ResponseWriter }

func (u upper) Write(b []byte) (int, error) {
	return u.ResponseWriter.Write([]byte(strings.ToUpper(string(b))))
}

func (u upper) WriteString(s string) (int, error) { return u.Write([]byte(s)) }

func TestOtherWriters(t *testing.T) {
	change := func(c *gin.Context) {
		old := c.Writer
		c.Writer = upper{old}
		c.Next()
		c.Writer = old
	}
	both(t, func(t *testing.T, http2 bool) {
		for _, name := range []string{"outside", "inside"} {
			_, m := setup(t)
			chain := []gin.HandlerFunc{change, ginsession.New(m)}
			if name == "inside" {
				chain[0], chain[1] = chain[1], chain[0]
			}
			e := engine()
			e.Use(chain...)
			e.GET("/", count)
			e.GET("/hints", func(c *gin.Context) {
				c.Writer.WriteHeader(http.StatusEarlyHints)
				count(c)
			})
			e.GET("/hijack", func(c *gin.Context) {
				conn, rw, err := c.Writer.Hijack()
				if err != nil {
					c.String(200, "no")
					return
				}
				defer conn.Close()
				_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOWN")
				_ = rw.Flush()
			})
			srv := server(t, e, http2)
			for path, want := range map[string]string{"/": "N=1", "/hints": "N=1", "/hijack": map[bool]string{true: "NO", false: "OWN"}[http2]} {
				resp, body, err := get(t, srv, path)
				require.NoError(t, err, name+path)
				require.Equal(t, want, body, name+path)
				require.Equal(t, 200, resp.StatusCode)
			}
		}
	})
}

// A recorder cannot be hijacked or closed; nothing panics for it.
func TestRecorder(t *testing.T) {
	_, m := setup(t)
	e := engine()
	e.GET("/", ginsession.New(m), func(c *gin.Context) {
		_, _, err := c.Writer.Hijack()
		require.ErrorIs(t, err, http.ErrNotSupported)
		c.Writer.Flush()
		_, _ = c.Writer.WriteString("page")
	})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.True(t, w.Flushed)
	require.Equal(t, "page", w.Body.String())
}

// A goroutine that writes when its request is over meets an error, not the page
// of another visitor.
func TestWriteTooLate(t *testing.T) {
	_, m := setup(t)
	e := engine()
	var left gin.ResponseWriter
	e.GET("/", ginsession.New(m), func(c *gin.Context) { left = c.Writer; count(c) })
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	_, err := left.WriteString("late")
	require.Error(t, err)
	require.Equal(t, "n=1", w.Body.String())
}
