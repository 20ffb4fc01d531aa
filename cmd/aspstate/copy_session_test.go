package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

func newInproc(t *testing.T) *inproc.Store {
	s := inproc.New(inproc.Options{SweepInterval: -1})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func newCopier(t *testing.T, from, to session.Store) *copier {
	state, err := openCopyState(filepath.Join(t.TempDir(), "state"), "a b")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, state.close(true)) })
	return &copier{from: from, to: to, state: state, progress: io.Discard, began: time.Now()}
}

// Each reason for not copying is met, counted and told.
func TestCopySkips(t *testing.T) {
	ctx := t.Context()
	from, to := newInproc(t), newInproc(t)
	for i := range 6 {
		require.NoError(t, from.Save(ctx, testID(i), session.Lock{}, testPayload(t, i)))
	}
	held, err := from.Acquire(ctx, testID(1), time.Minute)
	require.NoError(t, err)
	require.NoError(t, to.Save(ctx, testID(2), session.Lock{}, testPayload(t, 99)))
	require.NoError(t, from.Create(ctx, testID(6), 33*time.Minute))
	k := newCopier(t, from, &picky{Store: to, refuse: testID(3)})
	k.from = &broken{Store: from, bad: testID(4), gone: testID(5)}
	k.wait = 150 * time.Millisecond
	require.NoError(t, k.run(ctx, from.List, 3))

	require.Equal(t, 7, k.n.Listed)
	require.Equal(t, 2, k.n.Copied, "0 and 6")
	require.Equal(t, 1, k.n.Uninitialized)
	for reason, n := range map[string]int{skipLocked: 1, skipExists: 2, skipUnsupported: 3, skipUnreadable: 4, skipGone: 5} {
		require.NotNil(t, k.n.Skipped[reason], reason)
		require.Equal(t, 1, k.n.Skipped[reason].Count, reason)
		require.Equal(t, shortID(testID(n)), k.n.Skipped[reason].First[0].ID)
	}
	require.False(t, k.complete())
	require.Contains(t, string(k.report()), "1 skipped: it stayed locked (--wait)\n          "+shortID(testID(1)))
	require.NotContains(t, string(k.report()), testID(1))

	// In the source nothing changed, the lock is its holder's; the target has none.
	require.NoError(t, from.Release(ctx, testID(1), held.Lock))
	theirs, _ := to.Bytes(testID(2))
	require.Equal(t, frameOf(t, testPayload(t, 99)), theirs)
	require.NoError(t, to.List(ctx, func(i session.Info) bool {
		require.True(t, i.Lock.IsZero())
		return true
	}))
	rec, err := to.Get(ctx, testID(6))
	require.NoError(t, err)
	require.True(t, rec.Uninitialized)
	require.EqualValues(t, 33, rec.Payload.Timeout())

	// Overwritten only where nobody is at work on it.
	again := newCopier(t, from, to)
	again.overwrite = true
	require.NoError(t, again.run(ctx, from.List, 3))
	theirs, _ = to.Bytes(testID(2))
	require.Equal(t, frameOf(t, testPayload(t, 2)), theirs)
	busy, err := to.Acquire(ctx, testID(2), time.Minute)
	require.NoError(t, err)
	once := newCopier(t, from, to)
	once.overwrite = true
	require.NoError(t, once.run(ctx, from.List, 3))
	require.Equal(t, 1, once.n.Skipped[skipLocked].Count)
	require.NoError(t, to.Release(ctx, testID(2), busy.Lock))
}

// picky is a store whose form cannot hold one session.
type picky struct {
	session.Store
	refuse string
}

func (p *picky) Save(ctx context.Context, id string, lock session.Lock, v *payload.Payload) error {
	if id == p.refuse {
		return fmt.Errorf("%w: too large", session.ErrUnsupported)
	}
	return p.Store.Save(ctx, id, lock, v)
}

// broken is a store with a damaged session and one that ends as it is read.
type broken struct {
	session.Store
	bad, gone string
}

func (b *broken) Get(ctx context.Context, id string) (session.Record, error) {
	switch id {
	case b.bad:
		return session.Record{}, fmt.Errorf("%w: cut", session.ErrBadData)
	case b.gone:
		return session.Record{}, session.ErrNotFound
	}
	return b.Store.Get(ctx, id)
}

// A save that was made though it seemed to fail counts as made; a store that
// cannot tell a conflict is asked first, and never overwritten.
func TestCopyUnsure(t *testing.T) {
	ctx := t.Context()
	from, to := newInproc(t), newInproc(t)
	for i := range 40 {
		require.NoError(t, from.Save(ctx, testID(i), session.Lock{}, testPayload(t, i)))
	}
	require.NoError(t, to.Save(ctx, testID(7), session.Lock{}, testPayload(t, 99)))
	k := newCopier(t, from, &flaky{Store: to})
	require.NoError(t, k.run(ctx, from.List, 4))
	require.Equal(t, 39, k.n.Copied)
	require.Equal(t, 1, k.n.Skipped[skipExists].Count)
	for i := range 40 {
		want := frameOf(t, testPayload(t, i))
		if i == 7 {
			want = frameOf(t, testPayload(t, 99))
		}
		got, _ := to.Bytes(testID(i))
		require.Equal(t, want, got)
	}
}

// flaky loses every third reply, and like aspnet_state.exe saves over what is there.
type flaky struct {
	session.Store
	calls atomic.Int64
}

func (f *flaky) Capabilities() session.Capabilities {
	c := f.Store.Capabilities()
	c.NewConflict = false
	return c
}

func (f *flaky) Save(ctx context.Context, id string, lock session.Lock, p *payload.Payload) error {
	err := f.Store.Save(ctx, id, lock, p)
	if errors.Is(err, session.ErrExists) {
		if err = f.Store.Remove(ctx, id, lock); err == nil {
			err = f.Store.Save(ctx, id, lock, p)
		}
	}
	if f.calls.Add(1)%3 == 0 {
		return session.ErrUnavailable
	}
	return err
}

// The state file survives cuts and refuses what is not its own.
func TestCopyState(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state")
	s, err := openCopyState(name, "a b")
	require.NoError(t, err)
	require.False(t, s.resumed)
	for i := range 3 {
		require.NoError(t, s.add(testID(i)))
	}
	require.NoError(t, s.close(false))
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NotContains(t, string(whole), testID(1))
	first := bytes.IndexByte(whole, '\n') + 1
	for cut := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(name, whole[:cut], 0o600))
		s, err := openCopyState(name, "a b")
		require.NoError(t, err, "cut at %d", cut)
		want := max(cut-first, 0) / (2*len(copyMark{}) + 1)
		for i := range 3 {
			require.Equal(t, i < want, s.has(testID(i)), "session %d, cut at %d", i, cut)
		}
		require.NoError(t, s.add(testID(9)), "and it goes on")
		require.NoError(t, s.close(false))
		s, err = openCopyState(name, "a b")
		require.NoError(t, err)
		require.True(t, s.has(testID(9)), "cut at %d", cut)
		require.NoError(t, s.close(false))
	}
	for text, want := range map[string]string{
		"a letter\n":               "no state of a copy",
		copyMagic + " zz zz\n":     "damaged",
		copyMagic + "\n":           "no state of a copy",
		string(whole[:first]) + "": "",
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		s, err := openCopyState(name, "a b")
		if want == "" {
			require.NoError(t, err)
			require.NoError(t, s.close(false))
			continue
		}
		require.ErrorContains(t, err, want)
		left, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, text, string(left), "what is not ours stays")
	}
	require.NoError(t, os.WriteFile(name, whole, 0o600))
	_, err = openCopyState(name, "a c")
	require.ErrorContains(t, err, "it is of a copy between other stores")
	_, err = openCopyState(filepath.Join(name, "in a file"), "a c")
	require.ErrorContains(t, err, "--state")
}

// To and from the hashes of Microsoft's older providers each item changes its
// form, and is what it was: to layout C it keeps its bytes.
func TestCopyRedis(t *testing.T) {
	addr := redistest.Server(t)
	s := startService(t)
	src := s.store(t, testApp)
	b, err := os.ReadFile(filepath.Join(testdata, "store-mixed.bin"))
	require.NoError(t, err)
	mixed, err := payload.Open(b, payload.Limits{})
	require.NoError(t, err)
	require.NoError(t, src.Save(t.Context(), testID(0), session.Lock{}, mixed))
	static, err := os.ReadFile(filepath.Join(testdata, "store-static-mixed.bin"))
	require.NoError(t, err)
	tailed, err := payload.Open(static, payload.Limits{})
	require.NoError(t, err)
	require.NoError(t, src.Save(t.Context(), testID(1), session.Lock{}, tailed))

	for _, layout := range []string{"A", "B", "C"} {
		t.Run(layout, func(t *testing.T) {
			back := startService(t)
			state := filepath.Join(t.TempDir(), "state")
			url := "redis://" + addr + "/0?app=/shop&layout=" + layout
			r := runTool(nil, "copy", "--json", "--state", state, "--from", s.url, "--from-admin", s.admin, "--to", url, "--to-app-id", "/shop"+layout)
			require.Equal(t, exitData, r.code, "one has static objects: %s", r.stderr)
			require.Contains(t, string(r.stdout), `"unsupported": {`)
			require.Contains(t, string(r.stdout), "static objects")
			require.Contains(t, string(r.stdout), `"copied": 1,`)
			hash := layout != "C"
			require.Equal(t, hash, bytes.Contains(r.stdout, []byte(`"transcoded": 1`)), "%s", r.stdout)
			require.Equal(t, hash, bytes.Contains(r.stdout, []byte(`"nullItemsLeftOut": 1`)))

			r = runTool(nil, "copy", "--state", state+"2", "--from", url, "--from-app-id", "/shop"+layout, "--to", back.url, "--to-app-id", testApp)
			require.Equal(t, exitOK, r.code, "%s %s", r.stderr, r.stdout)
			rec, err := back.store(t, testApp).Get(t.Context(), testID(0))
			require.NoError(t, err)
			require.Equal(t, mixed.Timeout(), rec.Payload.Timeout())
			if !hash {
				require.Equal(t, b, frameOf(t, rec.Payload))
			}
			for item := range mixed.Items().All() {
				if item.Type() == payload.TypeNull && hash {
					require.False(t, rec.Payload.Items().Has(item.Key))
					continue
				}
				got, ok := rec.Payload.Items().Item(item.Key)
				require.True(t, ok, item.Key)
				require.Equal(t, item.Data, got.Data, item.Key)
			}

			r = runTool(nil, "ls", "--store", url, "--app-id", "/shop"+layout)
			require.Equal(t, exitOK, r.code, r.stderr)
			require.Contains(t, string(r.stdout), shortID(testID(0)))
		})
	}
	r := runTool(nil, "discover", "--store", "redis://"+addr+"/0?app=/shopB&layout=B")
	require.Equal(t, exitOK, r.code, r.stderr)
	for _, want := range []string{`/shopA +layout A \(provider 1.x\) +1 +0 +-`, `/shopB \(yours\) +layout B \(provider 2.x to 4.x\) +1 `, `/shopC +layout C \(provider 5.x\) +1 `, "3 applications"} {
		require.Regexp(t, want, string(r.stdout))
	}
}

// Whatever is in the file, it is refused and stays, or taken and goes on.
func FuzzCopyState(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte(copyMagic + " 00112233445566778899aabbccddeeff 000000000000000000000000\n"))
	f.Add([]byte("notes\n"))
	name := filepath.Join(f.TempDir(), "state")
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(name, data, 0o600))
		s, err := openCopyState(name, "a b")
		if err != nil {
			left, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, data, left)
			return
		}
		require.NoError(t, s.add("x"))
		require.NoError(t, s.close(false))
		s, err = openCopyState(name, "a b")
		require.NoError(t, err)
		require.True(t, s.has("x"))
		require.NoError(t, s.close(true))
	})
}
