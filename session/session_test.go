package session_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

const anID = "2ne4zzc4yrcakgqbxgtomtfb"

func TestIDs(t *testing.T) {
	var file struct {
		IDs []struct {
			BytesHex, ID string
		}
		Validation []struct {
			ID    *string
			Legit bool
		}
	}
	b, err := os.ReadFile("testdata/ids.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &file))
	require.NotEmpty(t, file.IDs)
	for _, row := range file.IDs {
		raw, err := hex.DecodeString(row.BytesHex)
		require.NoError(t, err)
		require.Equal(t, row.ID, session.EncodeID([15]byte(raw)))
	}
	for _, row := range file.Validation {
		if row.ID == nil {
			continue // no cookie at all
		}
		got, ok := session.StandardIDs{}.Canonical(*row.ID)
		// The real check comes after lower-casing, ours includes it.
		want := row.Legit || *row.ID == strings.Repeat("A", 24)
		require.Equal(t, want, ok, "%q", *row.ID)
		if ok {
			require.Equal(t, strings.ToLower(*row.ID), got)
		} else {
			require.Empty(t, got)
		}
	}
	// The Kelvin sign lower-cases to k in some rules, not in these.
	_, ok := session.StandardIDs{}.Canonical(strings.Repeat("a", 21) + "\u212a")
	require.False(t, ok)
}

func TestNewIDsAreRandomAndCanonical(t *testing.T) {
	seen := map[string]bool{}
	letters := map[rune]bool{}
	for range 2000 {
		id, err := session.StandardIDs{}.New()
		require.NoError(t, err)
		got, ok := session.StandardIDs{}.Canonical(id)
		require.True(t, ok)
		require.Equal(t, id, got)
		require.False(t, seen[id])
		seen[id] = true
		for _, c := range id {
			letters[c] = true
		}
	}
	require.Len(t, letters, 32)
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"", anID, strings.ToUpper(anID), strings.Repeat("\u212a", 8)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := session.StandardIDs{}.Canonical(s)
		if !ok {
			require.Empty(t, id)
			return
		}
		require.Len(t, id, session.IDLength)
		require.Empty(t, strings.Trim(id, "abcdefghijklmnopqrstuvwxyz012345"))
		again, ok := session.StandardIDs{}.Canonical(id)
		require.True(t, ok)
		require.Equal(t, id, again)
	})
}

func newStore(t *testing.T) *inproc.Store {
	s := inproc.New(inproc.Options{SweepInterval: -1})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func manager(t *testing.T, s session.Store, opt session.Options) *session.Manager {
	m, err := session.NewManager(s, opt)
	require.NoError(t, err)
	return m
}

func put(t *testing.T, s *inproc.Store, items ...any) {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	for i := 0; i < len(items); i += 2 {
		require.NoError(t, p.Items().Set(items[i].(string), items[i+1]))
	}
	data, err := p.Append(nil)
	require.NoError(t, err)
	require.NoError(t, s.Load(anID, data))
}

func openSession(t *testing.T, m *session.Manager) *session.Session {
	t.Helper()
	s, err := m.Open(t.Context(), anID, session.ReadWrite)
	require.NoError(t, err)
	return s
}

// plain hides a store's optional interfaces: saving releases the lock there, as
// on ASP.NET's own stores.
type plain struct{ session.Store }

func TestSaveWhereSavingReleases(t *testing.T) {
	store := newStore(t)
	put(t, store, "n", 1)
	m := manager(t, plain{store}, session.Options{})
	s := openSession(t, m)
	require.NoError(t, s.Set("n", 2))
	require.NoError(t, s.Save())
	_, err := store.Get(t.Context(), anID)
	require.ErrorIs(t, err, session.ErrLocked, "the lock was taken again")
	require.NoError(t, s.Set("n", 3))
	require.NoError(t, s.Save())
	require.NoError(t, s.Save(), "nothing to save is nothing to do")
	require.NoError(t, m.Finish(s))
	n, err := payload.Value[int](get(t, store), "n")
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

func get(t *testing.T, store session.Store) *payload.Items {
	t.Helper()
	rec, err := store.Get(t.Context(), anID)
	require.NoError(t, err)
	return rec.Payload.Items()
}

// between lets another writer in at the moment after a save released the lock.
type between struct {
	session.Store
	then func()
}

func (b *between) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	err := b.Store.Save(ctx, id, lock, p)
	if then := b.then; err == nil && then != nil {
		b.then = nil
		then()
	}
	return err
}

func TestSaveTellsOfAnotherWriter(t *testing.T) {
	store := newStore(t)
	put(t, store, "n", 1)
	other := manager(t, store, session.Options{})
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	m := manager(t, &between{plain{store}, func() {
		s, err := other.Open(t.Context(), anID, session.ReadWrite)
		require.NoError(t, err)
		require.NoError(t, s.Set("n", 10))
		require.NoError(t, s.Set("theirs", "yes"))
		require.NoError(t, other.Finish(s))
	}}, session.Options{Location: zone})
	s := openSession(t, m)
	require.NoError(t, s.Set("n", 2))
	require.ErrorIs(t, s.Save(), session.ErrChanged)
	n, err := session.Value[int](s, "n")
	require.NoError(t, err)
	require.Equal(t, 10, n, "reloaded")
	theirs, err := session.Value[string](s, "theirs")
	require.NoError(t, err)
	require.Equal(t, "yes", theirs)
	noon := time.Date(2024, 7, 1, 12, 0, 0, 0, zone)
	require.NoError(t, s.Set("t", noon))
	got, err := session.Value[time.Time](s, "t")
	require.NoError(t, err)
	require.True(t, noon.Equal(got))
	require.NoError(t, s.Set("n", n+1))
	require.NoError(t, m.Finish(s))
	n, err = payload.Value[int](get(t, store), "n")
	require.NoError(t, err)
	require.Equal(t, 11, n)
}

// A save that lost its lock says so, once, and ends the session.
func TestALostLockIsTold(t *testing.T) {
	for name, s := range map[string]func(*inproc.Store) session.Store{
		"save and retake": func(s *inproc.Store) session.Store { return plain{s} },
		"checkpoint":      func(s *inproc.Store) session.Store { return s },
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			put(t, store, "n", 1)
			m := manager(t, s(store), session.Options{})
			steal := func() {
				_, err := store.Acquire(t.Context(), anID, time.Minute)
				var locked *session.LockedError
				require.ErrorAs(t, err, &locked)
				require.NoError(t, store.Release(t.Context(), anID, locked.Holder))
			}
			live := openSession(t, m)
			steal()
			require.NoError(t, live.Set("n", 2))
			require.ErrorIs(t, live.Save(), session.ErrLockLost)
			err := live.Set("n", 3)
			require.ErrorIs(t, err, session.ErrReleased)
			require.ErrorIs(t, err, session.ErrLockLost, "and why")
			require.NoError(t, m.Finish(live), "it was told already")

			live = openSession(t, m)
			steal()
			require.NoError(t, live.Set("n", 2))
			require.ErrorIs(t, m.Finish(live), session.ErrLockLost)

			live = openSession(t, m)
			steal()
			require.NoError(t, m.Finish(live), "nothing was lost: nothing was changed")

			live = openSession(t, m)
			steal()
			require.NoError(t, live.Abandon())
			require.ErrorIs(t, m.Finish(live), session.ErrLockLost)

			n, err := payload.Value[int](get(t, store), "n")
			require.NoError(t, err)
			require.Equal(t, 1, n)
		})
	}
}

func TestWaitingEnds(t *testing.T) {
	store := newStore(t)
	put(t, store)
	holder := manager(t, store, session.Options{})
	held := openSession(t, holder)
	for _, s := range []session.Store{store, plain{store}} {
		m := manager(t, s, session.Options{WaitTimeout: 5 * time.Millisecond})
		_, err := m.Open(t.Context(), anID, session.ReadWrite)
		require.ErrorIs(t, err, session.ErrLocked)
		_, err = m.Open(t.Context(), anID, session.ReadOnly)
		require.ErrorIs(t, err, session.ErrLocked)

		m = manager(t, s, session.Options{})
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("gone home")
		time.AfterFunc(time.Millisecond, func() { cancel(reason) })
		_, err = m.Open(ctx, anID, session.ReadWrite)
		require.ErrorIs(t, err, reason)
		require.NoError(t, m.Close(t.Context()))
	}
	require.NoError(t, holder.Finish(held))
}

func TestTimeout(t *testing.T) {
	store := newStore(t)
	put(t, store)
	m := manager(t, store, session.Options{Timeout: 90 * time.Second})
	s := openSession(t, m)
	d, err := s.Timeout()
	require.NoError(t, err)
	require.Equal(t, 20*time.Minute, d)
	for _, bad := range []time.Duration{0, -time.Minute, 525_600*time.Minute + 1, math.MaxInt64} {
		require.ErrorIs(t, s.SetTimeout(bad), session.ErrTimeout)
	}
	for set, want := range map[time.Duration]time.Duration{time.Second: time.Minute, 61 * time.Second: 2 * time.Minute, 525_600 * time.Minute: 525_600 * time.Minute} {
		require.NoError(t, s.SetTimeout(set))
		d, err := s.Timeout()
		require.NoError(t, err)
		require.Equal(t, want, d)
	}
	require.NoError(t, m.Finish(s))
	s, err = m.Open(t.Context(), "", session.ReadWrite)
	require.NoError(t, err)
	d, err = s.Timeout()
	require.NoError(t, err)
	require.Equal(t, 2*time.Minute, d)
	require.NoError(t, m.Finish(s))

	// What .NET stored may be out of all range.
	data, err := payload.New(math.MaxInt32, payload.Limits{}).Append(nil)
	require.NoError(t, err)
	require.NoError(t, store.Load(anID, data))
	s = openSession(t, m)
	d, err = s.Timeout()
	require.NoError(t, err)
	require.Equal(t, 525_600*time.Minute, d)
	require.NoError(t, s.Set("a", 1))
	require.NoError(t, m.Finish(s))
	data, _ = store.Bytes(anID)
	require.Equal(t, []byte{0xff, 0xff, 0xff, 0x7f}, data[:4], "carried as it is")
}

func TestEveryMethodOfASession(t *testing.T) {
	store := newStore(t)
	put(t, store, "Name", "Ada", "n", 1)
	m := manager(t, store, session.Options{})
	s := openSession(t, m)
	require.Equal(t, anID, s.ID())
	require.False(t, s.IsNew())
	require.False(t, s.ReadOnly())
	v, err := s.Get("name")
	require.NoError(t, err)
	require.Equal(t, "Ada", v)
	v, err = s.Get("missing")
	require.NoError(t, err)
	require.Nil(t, v)
	has, err := s.Has("NAME")
	require.NoError(t, err)
	require.True(t, has)
	keys, err := s.Keys()
	require.NoError(t, err)
	require.Equal(t, []string{"Name", "n"}, keys)
	require.NoError(t, s.Remove("n"))
	n, err := s.Len()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ErrorIs(t, s.Set("f", func() {}), payload.ErrNoForm)
	require.NoError(t, s.Clear())
	require.NoError(t, s.Set("only", true))
	require.NoError(t, m.Finish(s))
	require.Equal(t, []string{"only"}, get(t, store).Keys())
	for _, err := range []error{
		s.Set("a", 1), s.Remove("a"), s.Clear(), s.SetTimeout(time.Minute), s.Abandon(), s.Save(), s.Release(),
		second(s.Get("a")), second(s.Has("a")), second(s.Keys()), second(s.Len()), second(s.Timeout()), second(session.Value[int](s, "a")),
	} {
		require.ErrorIs(t, err, session.ErrReleased)
	}
}

func second[T any](_ T, err error) error { return err }

// A failed save gives the lock back, so that others need not wait for its age.
func TestAFailedSaveReleases(t *testing.T) {
	store := newStore(t)
	put(t, store, "n", 1)
	disk := errors.New("the disk is full")
	m := manager(t, failing{plain{store}, disk}, session.Options{})
	s := openSession(t, m)
	require.NoError(t, s.Set("n", 2))
	require.ErrorIs(t, s.Save(), disk)
	require.NoError(t, m.Finish(s))
	s = openSession(t, m)
	require.NoError(t, s.Set("n", 2))
	require.ErrorIs(t, m.Finish(s), disk)
	get(t, store) // not locked
}

type failing struct {
	session.Store
	err error
}

func (f failing) Save(context.Context, string, session.Lock, *payload.Payload) error { return f.err }

// A request that is cancelled after its acquire was sent: the lock that arrives
// is given back, and Close waits for that.
func TestALateLockIsGivenBack(t *testing.T) {
	store := newStore(t)
	put(t, store)
	sent, arrive := make(chan bool), make(chan bool)
	m := manager(t, late{plain{store}, sent, arrive}, session.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := m.Open(ctx, anID, session.ReadWrite)
		require.ErrorIs(t, err, context.Canceled)
	})
	<-sent
	cancel()
	closed := make(chan error)
	go func() { closed <- m.Close(t.Context()) }()
	select {
	case err := <-closed:
		require.Fail(t, "Close did not wait", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(arrive)
	wg.Wait()
	require.NoError(t, <-closed)
	get(t, store)
}

type late struct {
	session.Store
	sent, arrive chan bool
}

func (l late) Capabilities() session.Capabilities { return session.Capabilities{} }

func (l late) Acquire(ctx context.Context, id string, lease time.Duration) (session.Record, error) {
	rec, err := l.Store.Acquire(ctx, id, lease)
	l.sent <- true
	<-l.arrive
	if ctx.Err() != nil {
		return session.Record{}, ctx.Err() // the request's end must not reach the store
	}
	return rec, err
}

func TestErrorsAreDistinct(t *testing.T) {
	all := []error{session.ErrNotFound, session.ErrLocked, session.ErrLockLost, session.ErrExists, session.ErrBadData, session.ErrUnavailable, session.ErrUnsupported, session.ErrReadOnly, session.ErrDisabled, session.ErrReleased, session.ErrHeadersSent, session.ErrChanged, session.ErrTimeout, session.ErrClosed}
	for i, a := range all {
		for j, b := range all {
			require.Equal(t, i == j, errors.Is(a, b), "%v, %v", a, b)
		}
	}
	require.ErrorIs(t, session.ErrGone, session.ErrLockLost)
	locked := &session.LockedError{Holder: session.NumberLock(1), Age: time.Second}
	require.ErrorIs(t, locked, session.ErrLocked)
	require.Contains(t, locked.Error(), "1s")
	require.Equal(t, "ReadWrite ReadOnly Disabled Access(9)", session.ReadWrite.String()+" "+session.ReadOnly.String()+" "+session.Disabled.String()+" "+session.Access(9).String())
	require.True(t, session.NumberLock(0).IsZero())
	require.True(t, session.TextLock("").IsZero())
	require.Equal(t, "x", session.TextLock("x").Text())
	require.EqualValues(t, 7, session.NumberLock(7).Number())
}
