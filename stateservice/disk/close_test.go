package disk

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

func TestEndsSeesWhatWasAppended(t *testing.T) {
	j := open(t, newDir(t), Options{Gather: time.Second})
	require.NoError(t, j.Append(stateservice.Change{Kind: stateservice.Remove, Key: "k", Body: []byte("x"), End: 7}))
	require.Len(t, ends(t, j), 1, "journal.go: it sees what was appended before it was called, and may wait for the disk for that")
}

func TestSyncAfterAFailedClose(t *testing.T) {
	j := open(t, newDir(t), Options{Retry: time.Millisecond})
	j.db.MaxSize = 1
	require.NoError(t, j.Append(put("waits", strings.Repeat("x", 1<<20))))
	require.Error(t, j.Close())
	done := make(chan error, 1)
	go func() { done <- j.Sync() }()
	select {
	case err := <-done:
		require.Error(t, err)
	case <-time.After(3 * time.Second):
		t.Fatal("Sync of a closed journal never returns")
	}
}
