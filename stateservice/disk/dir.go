package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

const (
	dataName   = "sessions.db"
	formatName = "FORMAT"
	probeName  = "probe.tmp"
	format     = "aspsession state 1\n"
	spare      = 1 << 20 // bytes that must be free at the start
)

// cure ends every message about damage.
const cure = "restore the whole directory from a copy, or move it away to start empty; nothing in it was changed"

// makeDir makes the directory, or checks the one that is there, and reports
// whether it was set up before.
func makeDir(dir string) (ready bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("disk: cannot make the data directory: %w", explain(err))
	}
	st, err := os.Stat(dir)
	if err != nil {
		return false, fmt.Errorf("disk: cannot use the data directory: %w", err)
	}
	if mode := st.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return false, fmt.Errorf("%w: %s has mode %04o, and sessions are in it; run chmod 700 on it", ErrMode, dir, mode)
	}
	name := filepath.Join(dir, formatName)
	f, err := os.ReadFile(name)
	switch {
	case err == nil && string(f) == format:
		_, err := os.Stat(filepath.Join(dir, dataName))
		if errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("%w: %s is missing: %s", ErrCorrupt, filepath.Join(dir, dataName), cure)
		}
		return true, nil
	case err == nil:
		return false, fmt.Errorf("%w: %s does not say %q: use the program that wrote it, or move the directory away to start empty; nothing in it was changed", ErrVersion, name, format[:len(format)-1])
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("disk: cannot read the data directory: %w; run as its owner, or give it to this user", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, fmt.Errorf("disk: cannot read the data directory: %w", err)
	}
	for _, e := range entries {
		// Left by a start that was cut off before it was done.
		if e.Name() != dataName && e.Name() != probeName && e.Name() != formatName+".tmp" {
			return false, fmt.Errorf("%w: %s has no file %s, and other files: name an empty directory, or restore the file; nothing in it was changed", ErrCorrupt, dir, formatName)
		}
	}
	return false, nil
}

// markReady says that the directory is set up.
func markReady(dir string) error {
	tmp := filepath.Join(dir, formatName+".tmp")
	if err := writeSynced(tmp, []byte(format)); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, formatName)); err != nil {
		return fmt.Errorf("disk: cannot set up the data directory: %w", err)
	}
	return syncDir(dir)
}

// probe looks whether there is space to start on.
func probe(dir string) error {
	name := filepath.Join(dir, probeName)
	defer os.Remove(name)
	return writeSynced(name, make([]byte, spare))
}

func writeSynced(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("disk: cannot write in the data directory: %w", explain(err))
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("disk: cannot write in the data directory: %w", explain(err))
	}
	return nil
}

// syncDir makes a rename durable. Windows cannot sync a directory.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("disk: cannot sync the data directory: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("disk: cannot sync the data directory: %w", err)
	}
	return nil
}

// explain adds the cure to what a full disk says.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w: free at least %d MiB on this file system, or name a directory on another", ErrFull, err, spare>>20)
	}
	return err
}
