package disk

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/aspsession/aspsession/stateservice"
)

// sample fills a directory: sessions on several levels of a tree, a large one,
// graves and ends.
func sample(t testing.TB, dir string) {
	j := open(t, dir, Options{})
	for i := range 400 {
		require.NoError(t, j.Append(put(fmt.Sprintf("/LM/W3SVC/1/ROOT(x)/%04d", i), strings.Repeat("x", i*3))))
	}
	require.NoError(t, j.Append(put("large", strings.Repeat("x", 50_000))))
	for i := range 20 {
		require.NoError(t, j.Append(stateservice.Change{Kind: stateservice.Remove, Key: fmt.Sprint("gone", i), Cookie: 9, Body: []byte("x"), End: uint64(i + 1)}))
	}
	require.NoError(t, j.Close())
}

// contents is all of a directory, to see whether anything was changed.
func contents(t testing.TB, dir string) map[string]string {
	m := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err == nil {
			m[e.Name()] = string(b)
		}
	}
	return m
}

// start opens and loads, as a server does.
func start(dir string, opt Options) error {
	opt.Logger = silent
	j, err := Open(dir, opt)
	if err != nil {
		return err
	}
	defer j.Close()
	return j.Load(func(stateservice.Record) error { return nil })
}

func TestDamage(t *testing.T) {
	alter := func(name string, f func(b []byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			name := filepath.Join(dir, name)
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(name, f(b), 0o600))
		}
	}
	data := func(f func(b []byte) []byte) func(*testing.T, string) { return alter(dataName, f) }
	body := bytes.Repeat([]byte("x"), 1000)
	for name, row := range map[string]struct {
		harm func(t *testing.T, dir string)
		err  error
		says []string
	}{
		"cut to nothing":      {data(func(b []byte) []byte { return nil }), ErrCorrupt, []string{dataName, "cut off", "at byte 0", "move it away"}},
		"cut in the headers":  {data(func(b []byte) []byte { return b[:5000] }), ErrCorrupt, []string{dataName, "cut off", "at byte 5000", "restore"}},
		"cut behind them":     {data(func(b []byte) []byte { return b[:8192] }), ErrCorrupt, []string{dataName, "cut off", "at byte 8192"}},
		"cut in the middle":   {data(func(b []byte) []byte { return b[:200_001] }), ErrCorrupt, []string{dataName, "cut off", "bytes are in use"}},
		"zeros":               {data(func(b []byte) []byte { return make([]byte, len(b)) }), ErrCorrupt, []string{dataName, "headers", "at byte 0"}},
		"garbage":             {data(func(b []byte) []byte { return bytes.Repeat([]byte("garbage."), 9000) }), ErrCorrupt, []string{dataName, "headers"}},
		"a short text":        {data(func(b []byte) []byte { return []byte("hello") }), ErrCorrupt, []string{dataName, "cut off"}},
		"both headers hit":    {data(func(b []byte) []byte { b[40] ^= 1; b[pageSize+40] ^= 1; return b }), ErrCorrupt, []string{dataName, "headers"}},
		"pages zeroed":        {data(func(b []byte) []byte { clear(b[2*pageSize : 60*pageSize]); return b }), ErrCorrupt, []string{dataName, "at byte"}},
		"a content hit":       {data(func(b []byte) []byte { b[bytes.LastIndex(b, body)+500] ^= 1; return b }), ErrCorrupt, []string{dataName, "checksum is wrong at byte"}},
		"every content hit":   {data(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("xxxxxxxx"), []byte("xxxyxxxx")) }), ErrCorrupt, []string{dataName, "checksum is wrong at byte"}},
		"every session moved": {data(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("ROOT(x)/0"), []byte("ROOT(x)/1")) }), ErrCorrupt, []string{dataName}},
		"an end hit":          {data(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("gone7x"), []byte("gone7y")) }), ErrCorrupt, []string{dataName, "checksum is wrong at byte"}},
		"two records swapped": {data(swapRecords), ErrCorrupt, []string{dataName, "keys out of order at byte"}},
		"a bucket's name hit": {data(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("sessions"), []byte("sessionz")) }), ErrCorrupt, []string{dataName, "sessions"}},
		"the file is gone":    {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, dataName))) }, ErrCorrupt, []string{dataName, "missing", "move it away"}},
		"a newer version":     {alter(formatName, func([]byte) []byte { return []byte("aspsession state 2\n") }), ErrVersion, []string{formatName, "aspsession state 1", "program that wrote it"}},
		"a foreign FORMAT":    {alter(formatName, func([]byte) []byte { return nil }), ErrVersion, []string{formatName}},
		"FORMAT is gone":      {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, formatName))) }, ErrCorrupt, []string{dataName, formatName}},
		"another bbolt file":  {foreign, ErrCorrupt, []string{dataName}},
		"a directory for the file": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, dataName)))
			require.NoError(t, os.Mkdir(filepath.Join(dir, dataName), 0o700))
		}, nil, []string{dataName}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newDir(t)
			sample(t, dir)
			require.NoError(t, start(dir, Options{}))
			row.harm(t, dir)
			before := contents(t, dir)
			err := start(dir, Options{})
			require.Error(t, err)
			if row.err != nil {
				require.ErrorIs(t, err, row.err)
			}
			for _, part := range append(row.says, dir) {
				require.ErrorContains(t, err, part)
			}
			t.Log(err)
			require.Equal(t, before, contents(t, dir), "nothing is changed")
		})
	}
}

// swapRecords exchanges the first two of the page of session 0300: each by itself
// is whole. A tree in disorder finds some of its keys and not others.
func swapRecords(b []byte) []byte {
	p := b[bytes.LastIndex(b, []byte("ROOT(x)/0300"))&^(pageSize-1):]
	one, two := p[pageHead:pageHead+elementSize], p[pageHead+elementSize:pageHead+2*elementSize]
	order.PutUint32(one[4:], order.Uint32(one[4:])-elementSize) // places are counted from the element
	order.PutUint32(two[4:], order.Uint32(two[4:])+elementSize)
	kept := bytes.Clone(one)
	copy(one, two)
	copy(two, kept)
	return b
}

// foreign puts a file there that bbolt can read and that is not ours.
func foreign(t *testing.T, dir string) {
	name := filepath.Join(dir, dataName)
	require.NoError(t, os.Remove(name))
	db, err := bbolt.Open(name, 0o600, &bbolt.Options{PageSize: pageSize, NoFreelistSync: true})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("theirs"))
		return err
	}))
	require.NoError(t, db.Close())
}

func TestAForeignDirectoryIsLeftAlone(t *testing.T) {
	dir := newDir(t)
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("dear"), 0o600))
	err := start(dir, Options{})
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "empty directory")
	require.Equal(t, map[string]string{"thesis.txt": "dear"}, contents(t, dir))

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, start(file, Options{}))
	require.Error(t, start(filepath.Join(file, "below"), Options{}))
}

// A start that is cut off leaves a directory that the next start can use.
func TestAStartThatWasCutOff(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"nothing":        {},
		"an empty file":  {dataName: ""},
		"half a FORMAT":  {dataName: "", formatName + ".tmp": "asp"},
		"a probe":        {dataName: "", probeName: "\x00"},
		"before markers": nil,
	} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			if files == nil {
				open(t, dir, Options{}).Close()
				require.NoError(t, os.Remove(filepath.Join(dir, formatName)))
			} else {
				require.NoError(t, os.Mkdir(dir, 0o700))
			}
			for name, text := range files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
			}
			j := open(t, dir, Options{})
			require.NoError(t, j.Append(put("a", "b")))
			require.NoError(t, j.Close())
			require.Len(t, load(t, open(t, dir, Options{})), 1)
			require.Len(t, contents(t, dir), 2)
		})
	}
}

// A power cut can tear the header that was being written: the commit before
// counts then, and somebody should know.
func TestATornHeader(t *testing.T) {
	for i := range int64(2) {
		dir := newDir(t)
		sample(t, dir)
		f, err := os.OpenFile(filepath.Join(dir, dataName), os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("torn"), i*pageSize+60)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		var log bytes.Buffer
		j := open(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.Contains(t, log.String(), "torn")
		require.Len(t, load(t, j), 421, "after a Close nothing depends on one header")
		require.NoError(t, j.Append(put("new", "x")))
		require.NoError(t, j.Close())
		require.NoError(t, start(dir, Options{}))
	}
}

// Whatever is flipped, there is an error or the very sessions; never a panic, a
// hang, or other sessions.
func TestFlippedBytes(t *testing.T) {
	dir := newDir(t)
	sample(t, dir)
	j := open(t, dir, Options{})
	want := load(t, j)
	require.NoError(t, j.Close())
	name := filepath.Join(dir, dataName)
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	n, found := 300, 0
	if testing.Short() {
		n = 50
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		b := bytes.Clone(whole)
		at := rnd.IntN(min(len(whole), 1<<20))
		switch i % 3 {
		case 0: // a bit
			b[at] ^= 1 << rnd.IntN(8)
		case 1: // where structure is: the front of a page
			at = at&^(pageSize-1) + rnd.IntN(64)
			b[at] = byte(rnd.Uint32())
		case 2: // a sector
			for k := range min(512, len(b)-at) {
				b[at+k] = byte(rnd.Uint32())
			}
		}
		require.NoError(t, os.WriteFile(name, b, 0o600))
		got := map[string]stateservice.Record{}
		j, err := Open(dir, Options{Logger: silent})
		if err == nil {
			err = j.Load(func(r stateservice.Record) error { got[r.Key] = r; return nil })
			j.Close()
		}
		if err != nil {
			found++
			require.True(t, errors.Is(err, ErrCorrupt), "flip at %d: %v", at, err)
			continue
		}
		require.Len(t, got, len(want), "flip at %d", at)
		for key, r := range got {
			require.Equal(t, want[key].Body, r.Body, "flip at %d", at)
		}
	}
	t.Logf("%d of %d found; the others hit free space", found, n)
	require.Greater(t, found, n/10)
}

func FuzzCheck(f *testing.F) {
	dir := newDir(f)
	j := open(f, dir, Options{})
	for i := range 20 {
		require.NoError(f, j.Append(put(fmt.Sprint(i), strings.Repeat("x", 300))))
	}
	require.NoError(f, j.Close())
	b, err := os.ReadFile(filepath.Join(dir, dataName))
	require.NoError(f, err)
	b = b[:16*pageSize]
	for _, at := range []int{0, 16, 2*pageSize + 8, 3*pageSize + 20, 5*pageSize + 17, 7 * pageSize, 9*pageSize + 40} {
		f.Add(uint32(at), []byte{0xff})
		f.Add(uint32(at), []byte{0, 0, 0, 0})
	}
	name := filepath.Join(f.TempDir(), "file")
	// The headers are made whole again, so that what is behind is reached.
	f.Fuzz(func(t *testing.T, at uint32, with []byte) {
		b := bytes.Clone(b)
		copy(b[int(at)%len(b):], with)
		require.NoError(t, os.WriteFile(name, b, 0o600))
		if _, err := check(name); err != nil {
			return
		}
		db, err := bbolt.Open(name, 0o600, &bbolt.Options{NoFreelistSync: true}) // panics at what check let through
		require.NoError(t, err)
		defer db.Close()
		_ = db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
				return b.ForEach(func(k, v []byte) error { _ = sum(k, append(v, 0, 0, 0, 0)); return nil })
			})
		})
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("kkey"), record(kindItem, []byte("kkey"), put("key", "body"), 1, []byte("body")))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, key, v []byte) {
		for _, sealed := range []bool{false, true} {
			if sealed && len(v) >= 4 {
				v = seal(key, bytes.Clone(v))
			}
			_, _ = parse(key, v, 3)
			_, _ = parseEnd(key, v)
		}
	})
}
