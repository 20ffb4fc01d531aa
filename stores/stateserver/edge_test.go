package stateserver_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stores/stateserver"
)

// slowDeadline delays a deadline in the past, as a busy scheduler would.
type slowDeadline struct {
	net.Conn
	hit, goOn, done chan struct{}
}

func (c slowDeadline) SetDeadline(d time.Time) error {
	if d.Before(time.Unix(2, 0)) {
		close(c.hit)
		<-c.goOn
		defer close(c.done)
	}
	return c.Conn.SetDeadline(d)
}

func (c slowDeadline) Read(b []byte) (int, error) { return c.Conn.Read(b) }

// The context ends just as the reply is read: the AfterFunc fires when the
// connection serves another call.
func TestLateCancelHitsAnother(t *testing.T) {
	addr := serve(t, stateservice.Options{})
	hit, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var cancel context.CancelFunc
	var ctx context.Context
	ctx, cancel = context.WithCancel(t.Context())
	first := true
	s := open(t, stateserver.Options{Addr: addr, Dial: func(c context.Context, n, a string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(c, n, a)
		if err != nil || !first {
			return nc, err
		}
		first = false
		return cancelOnRead{slowDeadline{nc, hit, goOn, done}, cancel, hit}, nil
	}})
	_ = s.Touch(ctx, anID) // 404, or cancelled: the reply and the end came together
	go func() { time.Sleep(20 * time.Millisecond); close(goOn) }()
	// Another visitor's call, whose context is fine. It must not fail.
	slow := time.After(200 * time.Millisecond)
	for i := 0; ; i++ {
		err := s.Create(context.Background(), fmt.Sprintf("%024d", i), time.Hour)
		require.NoError(t, err)
		err = s.Save(context.Background(), fmt.Sprintf("new%021d", i), session.Lock{}, payload.New(20, payload.Limits{}))
		require.NoError(t, err)
		select {
		case <-slow:
			return
		default:
		}
	}
}

// cancelOnRead cancels the context when the reply has been read.
type cancelOnRead struct {
	slowDeadline
	cancel context.CancelFunc
	hit    chan struct{}
}

func (c cancelOnRead) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	select {
	case <-c.hit:
	default:
		c.cancel()
		<-c.hit
	}
	return n, err
}

// A server that answers twice: the second answer must not be another visitor's.
func TestLeftoverBytes(t *testing.T) {
	frame := func(v string) []byte {
		p := payload.New(20, payload.Limits{})
		_ = p.Items().Set("who", v)
		b, _ := p.Append(nil)
		return b
	}
	a := frame("A")
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nTimeout: 20\r\nContent-Length: %d\r\n\r\n%s", len(a), a)
	var n atomic.Int64
	addr := script(t, func(nc net.Conn, request string, _ int) bool {
		if n.Add(1) == 1 {
			_, _ = nc.Write([]byte(answer + answer)) // for visitor A, once too often
			return true
		}
		_, _ = nc.Write([]byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
		return true
	})
	s := open(t, stateserver.Options{Addr: addr})
	_, err := s.Get(t.Context(), anID)
	require.NoError(t, err)
	rec, err := s.Get(t.Context(), "bbbbbbbbbbbbbbbbbbbbbbbb")
	if err == nil {
		who, _, _ := rec.Payload.Items().Get("who")
		t.Fatalf("visitor B got the session of visitor %v", who)
	}
	require.ErrorIs(t, err, session.ErrNotFound)
}

// A session longer than the reader's limit: no lock may stay.
func TestOversizedAcquireLeavesNoLock(t *testing.T) {
	addr := serve(t, stateservice.Options{MaxBody: 64 << 20})
	s := open(t, stateserver.Options{Addr: addr, Limits: payload.Limits{Bytes: 64 << 20}})
	p := payload.New(20, payload.Limits{Bytes: 64 << 20})
	require.NoError(t, p.Items().Set("big", string(bytes.Repeat([]byte("x"), 33<<20))))
	require.NoError(t, s.Save(t.Context(), anID, session.Lock{}, p))
	small := open(t, stateserver.Options{Addr: addr})
	for range 2 {
		_, err := small.Acquire(t.Context(), anID, time.Minute)
		require.Error(t, err)
		require.NotErrorIs(t, err, session.ErrLocked, "the first left its lock")
	}
	_, err := s.Acquire(t.Context(), anID, time.Minute) // what was saved can be had
	require.NoError(t, err)
}

// A server that refuses a body unread: its answer counts, not the broken pipe.
func TestRefusedEarly(t *testing.T) {
	addr := serve(t, stateservice.Options{MaxBody: 1 << 20})
	s := open(t, stateserver.Options{Addr: addr})
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("big", string(bytes.Repeat([]byte("x"), 30<<20))))
	require.ErrorIs(t, s.Save(t.Context(), anID, session.Lock{}, p), stateserver.ErrRefused)
}

// A late Abandon must not remove what another made meanwhile.
func TestStaleRemove(t *testing.T) {
	addr := serve(t, stateservice.Options{LaxSaves: true})
	s := open(t, stateserver.Options{Addr: addr, Plain: true})
	ctx := t.Context()
	require.NoError(t, s.Create(ctx, anID, time.Hour))
	old, err := s.Acquire(ctx, anID, time.Millisecond)
	require.NoError(t, err)
	time.Sleep(5 * time.Millisecond)
	other := open(t, stateserver.Options{Addr: addr, Plain: true})
	require.NoError(t, other.Release(ctx, anID, old.Lock)) // a waiter breaks it
	rec, err := other.Acquire(ctx, anID, time.Minute)
	require.NoError(t, err)
	require.NoError(t, rec.Payload.Items().Set("n", 1))
	require.NoError(t, other.Save(ctx, anID, rec.Lock, rec.Payload))
	require.ErrorIs(t, s.Remove(ctx, anID, old.Lock), session.ErrLockLost)
	_, err = s.Get(ctx, anID)
	require.NoError(t, err, "the newer session is gone")
}

// notOurs hides our header from the server.
type notOurs struct{ net.Conn }

func (c notOurs) Write(b []byte) (int, error) {
	return c.Conn.Write(bytes.Replace(b, []byte("Aspsession"), []byte("Xspsession"), 1))
}

func TestStrictLeavesNoLock(t *testing.T) {
	addr := serve(t, stateservice.Options{})
	s := open(t, stateserver.Options{Addr: addr, Strict: true, Dial: func(c context.Context, n, a string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(c, n, a)
		return notOurs{nc}, err
	}})
	lax := open(t, stateserver.Options{Addr: addr})
	require.NoError(t, lax.Create(t.Context(), anID, time.Hour))
	_, err := s.Acquire(t.Context(), anID, time.Minute)
	require.ErrorIs(t, err, stateserver.ErrNotOurs)
	_, err = lax.Get(t.Context(), anID)
	require.NoError(t, err, "the refused Acquire left its lock")
}
