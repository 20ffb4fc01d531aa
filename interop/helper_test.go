package interop_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/interop"
	"github.com/aspsession/aspsession/stateservice"
)

// An application of the test's own: other application id and cookie name, and a
// restart that keeps the port and loses nothing.
func TestApplicationOfItsOwn(t *testing.T) {
	w := enter(t, plain)
	trace := filepath.Join(t.TempDir(), "wire.log")
	app := interop.NewApp(t, interop.AppOptions{
		Server: w.addr(), AppID: "/LM/W3SVC/2/ROOT", Timeout: 7,
		Provider:     map[string]string{"trace": trace},
		SessionState: map[string]string{"cookieName": "sid"},
	})
	v := newVisitor(t)
	v.get(w.a.URL("set.aspx"))
	v.get(app.URL("slow.aspx?ms=0"))
	require.Len(t, v.client.Jar.Cookies(host), 2)
	url := app.URL("get.aspx")
	require.NoError(t, app.Restart())
	require.Equal(t, url, app.URL("get.aspx"))
	page := v.get(url)
	require.Contains(t, page, "new=False ro=False count=1 timeout=7\nn (System.Int32) = 1\n")
	require.NotEqual(t, v.id(), word(t, page, "id"))
	b, err := os.ReadFile(trace)
	require.NoError(t, err)
	require.Contains(t, string(b), " >> PUT %2fLM%2fW3SVC%2f2%2fROOT(")

	require.ErrorContains(t, app.Start(), "is running")
	app.Stop()
	_, _, err = v.try(url)
	require.Error(t, err)
	app.Stop() // a second time is nothing
}

// crash tells this program that it is the child of TestNothingOutlivesACrash.
const crash = "ASPSESSION_INTEROP_CRASH"

// A test process that dies with an application and a Go site up leaves neither
// a process nor a file.
func TestNothingOutlivesACrash(t *testing.T) {
	if os.Getenv(crash) != "" {
		s := stateservice.New(stateservice.Options{})
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() { _ = s.Serve(ln) }()
		app := interop.NewApp(t, interop.AppOptions{Server: ln.Addr().String()})
		runtime.GC() // a pipe to the reaper that nobody holds would be closed now
		runtime.GC()
		resp, err := http.Get(app.URL("set.aspx"))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		site, err := newGoSite(goSiteOptions{Server: ln.Addr().String()})
		require.NoError(t, err)
		fmt.Printf("app %s %s %s\n", app.Dir(), app.URL(""), site.addr)
		go panic("the test crashes") // on another goroutine: no Cleanup runs
		select {}
	}
	interop.Build(t)
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a crash leaves the web server behind")
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "-test.run=^TestNothingOutlivesACrash$", "-test.v")
	cmd.Env = append(os.Environ(), crash+"=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "panic: the test crashes", "%s", out)
	_, line, ok := strings.Cut(string(out), "\napp ")
	require.True(t, ok, "%s", out)
	fields := strings.Fields(line)
	dir := filepath.Dir(fields[0])
	for _, addr := range []string{strings.Trim(fields[1], "htp:/"), fields[2]} {
		eventually(t, "a web server's end", func() bool {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				c.Close()
			}
			return err != nil
		})
	}
	eventually(t, "the removal of "+dir, func() bool {
		_, err := os.Stat(dir)
		return os.IsNotExist(err)
	})
}
