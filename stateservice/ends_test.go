package stateservice_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// between lets the journal be read between an Append of an end and what follows it.
type between struct {
	*memory
	arm  atomic.Bool
	read chan struct{}
	once sync.Once
}

func (b *between) Append(c stateservice.Change) error {
	err := b.memory.Append(c)
	if c.Key == "second" && c.End > 0 {
		b.arm.Store(true)
		<-b.read
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func (b *between) Ends(yield func(stateservice.End) bool) error {
	err := b.memory.Ends(yield)
	if b.arm.Load() {
		b.once.Do(func() { close(b.read) })
	}
	return err
}

// Without a crash or a failure an end is told once.
func TestEndToldTwice(t *testing.T) {
	b := &between{memory: newMemory(), read: make(chan struct{})}
	var mu sync.Mutex
	told, failed := map[string]int{}, false
	hook := stateservice.EndFunc(func(_ context.Context, e stateservice.End) error {
		mu.Lock()
		defer mu.Unlock()
		if e.Key == "first" && !failed {
			failed = true
			return errors.New("not now")
		}
		told[e.Key]++
		return nil
	})
	s, err := stateservice.Open(stateservice.Options{Journal: b, OnEnd: hook, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	w := dial(t, ln.Addr().String())
	w.ask(save("first", "x"))
	w.ask(save("second", "x"))
	w.ask(request("DELETE", "first"))
	w.ask(request("DELETE", "second"))
	time.Sleep(500 * time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, map[string]int{"first": 1, "second": 1}, told)
}
