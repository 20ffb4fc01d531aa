package stateservice_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
)

// A server, or an echo, in a process of its own: for measurements that are of it
// alone.

var childFlag = flag.String("child", "", "be a child: a server or an echo, until standard input ends")

func TestMain(m *testing.M) {
	flag.Parse()
	switch *childFlag {
	case "server":
		serveChild()
	case "echo":
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(c, c) }()
			}
		}()
		fmt.Println(ln.Addr())
		_, _ = io.Copy(io.Discard, os.Stdin)
	default:
		os.Exit(m.Run())
	}
}

// serveChild obeys its standard input: a duration moves the clock.
func serveChild() {
	var ahead atomic.Int64
	s := stateservice.New(stateservice.Options{
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, SweepInterval: time.Second,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go s.Serve(ln)
	fmt.Println(ln.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if d, err := time.ParseDuration(in.Text()); err == nil {
			ahead.Add(int64(d))
		}
		fmt.Println(s.Stats().Items)
	}
	s.Close()
}

// A child is such a process; the test's end ends it.
type child struct {
	t    testing.TB
	addr string
	pid  int
	in   io.WriteCloser
	out  *bufio.Reader
}

func startChild(t testing.TB, kind string) *child {
	cmd := exec.Command(os.Args[0], "-child", kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	c := &child{t: t, pid: cmd.Process.Pid, in: in, out: bufio.NewReader(out)}
	c.addr = c.line()
	return c
}

func (c *child) line() string {
	s, err := c.out.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSpace(s)
}

// tell says a line and returns the answer.
func (c *child) tell(line string) string {
	_, err := io.WriteString(c.in, line+"\n")
	require.NoError(c.t, err)
	return c.line()
}
