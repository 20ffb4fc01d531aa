package admin_test

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice/admin"
)

// A live service whose backlog is full answers connect with EAGAIN. It is not dead.
func TestBusySocketIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	defer syscall.Close(fd)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	require.NoError(t, syscall.Listen(fd, 0))
	for {
		c, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		defer c.Close()
	}
	ln, err := admin.Listen("unix:" + path)
	if err == nil {
		ln.Close()
	}
	require.Error(t, err, "somebody listens there")
}
