package interop_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/session"
)

// A page holds the lock: Go handlers that want the session, to write or to read,
// run after it and see what it wrote.
func TestGoWaitsForAPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var ran atomic.Int64 // when the first of them ran, Unix nanoseconds
		mark := func(page goPage) goPage {
			return func(ctx context.Context, s *session.Session) (string, error) {
				ran.CompareAndSwap(0, time.Now().UnixNano())
				return page(ctx, s)
			}
		}
		write := w.page(t, session.ReadWrite, mark(increment))
		read := w.page(t, session.ReadOnly, mark(func(_ context.Context, s *session.Session) (string, error) {
			n, err := session.Value[int](s, "n")
			return fmt.Sprint(n), err
		}))
		v, g := newVisitor(t), newGate(t)
		require.Equal(t, "1", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))

		held := v.begin(w.a.URL("hold.aspx" + g.until()))
		g.wait(t)
		require.True(t, w.locked(v))
		writer := w.tap.next(call{v.id(), true, true})
		reader := w.tap.next(call{v.id(), true, false})
		written, readBy := v.begin(write), v.begin(read)
		writer(t)
		reader(t)
		require.Zero(t, ran.Load(), "a Go handler ran while the page held the lock")
		g.open()

		page := held()
		require.Equal(t, "2", word(t, page, "n"))
		require.Equal(t, "3", written())
		require.Contains(t, []string{"2", "3"}, readBy(), "the writer came first, or the reader")
		first := time.Unix(0, ran.Load())
		require.False(t, first.Before(stamp(t, page, "end", first)), "a Go handler ran before the page's end: %s", page)
		require.Equal(t, "4", word(t, v.get(w.b.URL("slow.aspx?ms=0")), "n"))
		require.False(t, w.locked(v))
	})
}

// A Go handler holds the lock: pages that want the session, to write or to
// read, run after it and see what it wrote.
func TestPagesWaitForGo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v, g := newVisitor(t), newGate(t)
		var end atomic.Int64
		hold := w.page(t, session.ReadWrite, func(ctx context.Context, s *session.Session) (string, error) {
			g.pass(ctx)
			defer func() { end.Store(time.Now().UnixNano()) }()
			return increment(ctx, s)
		})
		require.Equal(t, "1", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))

		held := v.begin(hold)
		g.wait(t)
		require.True(t, w.locked(v))
		writer := w.tap.next(call{v.id(), false, true})
		reader := w.tap.next(call{v.id(), false, false})
		written, read := v.begin(w.a.URL("slow.aspx?ms=0")), v.begin(w.b.URL("rostamp.aspx"))
		writer(t)
		reader(t)
		g.open()

		require.Equal(t, "2", held())
		writtenPage, readPage := written(), read()
		require.Equal(t, "3", word(t, writtenPage, "n"))
		require.Contains(t, []string{"2", "3"}, word(t, readPage, "n"))
		// Pages cut their stamps to the millisecond.
		done := time.Unix(0, end.Load()).Truncate(time.Millisecond)
		for _, page := range []string{writtenPage, readPage} {
			require.False(t, stamp(t, page, "start", done).Before(done), "it started before the Go handler's end: %s", page)
		}
		require.False(t, w.locked(v))
	})
}

// A read-only page at work does not block a Go writer, and when it ends it does
// not release the lock of the next one.
func TestReadOnlyPageBesideAGoWriter(t *testing.T) {
	w := enter(t, plain)
	v, reading, writing := newVisitor(t), newGate(t), newGate(t)
	write := w.page(t, session.ReadWrite, increment)
	hold := w.page(t, session.ReadWrite, func(ctx context.Context, s *session.Session) (string, error) {
		writing.pass(ctx)
		return increment(ctx, s)
	})
	require.Equal(t, "1", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))

	page := v.begin(w.a.URL("holdro.aspx" + reading.until()))
	reading.wait(t)
	require.Equal(t, "2", v.get(write))
	held := v.begin(hold)
	writing.wait(t)
	reading.open()
	require.Equal(t, "1", word(t, page(), "n"), "what it read before Go wrote")
	require.True(t, w.locked(v), "Mono's page released with lock cookie 0")
	writing.open()
	require.Equal(t, "3", held())
}
