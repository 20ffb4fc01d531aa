package lifecycletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aspsession/aspsession/middleware"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
)

// A row is one request.
type row struct {
	access  session.Access
	visitor string // who comes; see prepare
	does    string // the handler's steps, in handlers.go
	want    string
	// Of faults.go's rows:
	fault *fault // Hold is Checkpoint, or Save where there is none
	bare  string // want, where the store has no Checkpoint; "" for the same
	stale bool   // only where the store can tell a stale save
}

func (r row) name() string {
	name := fmt.Sprintf("%v/%s/%s", r.access, r.visitor, r.does)
	if r.fault != nil {
		what := "fails"
		if r.fault.lost {
			what = "is lost"
		}
		name += fmt.Sprintf("/%s %s %s", r.fault.call, what, nameOf(r.fault.err))
	}
	return name
}

const (
	cookieName = "ASP.NET_SessionId"
	lease      = 110 * time.Second
	patience   = time.Minute // for what must happen
)

// running is a row on its way.
type running struct {
	*testing.T
	store session.Store // the one under test, as other requests use it
	id    string        // the visitor's, "" for a new one

	mu    sync.Mutex // guards the rest
	err   error      // of the handler's last step
	told  []error    // what OnError was told
	ended int        // how often Metrics was told
}

func run(t *testing.T, h Harness, row row) {
	x := &running{T: t, store: h.Store(t)}
	if row.stale && !x.store.Capabilities().StaleSave {
		t.Skip("the store cannot tell a stale save")
	}
	_, checkpoints := x.store.(session.Checkpointer)
	want, f := row.want, row.fault
	if !checkpoints && row.bare != "" {
		want = row.bare
	}
	hold, first := "Save Acquire", "Save"
	if checkpoints {
		hold, first = "Checkpoint", "Checkpoint"
	}
	want = strings.NewReplacer("Hold!", first, "Hold", hold).Replace(want)
	if f != nil {
		copied := *f
		if copied.call == "Hold" {
			copied.call = first
		}
		f = &copied
	}
	rec := newRecorder(x.store, f)
	meanwhile := x.prepare(row.visitor, rec)

	m, err := middleware.New(rec.store(), middleware.Options{OnError: x.onError, Session: session.Options{Metrics: x}})
	x.must(err)
	handled := make(chan struct{})
	inner := h.Wrap(m, row.access, func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r, row.does, meanwhile)
		x.mu.Lock()
		x.err = err
		x.mu.Unlock()
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(handled)
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()

	var others sync.WaitGroup
	if row.visitor == "locked" {
		lock := x.acquire()
		others.Go(func() {
			select {
			case <-rec.asked:
			case <-handled:
			}
			x.save(lock, 5)
		})
	}
	answer := x.fetch(server)
	<-handled
	others.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	x.must(m.Close(ctx))

	calls, ids := rec.seen()
	columns := []string{calls, answer, x.leaves(ids)}
	if trouble := x.trouble(); trouble != "" {
		columns = append(columns, trouble)
	}
	if got := strings.TrimSpace(strings.Join(columns, " | ")); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if x.ended != 1 {
		t.Errorf("Metrics was told %d times, want once", x.ended)
	}
}

// prepare makes the visitor what the row says, and returns what happens to his
// session while the handler runs.
func (x *running) prepare(visitor string, rec *recorder) (meanwhile func()) {
	x.Helper()
	meanwhile = func() {}
	if visitor == "new" {
		return meanwhile
	}
	id, err := session.StandardIDs{}.New()
	x.must(err)
	x.id = id
	switch visitor {
	case "gone":
	case "gone, then made by another":
		rec.race = func(string) { x.create(5) }
	case "uninitialized":
		x.must(x.store.Create(x.Context(), id, 20*time.Minute))
	case "found", "locked":
		x.create(1)
	case "found, its lock taken by another":
		x.create(1)
		meanwhile = func() {
			holder := x.holder()
			x.must(x.store.Release(x.Context(), id, holder))
			lock := x.acquire()
			x.Cleanup(func() { _ = x.store.Release(context.Background(), id, lock) })
		}
	case "found, then saved by another":
		x.create(1)
		meanwhile = func() {
			holder := x.holder()
			x.must(x.store.Release(x.Context(), id, holder))
			x.save(x.acquire(), 7)
		}
	case "found, then ended":
		x.create(1)
		meanwhile = func() { x.must(x.store.Remove(x.Context(), id, x.holder())) }
	default:
		x.Fatalf("nobody knows a visitor %q", visitor)
	}
	return meanwhile
}

func (x *running) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatalf("unexpected error: %v", err)
	}
}

func (x *running) create(n int) {
	x.Helper()
	p := payload.New(20, payload.Limits{})
	x.must(p.Items().Set("n", n))
	x.must(x.store.Save(x.Context(), x.id, session.Lock{}, p))
}

func (x *running) acquire() session.Lock {
	x.Helper()
	rec, err := x.store.Acquire(x.Context(), x.id, lease)
	x.must(err)
	return rec.Lock
}

func (x *running) save(lock session.Lock, n int) {
	p := payload.New(20, payload.Limits{})
	if err := errors.Join(p.Items().Set("n", n), x.store.Save(x.Context(), x.id, lock, p)); err != nil {
		x.Errorf("unexpected error: %v", err)
	}
}

// holder is who has the session's lock.
func (x *running) holder() session.Lock {
	_, err := x.store.Acquire(x.Context(), x.id, lease)
	locked, ok := errors.AsType[*session.LockedError](err)
	if !ok {
		x.Errorf("the handler's session is not locked: %v", err)
		return session.Lock{}
	}
	return locked.Holder
}

func (x *running) onError(w http.ResponseWriter, _ *http.Request, err error) {
	x.mu.Lock()
	x.told = append(x.told, err)
	x.mu.Unlock()
	http.Error(w, "trouble", http.StatusInternalServerError)
}

// Session implements session.Metrics.
func (x *running) Session(context.Context, session.Measures) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended++
}

// fetch sends the request and says what came.
func (x *running) fetch(server *httptest.Server) string {
	x.Helper()
	ctx, cancel := context.WithTimeout(x.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	x.must(err)
	if x.id != "" {
		r.Header.Set("Cookie", cookieName+"="+x.id)
	}
	resp, err := server.Client().Transport.RoundTrip(r)
	if err != nil {
		x.must(ctx.Err())
		return "abort"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	x.must(ctx.Err())
	text := strings.ReplaceAll(strings.TrimSpace(string(body)), strings.TrimSpace(long), "long")
	if err != nil {
		text = "" // how much of a broken page arrives is chance
	}
	answer := strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, text))
	for _, c := range resp.Cookies() {
		if c.Name == cookieName {
			answer += " cookie"
			x.id = c.Value
		}
	}
	if err != nil {
		answer += " abort"
	}
	return answer
}

// leaves says what the store has under the id that the visitor has now, and
// under all others that the request named.
func (x *running) leaves(ids []string) string {
	x.Helper()
	left := "nothing"
	if x.id != "" {
		left = x.left(x.id)
	}
	for _, id := range ids {
		if id == x.id {
			continue
		}
		if other := x.left(id); other != "gone" {
			left += ", unknown " + other
		}
	}
	return left
}

func (x *running) left(id string) (left string) {
	x.Helper()
	ctx, locked := context.Background(), ""
	rec, err := x.store.Acquire(ctx, id, lease)
	if holder, ok := errors.AsType[*session.LockedError](err); ok {
		locked = " LOCKED"
		x.must(x.store.Release(ctx, id, holder.Holder))
		rec, err = x.store.Acquire(ctx, id, lease)
	}
	if errors.Is(err, session.ErrNotFound) {
		return "gone"
	}
	x.must(err)
	defer func() { x.must(x.store.Release(ctx, id, rec.Lock)) }()
	n, ok, err := rec.Payload.Items().Get("n")
	x.must(err)
	left = "empty"
	if ok {
		left = fmt.Sprintf("n=%v", n)
	}
	if minutes := rec.Payload.Timeout(); minutes != 20 {
		left += fmt.Sprintf(" for %d minutes", minutes)
	}
	return left + locked
}

// trouble names the errors that the handler and OnError met.
func (x *running) trouble() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []string
	if x.err != nil {
		all = append(all, nameOf(x.err))
	}
	for _, err := range x.told {
		all = append(all, "told "+nameOf(err))
	}
	return strings.Join(all, ", ")
}

func nameOf(err error) string {
	for _, known := range []struct {
		err  error
		name string
	}{
		{session.ErrNotRenewed, "ErrNotRenewed"}, {session.ErrReadOnly, "ErrReadOnly"},
		{session.ErrDisabled, "ErrDisabled"}, {session.ErrHeadersSent, "ErrHeadersSent"},
		{session.ErrLockLost, "ErrLockLost"}, {session.ErrBadData, "ErrBadData"},
		{session.ErrUnavailable, "ErrUnavailable"}, {session.ErrNotFound, "ErrNotFound"},
		{session.ErrReleased, "ErrReleased"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return err.Error()
}
