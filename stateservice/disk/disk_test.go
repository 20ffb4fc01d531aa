package disk

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// Random changes, and openings in between: what comes back is what a map has.
func TestRandomChangesAgainstAModel(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 1))
			dir := newDir(t)
			now := time.Unix(1_800_000_000, 123_456_789)
			opt := Options{Gather: time.Millisecond, Now: func() time.Time { return now }}
			type kept struct {
				stateservice.Record
				opened int64 // when it was written: the number of the opening
			}
			model, modelEnds := map[string]kept{}, map[uint64]stateservice.End{}
			opened, lastEnd := int64(1), uint64(0)
			j := open(t, dir, opt)
			for range 2000 {
				key := strings.Repeat("k\x00", rnd.IntN(30)) // the empty one too
				c := stateservice.Change{Key: key, Cookie: rnd.Int32N(5), Timeout: rnd.Int32N(3), Uninitialized: rnd.IntN(2) == 0}
				if c.Timeout > 0 {
					c.Expires = now.Add(time.Duration(rnd.Int64N(1e15)))
				}
				old, had := model[key]
				switch k := rnd.IntN(20); {
				case k < 8:
					c.Kind = stateservice.Put
					c.Body = bytes.Repeat([]byte{byte(k)}, rnd.IntN(10)*rnd.IntN(2000))
					model[key] = kept{stateservice.Record{Key: key, Body: c.Body, Expires: c.Expires, Timeout: c.Timeout, Cookie: c.Cookie, Uninitialized: c.Uninitialized}, opened}
				case k < 12:
					c.Kind = stateservice.Touch
					if had && !old.Grave {
						old.Expires, old.Cookie, old.Uninitialized, old.opened = c.Expires, c.Cookie, c.Uninitialized, opened
						model[key] = old
					}
				case k < 16:
					c.Kind = stateservice.Remove
					e := stateservice.End{Reason: stateservice.Removed}
					if k%2 == 0 {
						c.Kind, e.Reason = stateservice.Expire, stateservice.Expired
					}
					if c.Expires.IsZero() {
						c.Expires = now
					}
					c.Timeout, c.Uninitialized = 0, false
					if rnd.IntN(3) == 0 {
						lastEnd++
						c.End, c.Body = lastEnd, []byte(fmt.Sprint("end ", lastEnd))
						e.ID, e.Key, e.Payload = lastEnd, key, c.Body
						modelEnds[lastEnd] = e
					}
					delete(model, key)
					if c.Cookie > 1 {
						model[key] = kept{stateservice.Record{Key: key, Grave: true, Expires: c.Expires, Cookie: c.Cookie}, opened}
					}
				case k < 18:
					c.Kind = stateservice.Forget
					delete(model, key)
				case k < 19:
					for id := range modelEnds {
						j.EndTaken(id)
						delete(modelEnds, id)
						break
					}
					continue
				default:
					if rnd.IntN(10) > 0 {
						continue
					}
					require.NoError(t, j.Close())
					j = open(t, dir, opt)
					opened++
					continue
				}
				require.NoError(t, j.Append(c))
			}
			require.NoError(t, j.Close())
			j = open(t, dir, opt)
			opened++
			got := load(t, j)
			require.Len(t, got, len(model))
			for key, want := range model {
				r := got[key]
				require.True(t, want.Expires.Equal(r.Expires), "%v %v", want.Expires, r.Expires)
				require.Equal(t, want.Expires.IsZero(), r.Expires.IsZero())
				require.True(t, bytes.Equal(want.Body, r.Body))
				want.Cookie += int32(opened-want.opened-1) * 65_536
				want.Expires, want.Body, r.Expires, r.Body = time.Time{}, nil, time.Time{}, nil
				require.Equal(t, want.Record, r)
			}
			for id, e := range modelEnds {
				e.At = time.Unix(0, now.UnixNano())
				modelEnds[id] = e
			}
			var list []stateservice.End
			for _, id := range slices.Sorted(maps.Keys(modelEnds)) {
				list = append(list, modelEnds[id])
			}
			require.Equal(t, list, ends(t, j))
		})
	}
}

func TestManyWritersAndSync(t *testing.T) {
	dir := newDir(t)
	j := open(t, dir, Options{})
	var wg sync.WaitGroup
	for w := range 20 {
		wg.Go(func() {
			for i := range 50 {
				if err := j.Append(put(fmt.Sprint(w, "/", i), strings.Repeat("x", 1000))); err != nil {
					t.Error(err)
				}
				if i%25 == 0 {
					if err := j.Sync(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, j.Sync())
	s := j.Stats()
	require.EqualValues(t, 1000, s.Changes)
	require.Less(t, s.Commits, int64(500), "many writers share a commit")
	require.Zero(t, s.QueuedBytes)
	require.Zero(t, s.Lag)
	require.Positive(t, s.WorstLag)
	require.NoError(t, j.Close())
	require.Len(t, load(t, open(t, dir, Options{})), 1000)
}

// Without anybody asking for it, a change is on disk soon.
func TestAChangeIsCommittedUnasked(t *testing.T) {
	j := open(t, newDir(t), Options{})
	require.NoError(t, j.Append(put("a", "b")))
	require.Eventually(t, func() bool { return len(load(t, j)) == 1 }, 10*time.Second, time.Millisecond)
}

func TestAClosedJournal(t *testing.T) {
	j := open(t, newDir(t), Options{})
	require.NoError(t, j.Close())
	require.ErrorIs(t, j.Append(put("a", "b")), ErrClosed)
	require.ErrorIs(t, j.Load(func(stateservice.Record) error { return nil }), ErrClosed)
	require.ErrorIs(t, j.Ends(func(stateservice.End) bool { return true }), ErrClosed)
	j.EndTaken(1)
	require.NoError(t, j.Sync())
	require.NoError(t, j.Close())
}

func TestYieldsErrorEndsALoad(t *testing.T) {
	j := open(t, newDir(t), Options{})
	require.NoError(t, j.Append(put("a", "1")))
	require.NoError(t, j.Append(put("b", "2")))
	require.NoError(t, j.Sync())
	why, n := errors.New("why"), 0
	require.ErrorIs(t, j.Load(func(stateservice.Record) error { n++; return why }), why)
	require.Equal(t, 1, n)
}

// What the journal has of the engine's and what the engine has of the journal's
// must not be the same memory.
func TestLoadedBodiesAreTheCallers(t *testing.T) {
	j := open(t, newDir(t), Options{})
	require.NoError(t, j.Append(put("a", "body")))
	require.NoError(t, j.Sync())
	copy(load(t, j)["a"].Body, "XXXX")
	require.Equal(t, "body", string(load(t, j)["a"].Body))
}

func TestEndsAreToldUntilTaken(t *testing.T) {
	dir := newDir(t)
	j := open(t, dir, Options{})
	const n = 3*chunkEnds + 5 // more than one read
	for id := uint64(1); id <= n; id++ {
		require.NoError(t, j.Append(stateservice.Change{Kind: stateservice.Expire, Key: fmt.Sprint(id), Body: make([]byte, 100), End: id}))
	}
	require.NoError(t, j.Sync())
	list := ends(t, j)
	require.Len(t, list, n)
	for i, e := range list {
		require.EqualValues(t, i+1, e.ID, "oldest first")
	}
	// Taken ones are not told again, also before the next commit and while reading.
	seen := 0
	require.NoError(t, j.Ends(func(e stateservice.End) bool {
		require.EqualValues(t, 2*seen+1, e.ID)
		j.EndTaken(e.ID)
		j.EndTaken(e.ID + 1)
		seen++
		return true
	}))
	require.Empty(t, ends(t, j))
	require.NoError(t, j.Append(stateservice.Change{Kind: stateservice.Remove, Key: "late", End: n + 1}))
	require.NoError(t, j.Close())
	j = open(t, dir, Options{})
	list = ends(t, j)
	require.Len(t, list, 1)
	require.WithinDuration(t, time.Now(), list[0].At, time.Minute)
	list[0].At = time.Time{}
	require.Equal(t, stateservice.End{ID: n + 1, Key: "late", Reason: stateservice.Removed, Payload: []byte{}}, list[0])
	stopped := 0
	require.NoError(t, j.Ends(func(stateservice.End) bool { stopped++; return false }))
	require.Equal(t, 1, stopped)
}

// A reader who takes his time holds nothing back: the file does not grow, and
// commits go on.
func TestASlowReaderOfEndsHoldsNothingUp(t *testing.T) {
	j := open(t, newDir(t), Options{})
	require.NoError(t, j.Append(stateservice.Change{Kind: stateservice.Remove, Key: "k", End: 1}))
	require.NoError(t, j.Sync())
	require.NoError(t, j.Ends(func(stateservice.End) bool {
		for range 30 {
			require.NoError(t, j.Append(put("big", strings.Repeat("x", 2<<20))))
			require.NoError(t, j.Sync())
		}
		return true
	}))
	require.Less(t, j.Stats().FileBytes, int64(40<<20))
}

// Each opening moves all lock cookies on, also of items that nobody wrote since.
func TestCookiesRiseWithEachOpening(t *testing.T) {
	dir := newDir(t)
	c := put("a", "b")
	c.Cookie = 7
	high := put("high", "b")
	high.Cookie = math.MaxInt32 - 70_000
	j := open(t, dir, Options{})
	require.NoError(t, j.Append(c))
	require.NoError(t, j.Append(high))
	for i := range int32(4) {
		require.NoError(t, j.Close())
		j = open(t, dir, Options{})
		got := load(t, j)
		require.Equal(t, 7+i*65_536, got["a"].Cookie)
		require.Greater(t, got["high"].Cookie, int32(math.MaxInt32-70_001), "never over the end")
	}
}

func TestAQueueThatIsFullRefuses(t *testing.T) {
	j := open(t, newDir(t), Options{Gather: time.Hour, MaxQueue: 10_000})
	require.NoError(t, j.Append(put("large", strings.Repeat("x", 20_000))), "alone, however large")
	err := j.Append(put("a", "b"))
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "the limit is 10000")
	require.NoError(t, j.Sync())
	require.NoError(t, j.Append(put("a", "b")))
	require.ErrorIs(t, j.Append(put(strings.Repeat("k", 40_000), "")), ErrRefused)
	require.NoError(t, j.Sync())
	require.NoError(t, j.Append(put(strings.Repeat("k", maxKey), "")))
	require.NoError(t, j.Sync())
	require.Len(t, load(t, j), 3)
}

func TestADirectoryIsUsedByOne(t *testing.T) {
	dir := newDir(t)
	j := open(t, dir, Options{})
	_, err := Open(dir, Options{LockWait: 10 * time.Millisecond})
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, filepath.Join(dir, dataName))
	require.ErrorContains(t, err, "stop it")
	require.NoError(t, j.Append(put("a", "b")), "the one who has it is not disturbed")
	require.NoError(t, j.Close())
	require.Len(t, load(t, open(t, dir, Options{})), 1)
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes on Windows")
	}
	dir := newDir(t)
	open(t, dir, Options{}).Close()
	st, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), st.Mode().Perm())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, f := range files {
		st, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), st.Mode().Perm(), f.Name())
	}
	for _, mode := range []os.FileMode{0o701, 0o710, 0o740, 0o755, 0o777} {
		require.NoError(t, os.Chmod(dir, mode))
		_, err := Open(dir, Options{})
		require.ErrorIs(t, err, ErrMode)
		require.ErrorContains(t, err, "chmod 700")
		require.ErrorContains(t, err, dir)
	}
}

// Keys and contents are secrets.
func TestNothingSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	j := open(t, newDir(t), Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Retry: time.Millisecond})
	require.NoError(t, j.Sync())
	j.db.MaxSize = 1 // a disk that is full
	require.NoError(t, j.Append(put("SECRET", strings.Repeat("SECRET", 1000))))
	err := j.Sync()
	require.Error(t, err)
	require.NotContains(t, err.Error(), "SECRET")
	j.Close()
	require.Contains(t, log.String(), "commit failed")
	require.NotContains(t, log.String(), "SECRET")
}

func TestManyOpenings(t *testing.T) {
	dir := newDir(t)
	for i := range 30 {
		j := open(t, dir, Options{})
		require.Len(t, load(t, j), i)
		require.NoError(t, j.Append(put(fmt.Sprint(i), "x")))
		require.NoError(t, j.Close())
	}
}
