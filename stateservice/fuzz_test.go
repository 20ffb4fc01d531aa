package stateservice_test

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// FuzzRequest: whatever a peer sends, the server answers in whole replies and
// ends; and how the bytes were cut into packets changes no byte of the replies.
//
// The bytes come by a script rather than a net.Pipe, which cannot be closed in
// one direction: its replies would be cut where its requests end.
func FuzzRequest(f *testing.F) {
	const id = "2ne4zzc4yrcakgqbxgtomtfb"
	for _, group := range groups() {
		for i, r := range group.rows {
			if len(group.rows) > 50 && i%7 != 0 {
				continue // the matrices say the same many times
			}
			var all strings.Builder
			for j := 0; j < len(r.given); j += 2 {
				if r.given[j+1] != "" {
					all.WriteString(r.given[j])
				}
			}
			f.Add([]byte(fillIn(all.String()+r.send, id)), uint64(i))
		}
	}
	for i, raw := range []string{
		"", "\r\n", "\n\n\n", "GET k HTTP/1.1\n\n", "PUT k HTTP/1.1\nContent-Length: 3\n\nabcGET k HTTP/1.1\n\n",
		"PUT k HTTP/1.1\nContent-Length: 33000000\n\nabc", "PUT k HTTP/1.1\nContent-Length: 2147483647\n\nabc",
		"GET k HTTP/1.1\nContent-Length: 5\n\n", "GET " + fill(lineLimit+10), request("GET", "k", manyHeaders(headerLimit+1)...),
		save("k", fill(2000)) + request("GET", "k") + save("k", fill(70_000)) + request("GET", "k"),
		save("k", "a", "Aspsession: 1", "LockCookie: 5") + save("k", "b", "Aspsession: 1") + save("k", "c", "Aspsession: 1"),
	} {
		f.Add([]byte(raw), uint64(i))
	}
	f.Fuzz(func(t *testing.T, sent []byte, seed uint64) {
		if len(sent) > 1<<17 {
			t.Skip()
		}
		whole := converse(t, bytes.Clone(sent))
		checkReplies(t, whole)
		rnd := rand.New(rand.NewPCG(seed, 0))
		var pieces [][]byte
		for rest := bytes.Clone(sent); len(rest) > 0; {
			n := 1 + rnd.IntN(min(len(rest), 1+rnd.IntN(300)))
			pieces = append(pieces, rest[:n:n])
			rest = rest[n:]
		}
		require.Equal(t, string(whole), string(converse(t, pieces...)), "in %d pieces", len(pieces))
		if len(sent) < 2000 {
			pieces = pieces[:0]
			for i := range sent {
				pieces = append(pieces, []byte{sent[i]})
			}
			require.Equal(t, string(whole), string(converse(t, pieces...)), "byte by byte")
		}
	})
}

// converse runs one connection to its end and returns all replies.
func converse(t *testing.T, pieces ...[]byte) []byte {
	c := newClock()
	s := stateservice.New(stateservice.Options{Now: c.Now, SweepInterval: -1, MaxBody: 1 << 16, Logger: slog.New(slog.DiscardHandler)})
	q := newQueue()
	go s.Serve(q)
	conn := newScript(pieces...)
	q.conns <- conn
	select {
	case <-conn.ended:
	case <-time.After(patience):
		t.Fatal("the server does not end")
	}
	require.NoError(t, s.Close())
	return conn.out
}

// checkReplies requires whole replies and nothing else.
func checkReplies(t *testing.T, all []byte) {
	for len(all) > 0 {
		head, rest, ok := bytes.Cut(all, []byte("\r\n\r\n"))
		require.True(t, ok, "half a reply: %q", all)
		rep := string(head) + "\r\n\r\n"
		require.Regexp(t, replyHead, rep)
		length, err := strconv.Atoi(field(rep, "Content-Length"))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(rest), length, "half a body")
		if status(rep)[:3] != "200" {
			require.Zero(t, length, "a body with %q", rep)
		}
		all = rest[length:]
	}
}

const replyHead = `^HTTP/1\.1 (200 OK|400 Bad Request|404 Not Found|409 Conflict|423 Locked)\r\n` +
	`X-AspNet-Version: 4\.0\.30319\r\n(ActionFlags: 1\r\n)?(LockDate: \d+\r\nLockAge: \d+\r\n)?(LockCookie: \d+\r\n)?(Timeout: \d+\r\n)?` +
	`(Aspsession: 1\r\n)?Cache-Control: private\r\nContent-Length: \d+\r\n\r\n$`
