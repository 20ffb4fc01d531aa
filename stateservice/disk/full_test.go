package disk

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt/errors"
)

// As TestADiskThatFillsWhileRunning, without a file system of its own: bbolt
// itself refuses to let the file grow.
func TestACommitThatFails(t *testing.T) {
	dir := newDir(t)
	j := open(t, dir, Options{Retry: time.Millisecond})
	require.NoError(t, j.Append(put("before", "1")))
	require.NoError(t, j.Sync())
	j.db.MaxSize = 1
	require.NoError(t, j.Append(put("waits", strings.Repeat("x", 1<<20))))
	require.ErrorIs(t, j.Sync(), errors.ErrMaxSizeReached)
	require.ErrorIs(t, j.Append(put("refused", "3")), ErrRefused)
	require.ErrorIs(t, j.Append(put("refused", "3")), errors.ErrMaxSizeReached)
	require.Contains(t, load(t, j), "before")
	j.EndTaken(7) // never fails
	require.Positive(t, j.Stats().Failures)
	require.ErrorIs(t, j.Close(), errors.ErrMaxSizeReached)
	require.Len(t, load(t, open(t, dir, Options{})), 1)
}
