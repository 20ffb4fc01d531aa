package stateservice_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// Parking, by what the peers see. A long ParkTimeout means that whoever is
// answered was answered by an event.

const forever = time.Minute

// waiting waits until so many requests are parked.
func waiting(t testing.TB, s *stateservice.Server, n int64) {
	t.Helper()
	for end := time.Now().Add(patience); s.Metrics().ParkedNow != n; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("%d requests are parked, not %d", s.Metrics().ParkedNow, n)
		}
	}
}

// park sends requests, each on a connection of its own and parked before the
// next is sent.
func park(t testing.TB, s *stateservice.Server, addr string, raw ...string) (all []*wire) {
	t.Helper()
	for i, r := range raw {
		w := dial(t, addr)
		w.send(r)
		waiting(t, s, int64(i+1))
		all = append(all, w)
	}
	return all
}

func TestFirstComeFirstServed(t *testing.T) {
	s, addr := run(t, stateservice.Options{ParkTimeout: forever})
	w := dial(t, addr)
	require.Equal(t, "200", status(w.ask(set("a"))))
	require.Equal(t, "2", field(w.ask(take()), "LockCookie"))
	const n = 5
	all := park(t, s, addr, take(), take(self), take(), take(), take())
	holder := w
	for i, next := range all {
		if i%2 == 0 { // by a Set, or by a release
			holder.send(save(key, strconv.Itoa(i), lockCookie(i+2)))
		} else {
			holder.send(free(i + 2))
		}
		rep := next.reply()
		require.Equal(t, "200", status(rep))
		require.Equal(t, strconv.Itoa(i+3), field(rep, "LockCookie"))
		require.Equal(t, strconv.Itoa(i/2*2), content(rep), "what the last Set stored")
		require.Equal(t, "200", status(holder.reply()))
		waiting(t, s, int64(n-1-i))
		holder = next
	}
	require.Equal(t, "200", status(holder.ask(free(n+2))))
	require.Equal(t, "200", status(w.ask(read())), "and nobody holds it")
	m := s.Metrics()
	require.EqualValues(t, n, m.Parked)
	require.EqualValues(t, n+1, m.Ops["acquire"][200])
	require.EqualValues(t, n+1, m.Hold.Count())
	require.EqualValues(t, n+1, m.Wait.Count())
}

// Readers wait for the present holder, never for writers behind him, and see
// what he stored.
func TestReadersAreAnsweredTogether(t *testing.T) {
	s, addr := run(t, stateservice.Options{ParkTimeout: forever})
	w := dial(t, addr)
	w.ask(set("old"))
	w.ask(take())
	all := park(t, s, addr, take(), read(), take(), request("GET", key, self), read())
	require.Equal(t, "200", status(w.ask(save(key, "new", lockCookie(2)))))
	for _, i := range []int{1, 3, 4} {
		rep := all[i].reply()
		require.Equal(t, "200", status(rep))
		require.Equal(t, "new", content(rep))
		require.Empty(t, field(rep, "LockCookie"))
	}
	require.Equal(t, "3", field(all[0].reply(), "LockCookie"))
	waiting(t, s, 1)
	// One that comes now waits for the present holder.
	late := dial(t, addr)
	late.send(read())
	waiting(t, s, 2)
	require.Equal(t, "200", status(all[0].ask(free(3))))
	require.Equal(t, "200", status(late.reply()))
	require.Equal(t, "4", field(all[2].reply(), "LockCookie"))
}

// The answers to those who wait when the item ends, and to those who wait too long.
func TestWaitersAreTold(t *testing.T) {
	t.Run("removed", func(t *testing.T) {
		s, addr := run(t, stateservice.Options{ParkTimeout: forever})
		w := dial(t, addr)
		w.ask(set("a"))
		w.ask(take())
		all := park(t, s, addr, take(), read(), take())
		require.Equal(t, "200", status(w.ask(drop(lockCookie(2)))))
		for _, a := range all {
			require.Equal(t, "404", status(a.reply()))
		}
	})
	t.Run("expired", func(t *testing.T) {
		c := newClock()
		s, addr := run(t, stateservice.Options{ParkTimeout: forever, Now: c.Now, SweepInterval: -1})
		w := dial(t, addr)
		w.ask(set("a"))
		w.ask(take())
		all := park(t, s, addr, take(), read())
		c.Advance(20 * time.Minute)
		require.Equal(t, 1, s.Sweep())
		for _, a := range all {
			require.Equal(t, "404", status(a.reply()))
		}
	})
	t.Run("too late", func(t *testing.T) {
		_, addr := run(t, stateservice.Options{ParkTimeout: 20 * time.Millisecond})
		w, other := dial(t, addr), dial(t, addr)
		w.ask(set("a"))
		w.ask(take())
		for _, raw := range []string{take(), read()} {
			before := time.Now()
			rep := other.ask(raw)
			require.Equal(t, "423 2", status(rep))
			require.GreaterOrEqual(t, time.Since(before), 20*time.Millisecond)
			require.Equal(t, "0", field(rep, "LockAge"))
			require.Empty(t, field(rep, "ActionFlags"))
		}
		require.Equal(t, "2", field(other.ask(take(self)), "ActionFlags"), "a Go client is told that he waited")
	})
	t.Run("its own holder's", func(t *testing.T) {
		_, addr := run(t, stateservice.Options{ParkTimeout: time.Millisecond})
		w := dial(t, addr)
		w.ask(set("a"))
		w.ask(take())
		require.Equal(t, "423 2", status(w.ask(take())))
		require.Equal(t, "200", status(w.ask(free(2))))
		require.Equal(t, "3", field(w.ask(take()), "LockCookie"), "the place is his own")
	})
	t.Run("the lock is broken", func(t *testing.T) {
		s, addr := run(t, stateservice.Options{ParkTimeout: forever})
		w := dial(t, addr)
		w.ask(set("a"))
		w.ask(take())
		all := park(t, s, addr, take())
		require.Equal(t, "200", status(dial(t, addr).ask(free(2))))
		require.Equal(t, "3", field(all[0].reply(), "LockCookie"))
		require.Equal(t, "423 3", status(w.ask(save(key, "late", lockCookie(2)))))
	})
	t.Run("a Set that is refused", func(t *testing.T) {
		s, addr := run(t, stateservice.Options{ParkTimeout: forever, MaxBody: 10})
		w := dial(t, addr)
		w.ask(set("a"))
		w.ask(take())
		all := park(t, s, addr, take())
		require.Equal(t, "400", status(w.ask(save(key, fill(11), lockCookie(2)))))
		require.Equal(t, "a", content(all[0].reply()))
	})
}

// Who goes while he waits gets no lock, and holds up nobody.
func TestParkedPeerGoes(t *testing.T) {
	s, addr := run(t, stateservice.Options{ParkTimeout: forever})
	w := dial(t, addr)
	w.ask(set("a"))
	w.ask(take())
	all := park(t, s, addr, take(), read(), take())
	all[0].nc.Close()
	waiting(t, s, 2)
	all[1].nc.Close()
	waiting(t, s, 1)
	require.Equal(t, "200", status(w.ask(free(2))))
	require.Equal(t, "3", field(all[2].reply(), "LockCookie"))
	require.EqualValues(t, 2, s.Metrics().ParkGone)
}

// A reply that cannot be sent leaves no lock behind.
func TestGrantThatCannotBeWritten(t *testing.T) {
	opt := stateservice.Options{ParkTimeout: forever, RequestTimeout: 50 * time.Millisecond}
	q := runPipes(t, opt)
	big := fill(100)
	w := wrap(t, q.pipe())
	w.ask(save(key, big))
	require.Equal(t, "200", status(w.ask(take())))
	deaf := wrap(t, q.pipe()) // asks, and never reads
	deaf.send(take())
	next := wrap(t, q.pipe())
	require.Equal(t, "200", status(w.ask(free(2))))
	rep := next.ask(take())
	require.Equal(t, "200", status(rep), "the lock was taken back")
	require.Equal(t, big, content(rep))
}

// What comes while a request is parked is kept, and ends the parking.
func TestParkedPeerSendsMore(t *testing.T) {
	s, addr := run(t, stateservice.Options{ParkTimeout: forever})
	w := dial(t, addr)
	w.ask(set("a"))
	w.ask(take())
	other := dial(t, addr)
	other.send(take())
	waiting(t, s, 1)
	other.send(touch() + free(2) + take())
	require.Equal(t, "423 2", status(other.reply()))
	require.Equal(t, "200", status(other.reply()))
	require.Equal(t, "200", status(other.reply()))
	require.Equal(t, "3", field(other.reply(), "LockCookie"))
	// All in one packet: none but the last waits.
	other.send(take() + read() + take())
	require.Equal(t, "423 3", status(other.reply()))
	require.Equal(t, "423 3", status(other.reply()))
	waiting(t, s, 1)
	require.Equal(t, "200", status(w.ask(free(3))))
	require.Equal(t, "4", field(other.reply(), "LockCookie"))
}

func TestParkingLimits(t *testing.T) {
	for name, opt := range map[string]stateservice.Options{
		"per session": {ParkTimeout: forever, ParkPerSession: 2},
		"in all":      {ParkTimeout: forever, ParkMax: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, addr := run(t, opt)
			w := dial(t, addr)
			w.ask(set("a"))
			w.ask(take())
			all := park(t, s, addr, take(), read())
			require.Equal(t, "423 2", status(w.ask(take(self))), "at once")
			rep := w.ask(read())
			require.Equal(t, "423 2", status(rep))
			require.Empty(t, field(rep, "ActionFlags"))
			require.EqualValues(t, 2, s.Metrics().ParkRefused)
			// Another session has the room, or has not.
			w.ask(save("other", "b"))
			w.ask(request("GET", "other", "Exclusive: acquire"))
			other := dial(t, addr)
			other.send(request("GET", "other"))
			if opt.ParkMax > 0 {
				require.Equal(t, "423 2", status(other.reply()))
			} else {
				waiting(t, s, 3)
			}
			require.Equal(t, "200", status(w.ask(free(2))))
			require.Equal(t, "200", status(all[0].reply()))
			require.Equal(t, "200", status(all[1].reply()))
		})
	}
}

// Shutdown does not wait for locks: it answers who waits.
func TestShutdownAnswersTheParked(t *testing.T) {
	s, addr := run(t, stateservice.Options{ParkTimeout: forever})
	w := dial(t, addr)
	w.ask(set("a"))
	w.ask(take())
	all := park(t, s, addr, take(), read(), take(self))
	require.NoError(t, s.Shutdown(t.Context()))
	for _, a := range all {
		require.Equal(t, "423 2", status(a.reply()))
		a.closed()
	}
	require.Zero(t, s.Metrics().ParkedNow)
}

// poll parks until it is refused, which keeps its place.
func poll(t *testing.T, w *wire, raw string, cookie string) {
	t.Helper()
	require.Equal(t, "423 "+cookie, status(w.ask(raw)))
}

// A waiter that was refused and comes back is not behind those who came after
// it, and is overtaken once at most.
func TestKeptPlace(t *testing.T) {
	s, addr := run(t, stateservice.Options{ParkTimeout: 500 * time.Millisecond})
	w := dial(t, addr)
	w.ask(set("a"))
	w.ask(take())
	page, eager := dial(t, addr), dial(t, addr)
	poll(t, page, take(), "2") // and goes away
	eager.send(take(self))
	waiting(t, s, 1)
	// The lock is not idle: the eager one has it, once.
	require.Equal(t, "200", status(w.ask(free(2))))
	require.Equal(t, "3", field(eager.reply(), "LockCookie"))
	require.Equal(t, "200", status(eager.ask(free(3, self))))
	// Now it is kept for the page, though nobody has it and the eager one asks.
	require.Equal(t, "200", status(w.ask(read())), "a reader need not wait")
	eager.send(take(self))
	waiting(t, s, 1)
	require.Equal(t, "4", field(page.ask(take()), "LockCookie"))
	// And then it is the eager one's turn.
	require.Equal(t, "200", status(page.ask(free(4))))
	require.Equal(t, "5", field(eager.reply(), "LockCookie"))
	require.Zero(t, s.Metrics().ParkedNow)
}

// Who does not come back keeps nobody from the lock for long.
func TestKeptPlaceLapses(t *testing.T) {
	_, addr := run(t, stateservice.Options{ParkTimeout: 200 * time.Millisecond})
	w := dial(t, addr)
	w.ask(set("a"))
	w.ask(take())
	poll(t, dial(t, addr), take(), "2") // for the last time
	require.Equal(t, "200", status(w.ask(free(2))))
	eager := dial(t, addr)
	require.Equal(t, "3", field(eager.ask(take(self)), "LockCookie"))
	require.Equal(t, "200", status(eager.ask(free(3, self))))
	refused := 0
	for {
		rep := eager.ask(take(self))
		if status(rep) == "200" {
			break
		}
		require.Equal(t, "423 3", status(rep))
		refused++
	}
	require.Positive(t, refused, "the lock was kept for the absent")
	require.LessOrEqual(t, refused, 4, "750 ms, in pieces of 200")
}

// With parking the rules of the protocol are those without.
func TestConformanceWithParking(t *testing.T) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	_, addr := run(t, stateservice.Options{ParkTimeout: time.Millisecond, Now: now})
	conform(t, peer{addr: addr, kind: ours, now: now, sleep: func(d time.Duration) { ahead.Add(int64(d)) }})
}
