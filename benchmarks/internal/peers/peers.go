// Package peers starts the servers that are compared: ours and an echo server as
// further processes of the measuring program itself, redis-server and memcached
// where they are installed.
package peers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/stateservice"
)

// asked names the server that this process is to be: "KIND host:port", with
// one address more for the clock of a clocked one.
const asked = "ASPSESSION_BENCHMARK_SERVE"

// ServeIfAsked does not return where the process was started as a server. It
// stands first in main, and in TestMain.
func ServeIfAsked() {
	what := os.Getenv(asked)
	if what == "" {
		return
	}
	var kind, addr, clockAddr string
	_, _ = fmt.Sscan(what, &kind, &addr, &clockAddr) // the last may be missing
	fmt.Fprintln(os.Stderr, serve(kind, addr, clockAddr))
	os.Exit(1)
}

func serve(kind, addr, clockAddr string) error {
	var clock net.Listener
	if clockAddr != "" { // first: whoever started this process waits for the other
		var err error
		if clock, err = net.Listen("tcp", clockAddr); err != nil {
			return err
		}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	var opt stateservice.Options
	switch kind {
	case "service":
		return stateservice.New(opt).Serve(ln)
	case "unparked":
		opt.ParkTimeout = -1
		return stateservice.New(opt).Serve(ln)
	case "clocked":
		return serveClocked(ln, clock, opt)
	case "echo":
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			go echo(c)
		}
	}
	return fmt.Errorf("peers: no server %q", kind)
}

func echo(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

// Service runs our state service in a process of its own.
func Service() (*load.Process, error) { return self("service", "") }

// Unparked runs our state service, which parks nobody: a lock that is held is
// refused at once, as aspnet_state.exe does.
func Unparked() (*load.Process, error) { return self("unparked", "") }

// Echo runs a server that gives back what it is sent.
func Echo() (*load.Process, error) { return self("echo", "") }

func self(kind, more string) (*load.Process, error) {
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return load.Start(addr, []string{asked + "=" + kind + " " + addr + " " + more}, program)
}

// ErrMissing is wrapped by the errors of servers that are not installed.
var ErrMissing = errors.New("not installed")

// Redis runs redis-server without persistence.
func Redis() (*load.Process, error) {
	return system("redis-server", func(port string) []string {
		return []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning", "--dir", os.TempDir()}
	})
}

// Memcached runs memcached with two threads and 512 MiB.
func Memcached() (*load.Process, error) { return MemcachedWith(2, 512) }

// MemcachedWith runs memcached with so many threads and MiB.
func MemcachedWith(threads, megabytes int) (*load.Process, error) {
	return system("memcached", func(port string) []string {
		return []string{"-p", port, "-l", "127.0.0.1", "-U", "0", "-u", "nobody", "-m", strconv.Itoa(megabytes), "-t", strconv.Itoa(threads)}
	})
}

func system(program string, args func(port string) []string) (*load.Process, error) {
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("%s: %w", program, ErrMissing)
	}
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return load.Start(addr, nil, program, args(port)...)
}

// Version is what a program of the system says of itself, "" if it does not.
func Version(program string) string {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return ""
	}
	return regexp.MustCompile(`\d+(\.\d+)+`).FindString(string(out))
}
