package aspnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aspsession/aspsession/internal/child"
)

const (
	startTimeout = 3 * time.Minute // where many want the processor, a first page takes long
	portTries    = 5
)

// An App is a web application and the web server that serves it. It is safe for
// concurrent use.
type App struct {
	rig   *Rig
	dir   string
	ready string // the page that is asked for first
	out   output

	mu     sync.Mutex // guards all below
	server *server    // nil while stopped
	port   int
}

// server is one run of xsp4.
type server struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// NewApp makes an application and serves it, until it is stopped: whoever calls
// NewApp must do that.
func (r *Rig) NewApp(opt AppOptions) (*App, error) {
	if _, _, err := net.SplitHostPort(opt.Server); err != nil {
		return nil, fmt.Errorf("aspnet: AppOptions.Server: %w", err)
	}
	a := &App{rig: r, dir: r.path(fmt.Sprintf("app%d", r.apps.Add(1))), ready: opt.Ready}
	if err := os.CopyFS(a.dir, opt.Pages); err != nil {
		return nil, fmt.Errorf("aspnet: AppOptions.Pages: %w", err)
	}
	if err := os.Mkdir(filepath.Join(a.dir, "bin"), 0o755); err != nil {
		return nil, fmt.Errorf("aspnet: %w", err)
	}
	libraries, err := filepath.Glob(r.path("bin/*.dll"))
	if err != nil {
		return nil, fmt.Errorf("aspnet: %w", err)
	}
	for _, lib := range libraries {
		if err := copyFile(lib, filepath.Join(a.dir, "bin", filepath.Base(lib))); err != nil {
			return nil, err
		}
	}
	config := opt.WebConfig
	if config == nil {
		config = opt.webConfig()
	}
	if err := os.WriteFile(filepath.Join(a.dir, "web.config"), config, 0o644); err != nil {
		return nil, fmt.Errorf("aspnet: %w", err)
	}
	return a, a.Start()
}

// Dir is the application's folder. Changing what is below its bin ends the
// server: stop it, change, start it.
func (a *App) Dir() string { return a.dir }

// URL is the address of a page, "get.aspx" or "fill.aspx?case=cart".
func (a *App) URL(page string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprintf("http://127.0.0.1:%d/%s", a.port, page)
}

// A TB is what Watch needs of a test.
type TB interface {
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
}

// Watch logs what the application prints from now on, if the test fails.
func (a *App) Watch(t TB) {
	from := a.out.len()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(a.dir), a.out.since(from))
		}
	})
}

// Printed is what the application printed so far, the last 32 KiB of it.
func (a *App) Printed() string { return a.out.since(0) }

// Ended is closed when the web server ends by itself or is stopped; nil while
// the application is stopped.
func (a *App) Ended() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server == nil {
		return nil
	}
	return a.server.done
}

// Restart ends the server and starts another: the same files, nothing in memory.
// The port stays if nobody took it meanwhile.
func (a *App) Restart() error {
	a.Stop()
	return a.Start()
}

// Stop kills the server and what it started. Requests under way are cut off.
func (a *App) Stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil {
		a.server.stop()
		a.server = nil
	}
}

func (s *server) stop() {
	select {
	case <-s.done: // its number may be another's by now
	default:
		child.Kill(s.cmd)
		<-s.done
	}
}

// Start serves a stopped application, and returns when it answers.
func (a *App) Start() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil {
		return errors.New("aspnet: the application is running")
	}
	var err error
	for range portTries {
		if a.port == 0 {
			if a.port, err = freePort(); err != nil {
				return err
			}
		}
		var taken bool
		if a.server, taken, err = a.serve(a.port); err == nil {
			return nil
		}
		if !taken {
			break
		}
		a.port = 0
	}
	return err
}

// freePort asks the kernel for a port. Somebody may take it before xsp4 does.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("aspnet: %w", err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// serve starts xsp4 and waits until it answers; taken says that the port is
// another's.
func (a *App) serve(port int) (_ *server, taken bool, err error) {
	from := a.out.len()
	cmd := exec.Command(a.rig.mono.run, "--debug", a.rig.path("xsp4/xsp4p.exe"),
		"--root", ".", "--address", "127.0.0.1", "--port", fmt.Sprint(port), "--nonstop", "--verbose")
	cmd.Dir = a.dir
	// Its watchers of files would use up the user's inotify instances (128) where
	// some applications run at once; nothing here changes a file that is served.
	cmd.Env = environ(a.rig.path("tmp"), "MONO_PATH="+a.rig.path("xsp4"), "MONO_MANAGED_WATCHER=disabled")
	cmd.Stdout, cmd.Stderr = &a.out, &a.out
	cmd.WaitDelay = 5 * time.Second // for the pipe, if a compiler of its outlives it
	if err := child.Start(cmd); err != nil {
		return nil, false, fmt.Errorf("aspnet: %w", err)
	}
	s := &server{cmd, make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = cmd.Wait() // it was killed, or what it printed says more
	}()
	printed := func() string { return a.out.since(from) }
	if err := s.ready(fmt.Sprintf("http://127.0.0.1:%d/%s", port, a.ready), printed); err != nil {
		s.stop()
		return nil, strings.Contains(printed(), "in use"), fmt.Errorf("aspnet: %w; it printed:\n%s", err, printed())
	}
	return s, false, nil
}

// ready waits until a page answers. It asks only once the server says that it
// has the port: before that another's might answer.
func (s *server) ready(url string, printed func() string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy, nothing left behind
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		if strings.Contains(printed(), "Listening on port") {
			return ask(ctx, client, url)
		}
		select {
		case <-s.done:
			return errors.New("xsp4 ended")
		case <-ctx.Done():
			return fmt.Errorf("xsp4 does not listen: %w", ctx.Err())
		case <-time.After(wait):
		}
	}
}

// ask gets the first page; the connection may wait until it is compiled.
func ask(ctx context.Context, client http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("xsp4 answered %s: %.2000s", resp.Status, b)
	}
	return err
}
