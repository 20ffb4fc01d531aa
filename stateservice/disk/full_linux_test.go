package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// smallDisk mounts a file system of so many bytes.
func smallDisk(t *testing.T, size int) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("cannot mount a small file system (it takes root): %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// fill takes all the space there is and returns what frees it.
func fill(t *testing.T, dir string) (free func()) {
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	require.NoError(t, err)
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	return func() { require.NoError(t, os.Remove(name)) }
}

func TestAFullDiskStopsTheStart(t *testing.T) {
	mount := smallDisk(t, 8<<20)
	dir := filepath.Join(mount, "data")
	j := open(t, dir, Options{})
	require.NoError(t, j.Append(put("a", "b")))
	require.NoError(t, j.Close())
	free := fill(t, mount)
	before := contents(t, dir)
	for _, d := range []string{dir, filepath.Join(mount, "new")} {
		_, err := Open(d, Options{})
		require.ErrorIs(t, err, ErrFull)
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.ErrorContains(t, err, d)
		require.ErrorContains(t, err, "free at least 1 MiB")
	}
	require.Equal(t, before, contents(t, dir))
	free()
	require.Len(t, load(t, open(t, dir, Options{})), 1)
}

// A disk that fills: refusals with the cause, reads go on, nothing is lost that
// was there, and what waited is written when there is space again.
func TestADiskThatFillsWhileRunning(t *testing.T) {
	mount := smallDisk(t, 8<<20)
	dir := filepath.Join(mount, "data")
	j := open(t, dir, Options{Retry: 5 * time.Millisecond})
	require.NoError(t, j.Append(put("before", "1")))
	require.NoError(t, j.Sync())
	free := fill(t, mount)
	waits := put("waits", strings.Repeat("x", 1<<20))
	require.NoError(t, j.Append(waits))
	require.ErrorIs(t, j.Sync(), syscall.ENOSPC)
	err := j.Append(put("refused", "3"))
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorIs(t, err, ErrFull)
	require.ErrorContains(t, err, filepath.Join(dir, dataName))
	require.ErrorIs(t, j.Stats().Err, ErrFull)
	require.Contains(t, load(t, j), "before")
	require.Positive(t, j.Stats().Lag)

	free()
	require.Eventually(t, func() bool { return j.Append(put("after", "4")) == nil }, 10*time.Second, time.Millisecond)
	require.NoError(t, j.Close())
	got := load(t, open(t, dir, Options{}))
	require.Len(t, got, 3)
	require.Equal(t, waits.Body, got["waits"].Body)
}

// A crash while the disk is full leaves a directory that is whole.
func TestACloseOnAFullDiskSaysWhatIsLost(t *testing.T) {
	mount := smallDisk(t, 8<<20)
	dir := filepath.Join(mount, "data")
	j := open(t, dir, Options{})
	require.NoError(t, j.Append(put("before", "1")))
	require.NoError(t, j.Sync())
	free := fill(t, mount)
	require.NoError(t, j.Append(put("lost", strings.Repeat("x", 1<<20))))
	require.ErrorIs(t, j.Close(), syscall.ENOSPC)
	free()
	got := load(t, open(t, dir, Options{}))
	require.Len(t, got, 1)
	require.Contains(t, got, "before")
}

// A file that shrinks under the mapping is a fault of memory, which would end
// the process: here it ends the writing.
func TestAFaultOfTheFileIsAnError(t *testing.T) {
	dir := newDir(t)
	sample(t, dir)
	j := open(t, dir, Options{})
	require.NoError(t, os.Truncate(filepath.Join(dir, dataName), 2*pageSize))
	require.NoError(t, j.Append(put("/LM/W3SVC/1/ROOT(x)/0200", "new")))
	err := j.Sync()
	require.ErrorIs(t, err, errPanic)
	require.ErrorContains(t, err, dataName)
	require.ErrorIs(t, j.Append(put("a", "b")), ErrRefused)
	require.ErrorIs(t, j.Load(nil), errPanic)
	require.ErrorIs(t, j.Close(), errPanic)
}

// The user of a test is often root, whom no mode stops; the file system's user
// of one thread can be another.
func TestAnUnreadableFile(t *testing.T) {
	if os.Getuid() != 0 {
		dir := newDir(t)
		sample(t, dir)
		name := filepath.Join(dir, dataName)
		require.NoError(t, os.Chmod(name, 0))
		_, err := Open(dir, Options{})
		requireUnreadable(t, err, name)
		return
	}
	const nobody = 65534
	dir := newDir(t)
	sample(t, dir)
	name := filepath.Join(dir, dataName)
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		require.NoError(t, os.Chown(d, nobody, nobody))
	}
	require.NoError(t, os.Chown(filepath.Join(dir, formatName), nobody, nobody))
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := syscall.Setfsuid(nobody); err != nil {
			done <- err
			return
		}
		_, err := Open(dir, Options{})
		done <- err
	}()
	requireUnreadable(t, <-done, name)
	require.NoError(t, os.Chown(dir, 0, 0))
	require.NoError(t, start(dir, Options{}))
}

func requireUnreadable(t *testing.T, err error, name string) {
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, name)
	require.ErrorContains(t, err, "run as its owner")
}
