package interop_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/interop"
	"github.com/aspsession/aspsession/session"
)

const (
	executionTimeout = 10 * time.Second
	// late is how long after its time a lock may be broken on a loaded machine.
	// With the default execution timeout, 110 s, it would be broken later.
	late = 80 * time.Second
)

// A heldLock is a page of one process that holds a session's lock, and a page of
// another that waits for it.
type heldLock struct {
	holder, waiter site
	v              *visitor
	gate           *gate
	before, after  time.Time // it was taken
	lock           session.Lock
	held           func() (status int, page string) // waits for the holder's page; 0 where it broke off
	waited         chan waited
}

// waited is how a waiter got its page.
type waited struct {
	page  string
	at    time.Time
	tries int
	err   error
}

// A process dies, by SIGKILL, in the middle of a page that holds the lock: the
// lock is broken when it is as old as the execution timeout, 10 s here, not
// before and soon after, by a Go page and by an ASP.NET page, and what the dead
// page had counted is not there. A page that only takes longer than others allow
// loses its lock the same way, and when it ends at last it saves nothing: Go says
// so, ASP.NET does not.
func TestLockOfAKilledProcess(t *testing.T) {
	w := enter(t, plain)
	config, err := os.ReadFile(filepath.Join(w.a.Dir(), "web.config"))
	require.NoError(t, err)
	const runtime = "<httpRuntime "
	require.Contains(t, string(config), runtime)
	config = []byte(strings.Replace(string(config), runtime, fmt.Sprintf(`%sexecutionTimeout="%d" `, runtime, int(executionTimeout.Seconds())), 1))
	aspNet := interop.NewApp(t, interop.AppOptions{Server: w.addr(), WebConfig: config})
	doomed := interop.NewApp(t, interop.AppOptions{Server: w.addr(), AppID: appID})
	inGo, err := newGoSite(goSiteOptions{w.addr(), false, executionTimeout})
	require.NoError(t, err)
	t.Cleanup(inGo.kill)
	doomedGo, err := newGoSite(goSiteOptions{w.addr(), false, executionTimeout})
	require.NoError(t, err)
	t.Cleanup(doomedGo.kill)
	holders := []site{{"doomed ASP.NET", false, doomed.URL}, {"doomed Go", true, doomedGo.URL}}
	waiters := []site{{"ASP.NET", false, aspNet.URL}, {"Go", true, inGo.URL}}
	patient := w.sites()[:2] // their execution timeout is 110 s
	g := newGate(t)
	g.open()
	for _, s := range slices.Concat(holders, waiters, patient) { // compiled before clocks run
		for _, page := range []string{"hold.aspx" + g.until(), "slow.aspx?ms=0"} {
			eventually(t, page+" on "+s.name, func() bool { // compiling can take longer than 10 s, too
				status, _, err := newVisitor(t).try(s.URL(page))
				return err == nil && status == http.StatusOK
			})
		}
	}
	pairs := func(holders []site) (locks []*heldLock) {
		for _, holder := range holders {
			for _, waiter := range waiters {
				locks = append(locks, w.hold(t, holder, waiter))
			}
		}
		return locks
	}
	killed := pairs(holders)
	doomed.Stop() // SIGKILL
	doomedGo.kill()
	for _, h := range killed {
		status, _ := h.held()
		require.Zero(t, status, "the page came before its process was killed")
	}
	slow := pairs(patient)
	for _, h := range append(killed, slow...) {
		name := fmt.Sprintf("%s held, %s waited", h.holder.name, h.waiter.name)
		got := <-h.waited
		require.NoError(t, got.err, name)
		require.Equal(t, "2", word(t, got.page, "n"), name)
		require.GreaterOrEqual(t, got.at.Sub(h.before), executionTimeout, "%s: broken before its time", name)
		require.Less(t, got.at.Sub(h.after), executionTimeout+late, "%s: broken too late", name)
		t.Logf("%s: the page came %.1f s after the lock was taken, at try %d", name, got.at.Sub(h.before).Seconds(), got.tries)

		// What a dead process would do if it came alive again.
		rec, err := w.store.Get(t.Context(), h.v.id())
		require.NoError(t, err, name)
		require.NoError(t, rec.Payload.Items().Set("n", 4711))
		require.ErrorIs(t, w.store.Save(t.Context(), h.v.id(), h.lock, rec.Payload), session.ErrLockLost, name)
		require.Equal(t, "3", word(t, h.v.get(h.waiter.URL("slow.aspx?ms=0")), "n"), name)
	}
	for _, h := range slow {
		h.gate.open()
		status, page := h.held()
		if h.holder.byGo {
			require.Equal(t, http.StatusInternalServerError, status, page)
			require.NotContains(t, page, "hold n=")
		} else {
			require.Equal(t, http.StatusOK, status, page)
			require.Equal(t, "2", word(t, page, "n"), "what it shows the visitor is not what is stored")
		}
	}
	for _, h := range append(killed, slow...) {
		require.False(t, w.locked(h.v))
		for i, s := range waiters {
			require.Equal(t, fmt.Sprint(4+i), word(t, h.v.get(s.URL("slow.aspx?ms=0")), "n"))
		}
	}
}

// hold begins both pages and returns when the waiter has asked for the lock.
func (w *world) hold(t *testing.T, holder, waiter site) *heldLock {
	h := &heldLock{holder: holder, waiter: waiter, v: newVisitor(t), gate: newGate(t), waited: make(chan waited, 1)}
	require.Equal(t, "1", word(t, h.v.get(waiter.URL("slow.aspx?ms=0")), "n"))
	type answer struct {
		status int
		page   string
	}
	answers := make(chan answer, 1)
	h.before = time.Now()
	go func() {
		status, page, _ := h.v.try(holder.URL("hold.aspx" + h.gate.until())) // an error where it is killed
		answers <- answer{status, page}
	}()
	h.held = func() (int, string) {
		a := <-answers
		return a.status, a.page
	}
	h.gate.wait(t)
	h.after = time.Now()
	_, err := w.store.Get(t.Context(), h.v.id())
	var locked *session.LockedError
	require.ErrorAs(t, err, &locked)
	h.lock = locked.Holder
	waits := w.tap.next(call{h.v.id(), waiter.byGo, true})
	go func() { h.waited <- h.v.insist(waiter) }()
	waits(t)
	return h
}

// insist gets slow.aspx, and again where it fails: of Mono's pages the one that
// breaks a lock, or has waited for as long as the execution timeout, runs
// without a session and ends with an error. Microsoft's go on and take the lock.
func (v *visitor) insist(s site) waited {
	for start, tries := time.Now(), 1; ; tries++ {
		status, page, err := v.try(s.URL("slow.aspx?ms=0"))
		switch {
		case err == nil && status == http.StatusOK:
			return waited{page, time.Now(), tries, nil}
		case s.byGo, time.Since(start) > late:
			return waited{err: errors.Join(fmt.Errorf("status %d: %s", status, page), err)}
		}
		time.Sleep(50 * time.Millisecond) // he reloads
	}
}
