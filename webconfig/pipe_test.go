//go:build unix

package webconfig_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/webconfig"
)

// A pipe would make an open block, and a folder is no file.
func TestOnlyFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.config")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, dir} {
		_, err := webconfig.Read(path, webconfig.Options{})
		require.ErrorIs(t, err, webconfig.ErrFile)
	}
	main := filepath.Join(dir, "web.config")
	require.NoError(t, os.WriteFile(main, []byte(`<configuration><appSettings file="pipe.config"/><connectionStrings configSource="pipe.config"/></configuration>`), 0o600))
	_, err := webconfig.Read(main, webconfig.Options{})
	require.ErrorIs(t, err, webconfig.ErrFile)
	require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 2)
}
