package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Listen opens "unix:PATH", a socket that only its owner may use, or
// "HOST:PORT", where HOST must be loopback. A socket that a dead process left
// behind is replaced; any other file, and a socket that somebody answers on, is
// an error.
func Listen(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return listenUnix(path)
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin: %q: want unix:PATH or HOST:PORT: %w", address, err)
	}
	if !addr.IP.IsLoopback() {
		return nil, fmt.Errorf("admin: %q is not loopback: use 127.0.0.1, [::1] or a unix socket, and a tunnel to reach it from elsewhere", address)
	}
	ln, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	return ln, nil
}

func listenUnix(path string) (net.Listener, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("admin: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("admin: %s is there and no socket: remove it, or give another path", path)
	default:
		c, derr := net.DialTimeout("unix", path, time.Second)
		if derr == nil {
			c.Close()
			return nil, fmt.Errorf("admin: somebody already answers on %s", path)
		}
		// Only that nobody listens makes it a dead one's: not a full backlog, nor
		// somebody else's mode. (Windows says it with a number of its own.)
		if !errors.Is(derr, syscall.ECONNREFUSED) && runtime.GOOS != "windows" {
			return nil, fmt.Errorf("admin: %s may be in use: %w", path, derr)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("admin: %w", err)
		}
	}
	// Where others may pass through the folder, the socket must not be theirs for
	// a moment: it gets its name only once its mode is right.
	dir, err := os.MkdirTemp(parent(path), ".aspstate-")
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	defer os.RemoveAll(dir)
	hidden := dir + "/s"
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	ln.SetUnlinkOnClose(false)
	if err = os.Chmod(hidden, 0o600); err == nil {
		err = os.Rename(hidden, path)
	}
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("admin: %w", err)
	}
	return &socket{ln, path}, nil
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "."
}

// socket removes its file when it is closed.
type socket struct {
	*net.UnixListener
	path string
}

// Addr is the address under which it is found.
func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.path, Net: "unix"} }

// Close implements net.Listener.
func (s *socket) Close() error {
	err := s.UnixListener.Close()
	if rerr := os.Remove(s.path); err == nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = rerr
	}
	return err
}
