package main

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
)

// lines hands over what is written, line by line.
type lines struct {
	mu   sync.Mutex
	rest string
	c    chan string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest += string(b)
	for {
		line, rest, ok := strings.Cut(l.rest, "\n")
		if !ok {
			return len(b), nil
		}
		l.rest = rest
		l.c <- line
	}
}

// Watch tells of a lock, of what the holder stored, and of the end.
func TestWatch(t *testing.T) {
	ctx := t.Context()
	s := startService(t)
	store := s.store(t, testApp)
	id := testID(1)
	require.NoError(t, store.Save(ctx, id, session.Lock{}, testPayload(t, 1)))
	out := &lines{c: make(chan string, 100)}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"watch", "--every", "100ms", "--store", s.url, id}, nil, out, io.Discard)
	}()
	until := func(want string) {
		t.Helper()
		for {
			select {
			case line := <-out.c:
				require.NotContains(t, line, "visitor", "no value")
				if strings.Contains(line, want) {
					return
				}
			case <-time.After(time.Minute):
				t.Fatalf("no %q", want)
			}
		}
	}
	until("  set visits: System.Int32, 5 bytes")
	rec, err := store.Acquire(ctx, id, time.Minute)
	require.NoError(t, err)
	until("  locked, for 0s")
	require.NoError(t, rec.Payload.Items().Set("visits", 99))
	rec.Payload.Items().Remove("user")
	require.NoError(t, store.Save(ctx, id, rec.Lock, rec.Payload))
	until("  unlocked")
	until("  removed user")
	until("  set visits: System.Int32, 5 bytes")
	require.NoError(t, store.Remove(ctx, id, session.Lock{}))
	until("  gone, it expired or was removed")
	require.Equal(t, exitOK, <-code)
}

// SIGINT ends it well.
func TestWatchStops(t *testing.T) {
	s := startService(t)
	id := testID(1)
	require.NoError(t, s.store(t, testApp).Save(t.Context(), id, session.Lock{}, testPayload(t, 1)))
	ctx, stop := context.WithCancel(t.Context())
	out := &lines{c: make(chan string, 100)}
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"watch", "--store", s.url, id}, nil, out, io.Discard) }()
	<-out.c
	stop()
	require.Equal(t, exitOK, <-code)
}
