package sqlservertest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Many clients on few sessions: an exclusive get has one winner, and every save
// of a winner counts.
func TestConcurrentClients(t *testing.T) {
	const workers, calls, sessions = 8, 200, 4
	srv, db := start(t, Options{})
	db.SetMaxOpenConns(workers)
	for i := range sessions {
		insertShort(t, db, fmt.Sprint(i), []byte{0, 0})
	}
	var owners [sessions]atomic.Int32
	var saves [sessions]atomic.Int32
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range calls {
				i := (w + n) % sessions
				got := get(t, db, "dbo.TempGetStateItemExclusive3", fmt.Sprint(i))
				if got.Locked.Bool {
					continue
				}
				if owners[i].Add(1) != 1 {
					t.Errorf("two owners of %d", i)
				}
				count := saves[i].Add(1)
				if prev := int32(got.Short[0]) | int32(got.Short[1])<<8; prev != count-1 {
					t.Errorf("session %d: %d saves, content says %d", i, count-1, prev)
				}
				owners[i].Add(-1)
				affected(t, db, "dbo.TempUpdateStateItemShortNullLong", sql.Named("id", fmt.Sprint(i)), sql.Named("itemShort", []byte{byte(count), byte(count >> 8)}), sql.Named("timeout", int32(20)), sql.Named("lockCookie", got.Cookie.Int32))
			}
		})
	}
	wg.Wait()
	for i := range sessions {
		row, _ := srv.Get(fmt.Sprint(i))
		require.Equal(t, saves[i].Load()+1, row.LockCookie)
		require.Positive(t, saves[i].Load())
	}
}

// Cancels at any moment: before the request, during it, with the reply on its
// way. The next call on the connection gets its own reply, not a stale one.
func TestConcurrentCancels(t *testing.T) {
	_, db := start(t, Options{})
	db.SetMaxOpenConns(4)
	var wg sync.WaitGroup
	for w := range 4 {
		id := fmt.Sprint("session ", w)
		insertShort(t, db, id, []byte(id))
		wg.Go(func() {
			for i := range 150 {
				ctx, cancel := context.WithCancel(context.Background())
				timer := time.AfterFunc(time.Duration(i)*5*time.Microsecond, cancel)
				var age, cookie, flags sql.NullInt32
				var locked sql.NullBool
				var short []byte
				rows, err := db.QueryContext(ctx, "dbo.TempGetStateItem3", sql.Named("id", "none"), sql.Named("itemShort", sql.Out{Dest: &short}), sql.Named("locked", sql.Out{Dest: &locked}),
					sql.Named("lockAge", sql.Out{Dest: &age}), sql.Named("lockCookie", sql.Out{Dest: &cookie}), sql.Named("actionFlags", sql.Out{Dest: &flags}))
				if err == nil {
					rows.Close()
				}
				timer.Stop()
				cancel()
				if got := get(t, db, "dbo.TempGetStateItem3", id); string(got.Short) != id {
					t.Errorf("%q got %q", id, got.Short)
				}
			}
		})
	}
	wg.Wait()
}

// The knobs may be turned while clients are at it.
func TestConcurrentKnobs(t *testing.T) {
	srv, db := start(t, Options{})
	insertShort(t, db, "x", nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				db.ExecContext(in10s(t), "dbo.TempResetTimeout", sql.Named("id", "x"))
			}
		})
	}
	for i := range 50 {
		srv.FailNext(1205, 1, "TempResetTimeout")
		srv.DropNext("", DropPoint(i%3))
		srv.Advance(1)
		srv.Script("nothing")
		srv.Handle("nothing", "nothing at all", nothing)
		srv.Deny("TempResetTimeout")
		srv.Restore("TempResetTimeout")
		srv.Calls()
		srv.Rows()
		if i%10 == 0 {
			srv.Restart()
		}
	}
	wg.Wait()
}

func TestCloseLeavesNothing(t *testing.T) {
	noLeak(t)
	srv, err := Start(Options{})
	require.NoError(t, err)
	db, err := sql.Open("sqlserver", srv.DSN())
	require.NoError(t, err)
	defer db.Close()
	insertShort(t, db, "x", blob(100))
	silent, err := net.Dial("tcp", srv.Addr()) // says nothing
	require.NoError(t, err)
	defer silent.Close()
	tx, err := db.BeginTx(in10s(t), nil)
	require.NoError(t, err)
	arrived, _ := srv.Pause("TempResetTimeout")
	done := make(chan error, 1)
	go func() {
		_, err := tx.ExecContext(in10s(t), "dbo.TempResetTimeout", sql.Named("id", "x"))
		done <- err
	}()
	<-arrived
	srv.Close()
	require.Error(t, <-done)
	tx.Rollback()
	srv.Close() // again
	_, err = net.Dial("tcp", srv.Addr())
	require.Error(t, err)
}
