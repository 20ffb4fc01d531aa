// Package peers starts the servers that are compared: ours and an echo server as
// further processes of the measuring program itself, redis-server and memcached
// where they are installed.
package peers

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"

	"github.com/aspsession/aspsession/benchmarks/internal/load"
	"github.com/aspsession/aspsession/stateservice"
)

// asked names the server that this process is to be.
const asked = "ASPSESSION_BENCHMARK_SERVE" // "service host:port" or "echo host:port"

// ServeIfAsked does not return where the process was started as a server. It
// stands first in main, and in TestMain.
func ServeIfAsked() {
	what := os.Getenv(asked)
	if what == "" {
		return
	}
	var kind, addr string
	_, err := fmt.Sscan(what, &kind, &addr)
	if err == nil {
		err = serve(kind, addr)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func serve(kind, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	switch kind {
	case "service":
		return stateservice.New(stateservice.Options{MaxItems: -1, MaxBytes: -1, MaxConns: -1}).Serve(ln)
	case "echo":
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}
	return fmt.Errorf("peers: no server %q", kind)
}

// Service runs our state service in a process of its own.
func Service() (*load.Process, error) { return self("service") }

// Echo runs a server that gives back what it is sent.
func Echo() (*load.Process, error) { return self("echo") }

func self(kind string) (*load.Process, error) {
	addr, err := load.FreeAddr()
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return load.Start(addr, []string{asked + "=" + kind + " " + addr}, program)
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
func Memcached() (*load.Process, error) {
	return system("memcached", func(port string) []string {
		return []string{"-p", port, "-l", "127.0.0.1", "-U", "0", "-u", "nobody", "-m", "512", "-t", "2"}
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
