package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

// child is set in the second process of BenchmarkHandOver: the server, then
// "polling" or "wake-up".
const child = "REDISTEST_HANDOVER"

func TestMain(m *testing.M) {
	if args := os.Getenv(child); args != "" {
		addr, mode, _ := strings.Cut(args, " ")
		if err := other(addr, mode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// other takes and holds the lock again and again until the session is gone.
func other(addr, mode string) error {
	ctx := context.Background()
	opt := redis.Options{App: app, NoWakeup: mode == "polling", Logger: quiet}
	opt.Redis.Addrs = []string{addr}
	s, err := redis.Open(ctx, opt)
	if err != nil {
		return err
	}
	for err == nil {
		_, err = turn(ctx, s)
	}
	if errors.Is(err, session.ErrNotFound) {
		err = nil
	}
	return errors.Join(err, s.Close())
}

// turn waits for the lock, as a handler would; it returns how long after its
// release the lock was ours. Then it holds it for a while, and releases it with a
// save that says when.
func turn(ctx context.Context, s *redis.Store) (time.Duration, error) {
	waited := false
	for {
		rec, err := s.Acquire(ctx, anID, time.Minute)
		if locked, ok := errors.AsType[*session.LockedError](err); ok {
			waited = true
			if err := s.Wait(ctx, anID, locked.Holder, 500*time.Millisecond); err != nil {
				return 0, err
			}
			continue
		}
		if err != nil {
			return 0, err
		}
		now := time.Now().UnixNano()
		at, err := payload.Value[int64](rec.Payload.Items(), "released")
		if err != nil {
			return 0, err
		}
		time.Sleep(5*time.Millisecond + rand.N(50*time.Millisecond))
		if err := rec.Payload.Items().Set("released", time.Now().UnixNano()); err != nil {
			return 0, err
		}
		if err := s.Save(ctx, anID, rec.Lock, rec.Payload); err != nil {
			return 0, err
		}
		// The other's turn: until it has the lock, this process stands back.
		for err = nil; err == nil; _, err = s.Get(ctx, anID) {
			time.Sleep(time.Millisecond)
		}
		if !errors.Is(err, session.ErrLocked) {
			return 0, err
		}
		if waited && at > 0 {
			return time.Duration(now - at), nil
		}
	}
}

// BenchmarkHandOver measures how long after one process released a lock another
// that waits has it.
func BenchmarkHandOver(b *testing.B) {
	addr := redistest.Server(b)
	for _, mode := range []string{"wake-up", "polling"} {
		b.Run(mode, func(b *testing.B) {
			ctx := context.Background()
			s := open(b, addr, redis.Options{NoWakeup: mode == "polling"})
			stored(b, s, anID, "released", int64(0))
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), child+"="+addr+" "+mode)
			cmd.Stderr = os.Stderr
			require.NoError(b, cmd.Start())
			var took []time.Duration
			for b.Loop() {
				d, err := turn(ctx, s)
				require.NoError(b, err)
				took = append(took, d)
			}
			for {
				err := s.Remove(ctx, anID, session.Lock{})
				if err == nil {
					break
				}
				require.ErrorIs(b, err, session.ErrLocked)
				time.Sleep(time.Millisecond)
			}
			require.NoError(b, cmd.Wait())
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
			b.ReportMetric(0, "ns/op") // the time held is in it
		})
	}
}

// BenchmarkRequest is what a request costs the store: read, or lock and save.
func BenchmarkRequest(b *testing.B) {
	addr := redistest.Server(b)
	ctx := context.Background()
	for _, layout := range []redis.Layout{redis.LayoutC, redis.LayoutB} {
		s := open(b, addr, redis.Options{Layout: layout})
		b.Run(layout.String()+"/read", func(b *testing.B) {
			id := fmt.Sprint(anID, layout, rand.Int())
			stored(b, s, id, "name", "Bob", "n", 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Get(ctx, id); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(layout.String()+"/write", func(b *testing.B) {
			id := fmt.Sprint(anID, layout, rand.Int())
			stored(b, s, id, "name", "Bob", "n", 1)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				rec, err := s.Acquire(ctx, id, time.Minute)
				if err == nil {
					err = rec.Payload.Items().Set("n", n)
				}
				if err == nil {
					err = s.Save(ctx, id, rec.Lock, rec.Payload)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
