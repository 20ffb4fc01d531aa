package sqlserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/sqlserver"
	"github.com/aspsession/aspsession/stores/sqlserver/sqlservertest"
)

// vectors are frames that ASP.NET wrote, compressed or not.
func vectors(t *testing.T, pattern string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../payload/testdata", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	found := map[string][]byte{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		found[filepath.Base(file)] = b
	}
	return found
}

// put stores bytes as ASP.NET would have.
func put(srv *sqlservertest.Server, key string, blob []byte) {
	row := sqlservertest.Row{SessionID: key, Created: srv.Now(), Expires: srv.Now().Add(20 * time.Minute), LockDate: srv.Now(), LockDateLocal: srv.Now(), LockCookie: 1, Timeout: 20}
	if len(blob) <= 7000 {
		row.SessionItemShort = blob
	} else {
		row.SessionItemLong = blob
	}
	srv.Put(row)
}

// stored is what a row holds; of the classic one of the columns must be NULL.
func stored(t *testing.T, srv *sqlservertest.Server, key string) []byte {
	t.Helper()
	row, ok := srv.Get(key)
	require.True(t, ok)
	if len(row.SessionItemShort)+len(row.SessionItemLong) <= 7000 {
		require.Nil(t, row.SessionItemLong, "a short payload")
		return row.SessionItemShort
	}
	require.Nil(t, row.SessionItemShort, "a long payload")
	return row.SessionItemLong
}

// Frames of ASP.NET come back byte for byte: saved as they are, and after an edit
// that was taken back.
func TestVectors(t *testing.T) {
	for _, compress := range []bool{false, true} {
		pattern := "store-*.bin"
		if compress {
			pattern = "deflate-*.bin"
		}
		srv := run(t, sqlserver.Classic)
		s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Compress: compress})
		for name, blob := range vectors(t, pattern) {
			id := newID(t)
			put(srv, classicKey(id), blob)
			rec, err := s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err, name)
			want, err := rec.Payload.Append(nil)
			require.NoError(t, err, name)
			require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), name)
			if !compress {
				require.Equal(t, blob, stored(t, srv, classicKey(id)), name)
				require.Equal(t, blob, want, name)
			}
			rec, err = s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err, name)
			require.NoError(t, rec.Payload.Items().Set("zz edited", strings.Repeat("long ", 2000)))
			require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), name)
			rec, err = s.Acquire(t.Context(), id, time.Minute)
			require.NoError(t, err, name)
			rec.Payload.Items().Remove("zz edited")
			require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload), name)
			rec, err = s.Get(t.Context(), id)
			require.NoError(t, err, name)
			got, err := rec.Payload.Append(nil)
			require.NoError(t, err, name)
			require.Equal(t, want, got, name)
		}
	}
}

// sized is a session whose frame has exactly n bytes.
func sized(t *testing.T, n int) *payload.Payload {
	t.Helper()
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("x", ""))
	for range 3 { // the length of a length grows with it
		text := random(max(0, n-p.Size()) + stringLength(t, p))
		if extra := p.Size(); extra > n {
			text = text[:len(text)-min(len(text), extra-n)]
		}
		require.NoError(t, p.Items().Set("x", text))
	}
	require.Equal(t, n, p.Size())
	return p
}

func stringLength(t *testing.T, p *payload.Payload) int {
	t.Helper()
	s, err := payload.Value[string](p.Items(), "x")
	require.NoError(t, err)
	return len(s)
}

// The boundary of 7,000 bytes, as new sessions and growing and shrinking across
// it: the bytes are in the one column, and the other is NULL.
func TestBoundary(t *testing.T) {
	sizes := []int{100, 6999, 7000, 7001, 1 << 20, 7001, 7000, 8000, 8001, 6999, 1 << 20, 100}
	for name, layout := range map[string]sqlserver.Layout{"classic": sqlserver.Classic, "compat on the classic table": sqlserver.AsyncCompat} {
		t.Run(name, func(t *testing.T) {
			srv := run(t, sqlserver.Classic)
			key := classicKey
			if layout != sqlserver.Classic {
				key = asyncKey
			}
			s := open(t, sqlserver.Options{ConnectionString: srv.DSN(), Layout: layout})
			for _, n := range sizes {
				id := newID(t)
				p := sized(t, n)
				want, err := p.Append(nil)
				require.NoError(t, err)
				require.NoError(t, s.Save(t.Context(), id, session.Lock{}, p))
				require.Equal(t, want, stored(t, srv, key(id)))
				row, _ := srv.Get(key(id))
				require.Equal(t, n <= 7000, row.SessionItemShort != nil, "%d bytes", n)
			}
			id := newID(t)
			require.NoError(t, s.Create(t.Context(), id, 20*time.Minute))
			for _, n := range sizes {
				rec, err := s.Acquire(t.Context(), id, time.Minute)
				require.NoError(t, err)
				p := sized(t, n)
				want, err := p.Append(nil)
				require.NoError(t, err)
				require.NoError(t, s.Save(t.Context(), id, rec.Lock, p))
				require.Equal(t, want, stored(t, srv, key(id)))
				row, _ := srv.Get(key(id))
				require.Equal(t, n <= 7000, row.SessionItemShort != nil, "%d bytes", n)
			}
		})
	}
}

// FrameworkCompat leaves what was short beside what is long.
func TestStaleShort(t *testing.T) {
	srv := run(t, sqlserver.Classic)
	old, err := sized(t, 500).Append(nil)
	require.NoError(t, err)
	now, err := sized(t, 9000).Append(nil)
	require.NoError(t, err)
	for name, opt := range map[string]sqlserver.Options{"classic": {}, "compat": {Layout: sqlserver.AsyncCompat}} {
		opt.ConnectionString = srv.DSN()
		s := open(t, opt)
		id := newID(t)
		key := classicKey(id)
		if opt.Layout != sqlserver.Classic {
			key = asyncKey(id)
		}
		put(srv, key, now)
		row, _ := srv.Get(key)
		row.SessionItemShort = old
		srv.Put(row)
		rec, err := s.Get(t.Context(), id)
		require.NoError(t, err)
		got, err := rec.Payload.Append(nil)
		require.NoError(t, err)
		require.Equal(t, now, got, name)
		rec, err = s.Acquire(t.Context(), id, time.Minute)
		require.NoError(t, err)
		require.NoError(t, rec.Payload.Items().Set("x", "short"))
		require.NoError(t, s.Save(t.Context(), id, rec.Lock, rec.Payload))
		want, err := rec.Payload.Append(nil)
		require.NoError(t, err)
		require.Equal(t, want, stored(t, srv, key), "%s: and what was stale is gone", name)
	}
}
