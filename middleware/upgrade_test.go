package middleware_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/session"
)

// WriteHeader(101), then Hijack, which net/http sends (coder/websocket does so):
// the client must get the 101 and, of a new session, the cookie.
func TestSwitchingProtocolsThenHijack(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := middleware.From(r); s != nil {
			_ = s.Set("n", 1)
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "test")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(rw, "hello")
		_ = rw.Flush()
	})
	for name, h := range map[string]http.Handler{
		"bare":    page,
		"session": newMiddleware(t, newStore(t), middleware.Options{Session: session.Options{}}).Wrap(page),
	} {
		t.Run(name, func(t *testing.T) {
			s := server(t, h)
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
			require.NoError(t, err)
			br := bufio.NewReader(conn)
			resp, err := http.ReadResponse(br, nil)
			require.NoError(t, err)
			require.Equal(t, 101, resp.StatusCode)
			if name != "bare" {
				require.Len(t, resp.Cookies(), 1)
			}
			b, _ := io.ReadAll(br)
			require.Equal(t, "hello", string(b))
		})
	}
}
