package middleware_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/middleware"
)

// Cookies as they may come over the wire: what is no id starts a new session or
// is refused by net/http, and touches no session that is there.
func TestBadCookiesOverTheWire(t *testing.T) {
	other := strings.Repeat("a", 24)
	name := cookieName + "="
	for _, row := range []struct {
		name   string
		header string // lines
		status int
		known  bool // the session of anID is used
	}{
		{"the id", "Cookie: " + name + anID, 200, true},
		{"no cookie", "Cookie: ", 200, false},
		{"garbage", "Cookie: \xff\xfe;;=;=;" + name + "\xff\xfe\xfd", 200, false},
		{"garbage before the id", "Cookie: ;;=; " + name + "x; " + name + anID, 200, false},
		{"garbage of other names before the id", "Cookie: ;;=;=\xff;" + name + anID, 200, true},
		{"ten, the first is known", "Cookie: " + name + anID + strings.Repeat("; "+name+other, 9), 200, true},
		{"ten, the last is known", "Cookie: " + strings.Repeat(name+other+"; ", 9) + name + anID, 200, false},
		{"ten lines, the first is known", "Cookie: " + name + anID + strings.Repeat("\r\nCookie: "+name+other, 9), 200, true},
		{"half a megabyte", "Cookie: " + name + strings.Repeat("a", 1<<19), 200, false},
		{"half a megabyte of cookies", "Cookie: " + strings.Repeat("a=b; ", 100_000) + name + anID, 200, true},
		{"half a megabyte of the name", "Cookie: " + strings.Repeat(name+"; ", 25_000) + name + anID, 200, false},
		{"two megabytes", "Cookie: " + name + strings.Repeat("a", 1<<21), 431, false},
		{"a control character in the id", "Cookie: " + name + anID[:23] + "\x01", 400, false},
		{"a zero in the id", "Cookie: " + name + anID[:23] + "\x00", 400, false},
		{"a tab in the id", "Cookie: " + name + anID[:23] + "\t", 200, false},
		{"a tab after the id", "Cookie: " + name + anID + "\t", 200, true},
		{"DEL in the id", "Cookie: " + name + anID[:23] + "\x7f", 400, false},
		{"quoted", "Cookie: " + name + `"` + anID + `"`, 200, false},
		{"escaped", "Cookie: " + name + "%32" + anID[1:], 200, false},
		{"another case of the name", "Cookie: asp.net_SESSIONID=" + anID, 200, true},
		{"another case of the id", "Cookie: " + name + strings.ToUpper(anID), 200, true},
		{"a longer name", "Cookie: x" + name + anID, 200, false},
		{"the name of a prefix cookie", "Cookie: __Host-" + name + anID, 200, false},
		{"two ids", "Cookie: " + name + anID + "," + anID, 200, false},
		{"two equal signs", "Cookie: " + name + "=" + anID, 200, false},
		{"a path", "Cookie: " + name + "../../" + anID, 200, false},
		{"letters that fold to the id's", "Cookie: " + name + strings.Repeat("\u212a", 8), 200, false},
		{"another header's line", "Cookie: " + name + "x\r\n " + anID, 200, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := newStore(t)
			store.put(t, "n", 1)
			m := newMiddleware(t, store, middleware.Options{})
			sv := server(t, m.Wrap(http.HandlerFunc(increment)))
			conn, err := net.Dial("tcp", sv.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(waiting)))
			go func() {
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n"+row.header+"\r\nConnection: close\r\n\r\n")
			}()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			defer resp.Body.Close()
			require.Equal(t, row.status, resp.StatusCode)
			switch {
			case row.known:
				require.EqualValues(t, 2, store.item(t, "n"))
				require.Empty(t, resp.Cookies())
				require.Equal(t, 1, store.sessions())
			case row.status == 200 && !strings.Contains(row.header, name+other):
				require.EqualValues(t, 1, store.item(t, "n"))
				require.Len(t, resp.Cookies(), 1)
				require.NotEqual(t, anID, resp.Cookies()[0].Value)
				require.Equal(t, []string{"Save"}, store.took())
			default:
				require.EqualValues(t, 1, store.item(t, "n"))
			}
			store.requireNoLocks(t)
		})
	}
}
