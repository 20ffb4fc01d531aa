package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// A line-by-line reader of what the tool prints while it runs.
type printed struct {
	mu    sync.Mutex
	b     bytes.Buffer
	first chan string
	once  sync.Once
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.b.Write(b)
	if line, _, ok := strings.Cut(p.b.String(), "\n"); ok {
		p.once.Do(func() { p.first <- line })
	}
	return len(b), nil
}

func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	out := &printed{first: make(chan string, 1)}
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, nil, out, io.Discard) }()
	line := <-out.first
	_, quoted, ok := strings.Cut(line, `stateConnectionString="`)
	require.True(t, ok, line)
	addr, err := stateserver.ParseConnectionString(strings.TrimSuffix(quoted, `"`))
	require.NoError(t, err, "the line can be pasted into web.config")

	s, err := stateserver.New(stateserver.Options{Addr: addr, AppID: "/LM/W3SVC/1/ROOT", Strict: true})
	require.NoError(t, err)
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("n", 1))
	require.NoError(t, s.Save(t.Context(), strings.Repeat("a", 24), session.Lock{}, p))
	rec, err := s.Get(t.Context(), strings.Repeat("a", 24))
	require.NoError(t, err)
	require.Equal(t, []string{"n"}, rec.Payload.Items().Keys())

	// The port is taken: a second one says so, and how to go on.
	var stderr bytes.Buffer
	require.Equal(t, exitData, run(t.Context(), []string{"serve", "--listen", addr}, nil, io.Discard, &stderr))
	require.Contains(t, stderr.String(), addr)
	require.Contains(t, stderr.String(), "--listen")

	stop()
	select {
	case got := <-code:
		require.Equal(t, exitOK, got, "also with an idle client connected")
	case <-time.After(time.Minute):
		t.Fatal("it does not stop")
	}
	require.NoError(t, s.Close())
}

func TestServeUsage(t *testing.T) {
	for _, args := range [][]string{{"serve", "x"}, {"serve", "--port", "1"}, {"serve", "--max-items", "many"}} {
		r := runTool(nil, args...)
		require.Equal(t, exitUsage, r.code)
		require.Contains(t, r.stderr, "Usage: aspstate serve")
	}
	r := runTool(nil, "serve", "-h")
	require.Equal(t, exitOK, r.code)
	require.Contains(t, string(r.stdout), "127.0.0.1:42424")
	require.Equal(t, exitData, runTool(nil, "serve", "--listen", "256.0.0.1:x").code)
}
