package stateservice_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// What is ours alone: the deliberate differences, the Aspsession header, limits,
// and time by a clock that tests move.

// shown runs a table of requests against one key each and compares the status of
// every reply, "423 n" with the holder's cookie.
type shown struct {
	name  string
	steps []string // requests and statuses in turn; a duration moves the clock
}

const (
	key  = "/app(hash)/{ID}"
	self = "Aspsession: 1"
)

func (s shown) run(t *testing.T, w *wire, clock *clock) {
	id := newID()
	for i := 0; i < len(s.steps); i += 2 {
		if d, err := time.ParseDuration(s.steps[i]); err == nil {
			clock.Advance(d)
			i--
			continue
		}
		rep := w.ask(strings.ReplaceAll(s.steps[i], "{ID}", id))
		require.Equal(t, s.steps[i+1], status(rep), "step %d, %q, was answered %q", i/2, s.steps[i], rep)
		if cookie := field(rep, "LockCookie"); cookie != "" && status(rep) == "200" {
			require.Equal(t, "acquire", acquires(s.steps[i]))
		}
	}
}

func acquires(raw string) string {
	if strings.Contains(raw, "Exclusive: acquire") {
		return "acquire"
	}
	return ""
}

// Requests of these tests.
func read() string { return request("GET", key) }
func take(headers ...string) string {
	return request("GET", key, append(headers, "Exclusive: acquire")...)
}
func free(cookie int, headers ...string) string {
	return request("GET", key, append(headers, "Exclusive: release", lockCookie(cookie))...)
}
func drop(headers ...string) string             { return request("DELETE", key, headers...) }
func touch() string                             { return request("HEAD", key) }
func set(body string, headers ...string) string { return save(key, body, headers...) }
func lockCookie(n int) string                   { return "LockCookie: " + strconv.Itoa(n) }

func runAll(t *testing.T, opt stateservice.Options, tables ...[]shown) {
	c := newClock()
	opt.Now, opt.SweepInterval = c.Now, -1
	_, addr := run(t, opt)
	w := dial(t, addr)
	for _, table := range tables {
		for _, s := range table {
			t.Run(s.name, func(t *testing.T) { s.run(t, w, c) })
		}
	}
}

func TestStaleSaves(t *testing.T) {
	gone := []string{set("a"), "200", take(), "200", free(2), "200"} // whose lock 2 is over
	stale := set("late", lockCookie(2))
	runAll(t, stateservice.Options{}, []shown{
		{"the holder saves", append(gone[:4:4], set("b", lockCookie(2)), "200", read(), "200")},
		{"who lost his lock to another holder is refused", append(gone[:6:6], take(), "200", stale, "423 3")},
		{"and also after that one has released", append(gone[:6:6], take(), "200", free(3), "200", stale, "423 3", read(), "200")},
		{"and after that one has saved", append(gone[:6:6], take(), "200", set("b", lockCookie(3)), "200", stale, "423 3")},
		{"his own release does not stop him while nobody came between", append(gone[:6:6], stale, "200")},
		{"a cookie from the future is refused too", append(gone[:6:6], set("x", lockCookie(9)), "423 2")},
		{"0 is no cookie", append(gone[:6:6], set("x", lockCookie(0)), "200")},
		{"no cookie is no claim", append(gone[:6:6], set("x"), "200")},
		{"-1 is no cookie", append(gone[:6:6], set("x", lockCookie(-1)), "200")},
		{"a remover is asked only while it is locked, as in .NET", append(gone[:6:6], drop(lockCookie(9)), "200")},
	})
	t.Run("LaxSaves", func(t *testing.T) {
		runAll(t, stateservice.Options{LaxSaves: true}, []shown{
			{"a late writer overwrites, as in .NET", append(gone[:6:6], take(), "200", free(3), "200", stale, "200")},
			{"while it is locked he is refused there too", append(gone[:6:6], take(), "200", stale, "423 3")},
		})
	})
}

// The refusal of a stale Set tells the truth about the item, though nobody holds
// it: its cookie, no age, and now.
func TestStaleSaveReply(t *testing.T) {
	c := newClock()
	_, addr := run(t, stateservice.Options{Now: c.Now})
	w := dial(t, addr)
	w.ask(save("k", "a"))
	w.ask(request("GET", "k", "Exclusive: acquire"))
	c.Advance(12 * time.Second)
	// A lock's date and age, in the server's zone: 10:30:00 there.
	require.Equal(t, "HTTP/1.1 423 Locked\r\nX-AspNet-Version: 4.0.30319\r\nLockDate: 638409114000000000\r\nLockAge: 12\r\n"+
		"LockCookie: 2\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n", w.ask(request("GET", "k")))
	c.Advance(999 * time.Millisecond) // whole seconds, rounded down
	require.Equal(t, "12", field(w.ask(request("GET", "k")), "LockAge"))
	w.ask(request("GET", "k", "Exclusive: release", "LockCookie: 2"))
	require.Equal(t, "HTTP/1.1 423 Locked\r\nX-AspNet-Version: 4.0.30319\r\nLockDate: 638409114129990000\r\nLockAge: 0\r\n"+
		"LockCookie: 2\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n", w.ask(save("k", "b", "LockCookie: 1")))
	// A clock that was set back makes no negative age.
	w.ask(request("GET", "k", "Exclusive: acquire"))
	c.Advance(-time.Hour)
	require.Equal(t, "0", field(w.ask(request("GET", "k")), "LockAge"))
}

func TestCookiesOfKeysMadeAgain(t *testing.T) {
	const ten = 10 * time.Minute
	for _, tt := range []struct {
		name    string
		forget  bool
		first   []string // how the key came and went
		wait    time.Duration
		acquire string // the next first acquire returns
	}{
		{"removed under lock 2", false, []string{set("a"), take(), drop(lockCookie(2))}, 0, "4"},
		{"removed under lock 2, nearly ten minutes ago", false, []string{set("a"), take(), drop(lockCookie(2))}, ten - 1, "4"},
		{"removed under lock 2, ten minutes ago", false, []string{set("a"), take(), drop(lockCookie(2))}, ten, "2"},
		{"expired while locked, found so by a read", false, []string{set("a", "Timeout: 1"), take(), "1m", read()}, 0, "4"},
		{"expired while locked, found so by the Set", false, []string{set("a", "Timeout: 1"), take(), "1m"}, 0, "4"},
		{"never locked: nobody can hold a cookie of it", false, []string{set("a"), drop()}, 0, "2"},
		{"twice", false, []string{set("a"), take(), drop(lockCookie(2)), set("b"), drop()}, 0, "5"},
		{"an uninitialized item too", false, []string{set("a", "ExtraFlags: 1"), take(), drop(lockCookie(2)), set("b", "ExtraFlags: 1"), take(), free(4)}, 0, "5"},
		{"ForgetCookies", true, []string{set("a"), take(), drop(lockCookie(2))}, 0, "2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			_, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1, ForgetCookies: tt.forget})
			w := dial(t, addr)
			for _, step := range tt.first {
				if d, err := time.ParseDuration(step); err == nil {
					c.Advance(d)
					continue
				}
				w.ask(step)
			}
			c.Advance(tt.wait)
			require.Equal(t, "200", status(w.ask(set("again"))))
			require.Equal(t, tt.acquire, field(w.ask(take()), "LockCookie"))
		})
	}
}

// The memory of a cookie ends with its ten minutes: a sweep or not.
func TestCookieMemorySurvivesASweep(t *testing.T) {
	c := newClock()
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1})
	w := dial(t, addr)
	w.ask(set("a", "Timeout: 1"))
	w.ask(take())
	c.Advance(time.Minute)
	require.Equal(t, 1, s.Sweep())
	c.Advance(10*time.Minute - 1)
	require.Equal(t, 0, s.Sweep())
	w.ask(set("b"))
	require.Equal(t, "4", field(w.ask(take()), "LockCookie"))
	w.ask(drop(lockCookie(4)))
	c.Advance(10 * time.Minute)
	require.Equal(t, 0, s.Sweep())
	w.ask(set("c"))
	require.Equal(t, "2", field(w.ask(take()), "LockCookie"))
}

func TestChangedTimeoutKeepsTheCookie(t *testing.T) {
	runAll(t, stateservice.Options{}, []shown{
		{"the holder's Set", []string{set("a"), "200", take(), "200", set("b", lockCookie(2), "Timeout: 30"), "200", take(), "200", read(), "423 3"}},
		{"a Set without a cookie", []string{set("a"), "200", take(), "200", free(2), "200", set("b", "Timeout: 30"), "200", take(), "200", read(), "423 3"}},
	})
}

// Between Go clients and our server: package msasp's doc has the rules.
func TestAspsessionHeader(t *testing.T) {
	tables := []shown{
		{"a Set of a new session", []string{set("a", self), "200", read(), "200"}},
		{"0 is no cookie: a new session", []string{set("a", self, lockCookie(0)), "200"}},
		{"it does not overwrite one that is there: 409", []string{set("a"), "200", set("b", self), "409", set("b", self, lockCookie(0)), "409", set("b", self, lockCookie(-1)), "409"}},
		{"nor one that is locked: 423", []string{set("a"), "200", take(), "200", set("b", self), "423 2"}},
		{"nor an uninitialized one", []string{set("a", "ExtraFlags: 1"), "200", set("b", self), "409"}},
		{"a Set under the lock", []string{set("a"), "200", take(self), "200", set("b", self, lockCookie(2)), "200", read(), "200"}},
		{"a Set under a lock that another holds", []string{set("a"), "200", take(), "200", free(2), "200", take(), "200", set("b", self, lockCookie(2)), "423 3"}},
		{"a Set under the last lock, which is over", []string{set("a"), "200", take(), "200", free(2), "200", set("b", self, lockCookie(2)), "423 2"}},
		{"a Set for what is gone does not revive it: 404", []string{set("b", self, lockCookie(2)), "404", read(), "404"}},
		{"a Set for what has expired", []string{set("a", "Timeout: 1"), "200", take(), "200", "1m", set("b", self, lockCookie(2)), "404", read(), "404"}},
		{"a Set for what was removed and made again", []string{set("a"), "200", take(), "200", drop(lockCookie(2)), "200", set("b"), "200", set("c", self, lockCookie(2)), "423 3"}},
		{"a cookie that is none is 400", []string{set("a"), "200", set("b", self, lockCookie(-2)), "400", set("b", self, "LockCookie: x"), "400"}},
		{"SetUninitialized is as ever", []string{set("a", self, "ExtraFlags: 1"), "200", set("b", self, "ExtraFlags: 1"), "200"}},
		{"Remove under the lock", []string{set("a"), "200", take(), "200", drop(self, lockCookie(2)), "200", read(), "404"}},
		{"Remove under a lock that another holds", []string{set("a"), "200", take(), "200", drop(self, lockCookie(1)), "423 2", drop(self), "423 2"}},
		{"Remove under a lock that is over", []string{set("a"), "200", take(), "200", free(2), "200", drop(self, lockCookie(2)), "423 2", read(), "200"}},
		{"Remove of what nobody holds", []string{set("a"), "200", drop(self), "200", drop(self), "404", drop(self, lockCookie(2)), "404"}},
		{"release is as ever", []string{set("a"), "200", take(), "200", free(1, self), "423 2", free(2, self), "200", free(2, self), "200"}},
	}
	runAll(t, stateservice.Options{}, tables)
	// Lax is for ASP.NET's clients, who do not send the header.
	t.Run("LaxSaves", func(t *testing.T) { runAll(t, stateservice.Options{LaxSaves: true}, tables) })
}

// Who says the header is answered with it, behind the headers of the protocol.
func TestAspsessionHeaderIsAnswered(t *testing.T) {
	_, addr := run(t, stateservice.Options{MaxBody: 10})
	w := dial(t, addr)
	const tail = "Aspsession: 1\r\nCache-Control: private\r\nContent-Length: "
	ok := "HTTP/1.1 200 OK\r\n" + version40
	require.Equal(t, "HTTP/1.1 404 Not Found\r\n"+version40+tail+"0\r\n\r\n", w.ask(request("GET", "k", self)))
	require.Equal(t, ok+tail+"0\r\n\r\n", w.ask(save("k", "abc", self)))
	require.Equal(t, "HTTP/1.1 409 Conflict\r\n"+version40+tail+"0\r\n\r\n", w.ask(save("k", "abc", self)))
	require.Equal(t, ok+"Timeout: 20\r\n"+tail+"3\r\n\r\nabc", w.ask(request("GET", "k", self)))
	require.Equal(t, ok+"LockCookie: 2\r\nTimeout: 20\r\n"+tail+"3\r\n\r\nabc", w.ask(request("GET", "k", self, "Exclusive: acquire")))
	locked := w.ask(request("GET", "k", "aspsession:1"))
	require.Equal(t, "1", field(locked, "Aspsession"))
	require.Contains(t, locked, "\r\nLockCookie: 2\r\n"+tail)
	require.Equal(t, "HTTP/1.1 400 Bad Request\r\n"+version40+tail+"0\r\n\r\n", w.ask(save("k", fill(11), self, "LockCookie: 2")))
	require.Equal(t, "HTTP/1.1 400 Bad Request\r\n"+version40+tail+"0\r\n\r\n", w.ask(request("GET", "k", self, "Exclusive: release")))
	require.Equal(t, ok+tail+"0\r\n\r\n", w.ask(request("HEAD", "k", self)))
	require.Equal(t, ok+tail+"0\r\n\r\n", w.ask(request("DELETE", "k", self)))
	// And nobody else is.
	require.NotContains(t, w.ask(save("k", "abc")), "Aspsession")
}

// A limit refuses what is more; what is stored stays, and the lock of the owner
// who was refused does not.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  stateservice.Options
		big  int // bytes that are too many
	}{
		{"MaxBytes", stateservice.Options{MaxBytes: 100}, 91},
		{"MaxBody", stateservice.Options{MaxBody: 90}, 91},
		{"MaxBody, a body worth reading", stateservice.Options{MaxBody: 90}, 1 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var j journal
			tt.opt.Logger = j.logger()
			s, addr := run(t, tt.opt)
			w := dial(t, addr)
			const secret = "/app(hash)/2ne4zzc4yrcakgqbxgtomtfb"
			require.Equal(t, "200", status(w.ask(save(secret, fill(10)))))
			require.Equal(t, "200", status(w.ask(request("GET", secret, "Exclusive: acquire"))))

			// Not the owner: refused, and the lock is none of his.
			require.Equal(t, "400", status(w.ask(save(secret+"x", fill(tt.big)))))
			if tt.opt.MaxBody > 0 {
				require.Equal(t, "400", status(w.ask(save(secret, fill(tt.big), "LockCookie: 9"))))
			} else {
				require.Equal(t, "423 2", status(w.ask(save(secret, fill(tt.big), "LockCookie: 9"))))
			}
			require.Equal(t, "423 2", status(w.ask(request("GET", secret))))
			require.Empty(t, field(w.ask(request("GET", secret+"x")), "Timeout"), "it was not stored")

			// The owner.
			if tt.name == "MaxBytes" {
				require.Equal(t, "200", status(w.ask(save("other", fill(10)))))
			}
			before := j.String()
			rep := w.ask(save(secret, fill(tt.big), "LockCookie: 2"))
			require.Equal(t, "HTTP/1.1 400 Bad Request\r\n"+version40+empty, rep)
			require.Equal(t, fill(10), content(w.ask(request("GET", secret))), "the old content stays, unlocked")
			require.Equal(t, "3", field(w.ask(request("GET", secret, "Exclusive: acquire")), "LockCookie"))

			told := strings.TrimPrefix(j.String(), before)
			require.Equal(t, 1, strings.Count(told, "content refused"), told)
			require.NotContains(t, j.String(), "2ne4zzc4", "a log knows no keys")

			// Less is always welcome.
			require.Equal(t, "200", status(w.ask(save(secret, fill(5), "LockCookie: 3"))))
			require.Equal(t, "200", status(w.ask(request("DELETE", secret))))
			if tt.name == "MaxBytes" {
				w.ask(request("DELETE", "other"))
			}
			require.Zero(t, s.Stats().Items)
			require.Zero(t, s.Stats().Bytes)
		})
	}
}

func TestMaxItems(t *testing.T) {
	var j journal
	c := newClock()
	s, addr := run(t, stateservice.Options{MaxItems: 2, Logger: j.logger(), Now: c.Now, SweepInterval: -1})
	w := dial(t, addr)
	require.Equal(t, "200", status(w.ask(save("a", "1", "Timeout: 1"))))
	require.Equal(t, "200", status(w.ask(save("b", "1", "ExtraFlags: 1"))))
	require.Equal(t, "HTTP/1.1 400 Bad Request\r\n"+version40+empty, w.ask(save("secret", "1")))
	require.Equal(t, "400", status(w.ask(save("secret", "1", "ExtraFlags: 1"))))
	require.Equal(t, "404", status(w.ask(request("GET", "secret"))))
	require.Equal(t, 2, strings.Count(j.String(), "content refused"))
	require.NotContains(t, j.String(), "secret")
	require.Equal(t, "200", status(w.ask(save("a", "22"))), "what is there may change")
	require.Equal(t, "200", status(w.ask(request("DELETE", "b"))))
	require.Equal(t, "200", status(w.ask(save("secret", "1", "Timeout: 1"))))
	require.Equal(t, int64(2), s.Stats().Items)
	// What has expired counts until it is swept.
	c.Advance(time.Minute)
	require.Equal(t, "400", status(w.ask(save("d", "1"))))
	require.Equal(t, 1, s.Sweep())
	require.Equal(t, "200", status(w.ask(save("d", "1"))))
}

// Limits are limits also when all come at once.
func TestLimitsHoldUnderLoad(t *testing.T) {
	s, addr := run(t, stateservice.Options{MaxItems: 1, MaxBytes: 10})
	var all [4]*wire
	for i := range all {
		all[i] = dial(t, addr)
	}
	for round := range 3000 {
		var wg sync.WaitGroup
		for i, w := range all {
			wg.Go(func() { w.ask(save("k"+strconv.Itoa(i), fill(10))) })
		}
		wg.Wait()
		require.Equal(t, stateservice.Stats{Items: 1, Bytes: 10, Conns: 4}, s.Stats(), "round %d", round)
		for i, w := range all {
			w.ask(request("DELETE", "k"+strconv.Itoa(i)))
		}
	}
}

// Every verb on an item renews it, whatever the answer.
func TestSlidingExpiry(t *testing.T) {
	held := []string{set("a"), "200", take(), "200"}
	idle := []string{set("a"), "200"}
	renews := func(name string, before []string, req, want string) shown {
		return shown{name + " renews", append(before[:len(before):len(before)], "15m", req, want, "15m", touch(), "200")}
	}
	runAll(t, stateservice.Options{}, []shown{
		{"nothing renews", append(idle[:2:2], "15m", "5m", touch(), "404")},
		{"to the moment", append(idle[:2:2], "19m59.999999999s", touch(), "200", "19m59.999999999s", touch(), "200", "20m", touch(), "404")},
		renews("Get", idle, read(), "200"),
		renews("a Get that is 423", held, read(), "423 2"),
		renews("acquire", idle, take(), "200"),
		renews("an acquire that is 423", held, take(), "423 2"),
		renews("release", held, free(2), "200"),
		renews("a release that is 423", held, free(1), "423 2"),
		renews("a release that is 400", held, request("GET", key, "Exclusive: release"), "400"),
		renews("Set", idle, set("b"), "200"),
		renews("a Set that is 423", held, set("b", lockCookie(1)), "423 2"),
		renews("a Set whose cookie is no number", held, set("b", "LockCookie: x"), "400"),
		renews("SetUninitialized that changes nothing", idle, set("b", "ExtraFlags: 1", "Timeout: 1"), "200"),
		renews("a Remove that is 423", held, drop(), "423 2"),
		renews("HEAD", idle, touch(), "200"),
		renews("HEAD of a locked item", held, touch(), "200"),
		{"a Set's bad Timeout is seen before the item is", append(idle[:2:2], "15m", set("b", "Timeout: x"), "400", "5m", touch(), "404")},
		{"locks do not stop expiry", append(held[:4:4], "20m", read(), "404")},
		{"a lock ends with its item", append(held[:4:4], "20m", set("b"), "200", take(), "200")},
		{"a new Timeout counts from now", append(idle[:2:2], "15m", set("b", "Timeout: 1"), "200", "1m", touch(), "404")},
		{"a longer one too", append(idle[:2:2], "15m", set("b", "Timeout: 60"), "200", "59m", touch(), "200", "59m", touch(), "200", "1h", touch(), "404")},
		{"the longest", []string{set("a", "Timeout: 525600"), "200", "8759h59m59s", touch(), "200", "8760h", touch(), "404"}},
		{"Timeout 0 never expires", []string{set("a", "Timeout: 0"), "200", "876000h", touch(), "200", "876000h", take(), "200"}},
		{"from 0 to some and back", []string{set("a", "Timeout: 0"), "200", "100h", set("a", "Timeout: 1"), "200", "30s", set("a", "Timeout: 0"), "200", "100h", touch(), "200"}},
	})
}

func TestSweep(t *testing.T) {
	c := newClock()
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1})
	w := dial(t, addr)
	for i := range 300 { // more than there are shards
		w.ask(save("k"+strconv.Itoa(i), fill(i), "Timeout: "+strconv.Itoa(i%3))) // 0, 1 or 2 minutes
	}
	require.Equal(t, 0, s.Sweep())
	c.Advance(time.Minute)
	require.Equal(t, int64(300), s.Stats().Items, "what has expired takes room until it is swept")
	require.Equal(t, 100, s.Sweep())
	require.Equal(t, 0, s.Sweep())
	c.Advance(time.Minute)
	w.ask(request("HEAD", "k2")) // found expired: gone at once
	require.Equal(t, int64(199), s.Stats().Items)
	require.Equal(t, 99, s.Sweep())
	require.Equal(t, int64(100), s.Stats().Items)
	require.Equal(t, int64((0+297)*100/2), s.Stats().Bytes)
	c.Advance(1000 * time.Hour)
	require.Equal(t, 0, s.Sweep())
}

// The sweeper does it by itself.
func TestSweeper(t *testing.T) {
	c := newClock()
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: time.Millisecond})
	dial(t, addr).ask(save("k", "a", "Timeout: 1"))
	c.Advance(time.Minute)
	require.Eventually(t, func() bool { return s.Stats().Items == 0 }, patience, time.Millisecond)
}

// Whatever is done, the sums are those of what there is.
func TestAccounting(t *testing.T) {
	type kept struct {
		size, timeout int
		until         time.Time
	}
	c := newClock()
	s, addr := run(t, stateservice.Options{Now: c.Now, SweepInterval: -1, MaxItems: 12, MaxBytes: 3000, MaxBody: 400})
	w := dial(t, addr)
	rnd := rand.New(rand.NewPCG(1, 2))
	model := map[string]*kept{}
	told := map[string]int{}
	for range 5000 {
		k := "k" + strconv.Itoa(rnd.IntN(20))
		timeout := 1 + rnd.IntN(3)
		headers := []string{"Timeout: " + strconv.Itoa(timeout), "LockCookie: " + strconv.Itoa(rnd.IntN(4))}
		if rnd.IntN(5) == 0 {
			headers = headers[:1]
		}
		create := rnd.IntN(6) == 0
		if create {
			headers = append(headers, "ExtraFlags: 1")
		}
		size := rnd.IntN(450)
		it := model[k]
		switch rnd.IntN(10) {
		case 0, 1, 2, 3:
			got := status(w.ask(save(k, fill(size), headers...)))
			told["PUT "+got[:3]]++
			if got == "200" {
				if it == nil {
					it = &kept{}
					model[k] = it
					create = false
				}
				if !create {
					it.size, it.timeout = size, timeout
				}
			}
		case 4:
			got := status(w.ask(request("DELETE", k, headers[1:]...)))
			told["DELETE "+got[:3]]++
			if got == "200" {
				delete(model, k)
			}
		case 5:
			w.ask(request("HEAD", k))
		case 6, 7:
			got := status(w.ask(request("GET", k, "Exclusive: acquire")))
			told["GET "+got[:3]]++
			require.Equal(t, it == nil, got == "404")
		case 8:
			w.ask(request("GET", k, append(headers, "Exclusive: release")...))
		case 9:
			c.Advance(time.Duration(rnd.IntN(40)) * time.Second)
			n := 0
			for k, it := range model {
				if !c.Now().Before(it.until) {
					delete(model, k)
					n++
				}
			}
			require.Equal(t, n, s.Sweep())
			told["expired"] += n
			it = nil // the clock's turn was nobody's
		}
		if it != nil && model[k] == it {
			it.until = c.Now().Add(time.Duration(it.timeout) * time.Minute)
		}
		var bytes int64
		for _, it := range model {
			bytes += int64(it.size)
		}
		require.Equal(t, stateservice.Stats{Items: int64(len(model)), Bytes: bytes, Conns: 1}, s.Stats())
	}
	for _, what := range []string{"PUT 200", "PUT 400", "PUT 423", "DELETE 200", "DELETE 404", "DELETE 423", "GET 200", "GET 404", "GET 423", "expired"} {
		require.NotZero(t, told[what], "%s never happened: %v", what, told)
	}
}
