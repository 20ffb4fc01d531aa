package disk

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

var silent = slog.New(slog.DiscardHandler)

// newDir is a directory that does not exist yet.
func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "data") }

func open(t testing.TB, dir string, opt Options) *Journal {
	t.Helper()
	if opt.Logger == nil {
		opt.Logger = silent
	}
	j, err := Open(dir, opt)
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	return j
}

// load returns all that is kept, by key.
func load(t testing.TB, j *Journal) map[string]stateservice.Record {
	t.Helper()
	m := map[string]stateservice.Record{}
	require.NoError(t, j.Load(func(r stateservice.Record) error {
		require.NotContains(t, m, r.Key)
		m[r.Key] = r
		return nil
	}))
	return m
}

func ends(t testing.TB, j *Journal) (list []stateservice.End) {
	t.Helper()
	require.NoError(t, j.Ends(func(e stateservice.End) bool {
		list = append(list, e)
		return true
	}))
	return list
}

func put(key, body string) stateservice.Change {
	return stateservice.Change{Kind: stateservice.Put, Key: key, Body: []byte(body), Timeout: 20, Cookie: 1, Expires: time.Unix(1_800_000_000, 5)}
}
