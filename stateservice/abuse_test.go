package stateservice_test

import (
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// Bytes that no client should send, and bytes sent as no client should.

const (
	lineLimit   = 4096 // bytes, see msasp.Limits
	headerLimit = 40
)

var refusal = "HTTP/1.1 400 Bad Request\r\n" + version40 + empty

// Where the next request starts is not known after these: 400, and the end.
func TestBrokenRequests(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	w := dial(t, addr)
	w.ask(save("k", "kept"))
	long := func(n int, line string) string { return strings.Replace(line, "~", fill(n-len(line)+1), 1) }
	for _, tt := range []struct{ name, raw string }{
		{"nothing but an end of line", "\r\n"},
		{"one word", "GET\r\n\r\n"},
		{"two words", "GET k\r\n\r\n"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"a tab for a blank", "GET\tk\tHTTP/1.1\r\n\r\n"},
		{"a NUL in the verb", "GE\x00T k HTTP/1.1\r\n\r\n"},
		{"a NUL after the verb", "GET\x00 k HTTP/1.1\r\n\r\n"},
		{"a NUL for a header", request("GET", "k", "\x00")},
		{"a line of NULs", "\x00\x00\x00\x00\r\n\r\n"},
		{"only NULs, and no end of line", strings.Repeat("\x00", lineLimit+2)},
		{"a request line of one byte too many", long(lineLimit+1, "GET ~ HTTP/1.1") + "\r\n\r\n"},
		{"and with a bare line feed behind it", long(lineLimit+1, "GET ~ HTTP/1.1") + "\n\n"},
		{"a request line that never ends", "GET " + fill(3*lineLimit)},
		{"a header of one byte too many", request("GET", "k", long(lineLimit+1, "X: ~"))},
		{"a header that never ends", "GET k HTTP/1.1\r\nX: " + fill(3*lineLimit)},
		{"one header too many", request("GET", "k", manyHeaders(headerLimit+1)...)},
		{"a folded header", request("GET", "k", "X: a", " folded")},
		{"a length of -1", request("PUT", "k", "Content-Length: -1")},
		{"a length of -0x1", request("PUT", "k", "Content-Length: -0x1")},
		{"a length of +4", request("PUT", "k", "Content-Length: +4") + "body"},
		{"a length of 4.0", request("PUT", "k", "Content-Length: 4.0") + "body"},
		{"a length of 4, 4", request("PUT", "k", "Content-Length: 4, 4") + "body"},
		{"a length over int32", request("PUT", "k", "Content-Length: 2147483648")},
		{"a length over int64", request("PUT", "k", "Content-Length: 18446744073709551620")},
		{"a length of very many digits", request("PUT", "k", "Content-Length: "+strings.Repeat("9", 2000))},
		{"two lengths", request("PUT", "k", "Content-Length: 4", "Content-Length: 5") + "body"},
		{"two lengths, one of them bad", request("PUT", "k", "Content-Length: 4", "Content-Length: x") + "body"},
		{"a bad length on a GET", request("GET", "k", "Content-Length: x")},
		{"a PUT without a length", request("PUT", "k")},
		{"a PUT without a length, with a body", request("PUT", "k") + "body"},
		{"the largest length there is", request("PUT", "k", "Content-Length: 2147483647")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := dial(t, addr)
			require.Equal(t, refusal, bad.ask(tt.raw))
			bad.closed()
			require.Equal(t, "kept", content(w.ask(request("GET", "k"))), "others are served, and nothing was stored")
		})
	}
}

// Closing on bytes that nobody has read resets a connection, and a reply on its
// way is lost with it: the server lets the peer finish.
func TestRefusalsArrive(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	for _, raw := range []string{request("BREW", "k"), request("PUT", "k", "Content-Length: 2147483647")} {
		for range 5 {
			w := dial(t, addr)
			w.send(raw + fill(4<<20))
			time.Sleep(time.Millisecond) // for a reset to arrive
			require.Equal(t, refusal, w.reply())
			require.NoError(t, w.nc.(*net.TCPConn).CloseWrite())
			w.closed()
		}
	}
}

func manyHeaders(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "X" + strconv.Itoa(i) + ": y"
	}
	return all
}

// And these are at the limits, not over them, or merely odd.
func TestOddRequests(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	w := dial(t, addr)
	longest := fill(lineLimit - len("PUT  HTTP/1.1"))
	for _, tt := range []struct{ name, raw, want string }{
		{"the longest request line", save(longest, "a"), "200"},
		{"is a key like any other", request("GET", longest), "200"},
		{"and so is one of a byte less", request("GET", longest[1:]), "404"},
		{"the longest header", request("GET", longest, "X: "+fill(lineLimit-3)), "200"},
		{"as many headers as may be", request("GET", longest, manyHeaders(headerLimit)...), "200"},
		{"all of them long", request("GET", longest, strings.Split(strings.Repeat("X: "+fill(lineLimit-3)+"\n", headerLimit-1)+"Exclusive: nonsense", "\n")...), "400"},
		{"a NUL in a target is a character of the key", save("a\x00b", "1"), "200"},
		{"and ends nothing", request("GET", "a\x00c"), "404"},
		{"nor does it start one", request("GET", "a"), "404"},
		{"a NUL in a header that matters not", request("GET", longest, "X: a\x00b"), "200"},
		{"a NUL in a number", request("GET", longest, "Exclusive: release", "LockCookie: 2\x00"), "400"},
		{"bytes over 127", save("\xff\xfe", "1"), "200"},
		{"are themselves", request("GET", "\xff\xfd"), "404"},
		{"the last LockCookie counts", request("GET", longest, "Exclusive: release", "LockCookie: x", "LockCookie: 2"), "200"},
		{"a body like a request", save("trick", request("DELETE", longest)), "200"},
		{"is none", request("GET", longest), "200"},
	} {
		require.Equal(t, tt.want, status(w.ask(tt.raw)), tt.name)
	}
	require.Equal(t, request("DELETE", longest), content(w.ask(request("GET", "trick"))))
}

// A request may arrive in any two pieces.
func TestSplitRequests(t *testing.T) {
	q := runPipes(t, stateservice.Options{Now: newClock().Now})
	for n, raw := range append(examples, save("{K}", "", "ExtraFlags: x"), request("GET", "{K}", "Content-Length: 55")) {
		want := ""
		for i := range len(fillIn(raw, newID())) + 1 {
			id := newID()
			raw := fillIn(raw, id)
			w := wrap(t, q.pipe())
			if n != 4 { // SetUninitialized finds nothing, the others a locked item; all that look find it unlocked
				w.ask(fillIn(unlocked[0], id))
				w.ask(fillIn(acquire+end, id))
				if n < 2 {
					w.ask(fillIn(examples[2], id))
				}
			}
			go func() {
				w.nc.Write([]byte(raw[:i]))
				w.nc.Write([]byte(raw[i:]))
			}()
			got := w.reply()
			if want == "" {
				want = got
			}
			require.Equal(t, want, got, "%q, split at %d", raw, i)
			require.Equal(t, replyG, strings.TrimPrefix(w.ask(fillIn(head+end, newID())), "HTTP/1.1 "))
			w.nc.Close()
		}
	}
}

// A body that a GET has no use for is skipped, also where it comes by itself.
func TestBodiesOfGets(t *testing.T) {
	q := runPipes(t, stateservice.Options{})
	w := wrap(t, q.pipe())
	w.ask(save("k", "kept"))
	for _, verb := range []string{"GET", "HEAD", "DELETE"} {
		raw := request(verb, "j", "Content-Length: 5") + "abcde"
		for i := range len(raw) + 1 {
			w := wrap(t, q.pipe())
			go func() {
				w.nc.Write([]byte(raw[:i]))
				w.nc.Write([]byte(raw[i:]))
				w.nc.Write([]byte(request("GET", "k")))
			}()
			require.Equal(t, "404", status(w.reply()), "%q, split at %d", raw, i)
			require.Equal(t, "kept", content(w.reply()), "the next request after %q, split at %d", raw, i)
			w.nc.Close()
		}
	}
}

// A length without a body is what MS-ASP's examples show. Whatever comes next is
// the next request.
func TestLengthsWithoutBodies(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	w := dial(t, addr)
	w.ask(save("k", "kept"))
	announced := request("GET", "k", "Content-Length: 55")
	for _, next := range []string{request("GET", "k"), save("k", "kept"), request("HEAD", "k"), request("DELETE", "j")} {
		require.Equal(t, "kept", content(w.ask(announced)))
		want := status(w.ask(next))
		// In one packet as well.
		w.send(announced + next)
		require.Equal(t, "kept", content(w.reply()))
		require.Equal(t, want, status(w.reply()), "%q", next)
	}
}

// Requests in one packet are answered in order, bodies between them or not.
func TestPipelining(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	w := dial(t, addr)
	var all strings.Builder
	for i := range 200 {
		k := "k" + strconv.Itoa(i)
		all.WriteString(save(k, "body "+strconv.Itoa(i)) + request("GET", k) + request("GET", k, "Exclusive: acquire") +
			request("GET", k) + request("DELETE", k, "LockCookie: 2") + request("HEAD", k))
	}
	go w.send(all.String())
	for i := range 200 {
		require.Equal(t, "200", status(w.reply()))
		require.Equal(t, "body "+strconv.Itoa(i), content(w.reply()))
		require.Equal(t, "2", field(w.reply(), "LockCookie"))
		require.Equal(t, "423 2", status(w.reply()))
		require.Equal(t, "200", status(w.reply()))
		require.Equal(t, "404", status(w.reply()))
	}
	// What is before a broken one is answered, what is behind it is not.
	w.send(save("k", "a") + request("GET", "k") + "BREW k HTTP/1.1\r\n\r\n" + request("DELETE", "k"))
	require.Equal(t, "200", status(w.reply()))
	require.Equal(t, "a", content(w.reply()))
	require.Equal(t, refusal, w.reply())
	w.closed()
	require.Equal(t, "200", status(dial(t, addr).ask(request("GET", "k"))))
}

// Who has said all gets his replies.
func TestHalfClosed(t *testing.T) {
	_, addr := run(t, stateservice.Options{})
	w := dial(t, addr)
	w.send(save("k", fill(100_000)) + request("GET", "k"))
	require.NoError(t, w.nc.(*net.TCPConn).CloseWrite())
	require.Equal(t, "200", status(w.reply()))
	require.Equal(t, fill(100_000), content(w.reply()))
	w.closed()
	// In the middle of a request there is nothing to answer, and nothing is done.
	for _, raw := range []string{"GET k HT", "GET k HTTP/1.1\r\nHost: x\r\n", request("PUT", "k", "Content-Length: 10") + "nine byte"} {
		w := dial(t, addr)
		w.send(raw)
		require.NoError(t, w.nc.(*net.TCPConn).CloseWrite())
		w.closed()
	}
	require.Equal(t, fill(100_000), content(dial(t, addr).ask(request("GET", "k"))))
}

// A length is only a promise.
func TestPromisedBodiesTakeNoMemory(t *testing.T) {
	s, addr := run(t, stateservice.Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const peers, promise = 50, 32 << 20
	for i := range peers {
		w := dial(t, addr)
		w.send(request("PUT", "k"+strconv.Itoa(i), fmt.Sprintf("Content-Length: %d", promise)) + "x")
	}
	last := dial(t, addr)
	require.Equal(t, "404", status(last.ask(request("GET", "k"))))
	require.Equal(t, peers+1, s.Stats().Conns)
	runtime.ReadMemStats(&after)
	took := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d connections that promise %d MiB each took %d KiB each", peers, promise>>20, took>>10/peers)
	require.Less(t, took, uint64(peers*promise/16))
}

// A log must not tell who has a session: not even a line that is no request.
func TestBrokenRequestsLeaveNoKeysInTheLog(t *testing.T) {
	var j journal
	_, addr := run(t, stateservice.Options{Logger: j.logger()})
	const id = "2ne4zzc4yrcakgqbxgtomtfb"
	for i, raw := range []string{
		request("BREW", "/app/"+id),
		"GET /app/" + id + " HTTP/2.0\r\n\r\n",
		"GET /app/" + id + "\r\n\r\n",
		"/app/" + id + " HTTP/1.1\r\n\r\n",
		request("GET", "/app/"+id, "x", "y"),
		save("/app/"+id, "", "LockCookie: x", "Timeout: "+id),
		request("GET", "/app", "Cookie "+id),
		request("PUT", "/app", "Content-Length: "+id),
	} {
		require.Equal(t, "400", status(dial(t, addr).ask(raw)))
		require.NotContains(t, j.String(), id[:20], "after %q", raw)
		require.Equal(t, i+1, strings.Count(j.String(), "refused"), j.String())
	}
}

// A request has its time, not each byte of it.
func TestSlowClient(t *testing.T) {
	_, addr := run(t, stateservice.Options{RequestTimeout: 200 * time.Millisecond})
	other := dial(t, addr)
	for _, raw := range []string{"GET ", "GET k HTTP/1.1\r\nX: ", request("PUT", "k", "Content-Length: 60000")} {
		slow := dial(t, addr)
		slow.send(raw)
		sent := 0
		for ; sent < 50_000; sent++ {
			if _, err := slow.nc.Write([]byte("x")); err != nil {
				break // cut off
			}
			require.Equal(t, "404", status(other.ask(request("GET", "k"))))
			time.Sleep(10 * time.Millisecond)
		}
		require.Less(t, sent, 50_000)
	}
}

// A connection that asks for nothing ends without a word.
func TestIdleTimeout(t *testing.T) {
	_, addr := run(t, stateservice.Options{IdleTimeout: 50 * time.Millisecond})
	w := dial(t, addr)
	w.ask(request("GET", "k"))
	w.closed()
	dial(t, addr).closed()
}
