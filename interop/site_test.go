package interop_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A site is one process that serves the visitor's pages. All know the same
// addresses: in Go, slow.aspx is a page that was moved.
type site struct {
	name string
	byGo bool
	URL  func(page string) string
}

// sites are the world's four processes, both sides in turn.
func (w *world) sites() []site {
	return []site{
		{"ASP.NET a", false, w.a.URL},
		{"Go g", true, w.g.URL},
		{"ASP.NET b", false, w.b.URL},
		{"Go h", true, w.h.URL},
	}
}

// childEnv tells this program that it is a Go site, and which: a goSiteOptions.
const childEnv = "ASPSESSION_INTEROP_SITE"

type goSiteOptions struct {
	Server           string
	Compress         bool
	ExecutionTimeout time.Duration
}

// A goSite is the parent's end of a process that serves Go pages. It ends when
// its standard input does, and so with its parent, however that ends.
type goSite struct {
	cmd  *exec.Cmd
	in   io.Closer
	addr string
}

func newGoSite(opt goSiteOptions) (*goSite, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(opt)
	if err != nil {
		return nil, err
	}
	s := &goSite{cmd: exec.Command(exe)}
	s.cmd.Env = append(os.Environ(), childEnv+"="+string(config))
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.kill()
		return nil, errors.Join(errors.New("a Go site did not start"), err)
	}
	s.addr = strings.TrimSpace(line)
	return s, nil
}

// URL is the address of a page, as App's.
func (s *goSite) URL(page string) string { return fmt.Sprintf("http://%s/%s", s.addr, page) }

// kill ends the process with SIGKILL. A second time is nothing.
func (s *goSite) kill() {
	_ = s.cmd.Process.Kill() // it has ended, then
	_ = s.cmd.Wait()
	s.in.Close()
}
