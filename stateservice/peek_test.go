package stateservice

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/msasp"
)

// Peek sees what is there and leaves no trace: no renewal, no lock, and what is
// uninitialized stays so. What it returns is its caller's.
func TestPeek(t *testing.T) {
	for _, shared := range []bool{false, true} { // see body.go
		now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		opt := Options{Now: func() time.Time { return now }, SweepInterval: -1, Logger: slog.New(slog.DiscardHandler)}
		if shared {
			opt.OnEnd = EndFunc(func(context.Context, End) error { return nil })
		}
		s := New(opt)
		for _, size := range []int{0, 1, joined, joined + 1} {
			content := strings.Repeat("a", size)
			key := fmt.Sprint("k", size)
			c := call{Request: &msasp.Request{Verb: msasp.PUT, Timeout: msasp.Int32(2), ExtraFlags: msasp.Int32(uninitialized)}, key: []byte(key), body: []byte(content)}
			s.engine.do(&c)
			require.Equal(t, msasp.StatusOK, c.rep.Status)
			end := now.Add(2 * time.Minute)
			for range 3 {
				now = now.Add(30 * time.Second)
				body, info, ok := s.Peek(key, size)
				require.True(t, ok)
				require.NotNil(t, body)
				require.Equal(t, content, string(body))
				require.Equal(t, Info{Key: key, Size: size, Expires: end, Uninitialized: true, LockCookie: 1}, info)
				for i := range body {
					body[i] = 'x' // it is a copy
				}
			}
			body, info, ok := s.Peek(key, size-1)
			require.True(t, ok)
			require.Nil(t, body, "more than was asked for is not copied")
			require.Equal(t, size, info.Size)
			now = end
			_, _, ok = s.Peek(key, size)
			require.False(t, ok, "expired, though it was looked at")
		}
		_, _, ok := s.Peek("none", 1)
		require.False(t, ok)
		require.NoError(t, s.Close())
	}
}

// A locked item is seen, and what has ended is not, though its grave is there.
func TestPeekAtLocks(t *testing.T) {
	s := New(Options{Logger: slog.New(slog.DiscardHandler)})
	defer s.Close()
	do := func(req msasp.Request) msasp.Reply {
		c := call{Request: &req, key: []byte("k"), body: []byte("abc"), buf: new([]byte)}
		s.engine.do(&c)
		return c.rep
	}
	do(msasp.Request{Verb: msasp.PUT})
	cookie := do(msasp.Request{Verb: msasp.GET, Exclusive: msasp.ExclusiveAcquire}).LockCookie
	body, info, ok := s.Peek("k", 10)
	require.True(t, ok)
	require.Equal(t, "abc", string(body))
	require.True(t, info.Locked)
	require.Equal(t, cookie.Value, info.LockCookie)
	require.Equal(t, msasp.StatusOK, do(msasp.Request{Verb: msasp.DELETE, LockCookie: cookie}).Status, "the holder holds it still")
	_, _, ok = s.Peek("k", 10)
	require.False(t, ok)
}

// Peeking while others write gives one content or the other, never half of each.
func TestPeekBesideWriters(t *testing.T) {
	for _, size := range []int{1000, joined + 1} {
		s := New(Options{Logger: slog.New(slog.DiscardHandler)})
		set := func(letter string) {
			s.engine.do(&call{Request: &msasp.Request{Verb: msasp.PUT}, key: []byte("k"), body: []byte(strings.Repeat(letter, size)), buf: new([]byte)})
		}
		set("a")
		var writers sync.WaitGroup
		for _, letter := range []string{"a", "b"} {
			writers.Go(func() {
				for range 500 {
					set(letter)
				}
			})
		}
		for range 500 {
			body, _, ok := s.Peek("k", size)
			require.True(t, ok)
			require.Equal(t, size, strings.Count(string(body), string(body[0])))
		}
		writers.Wait()
		require.NoError(t, s.Close())
	}
}
