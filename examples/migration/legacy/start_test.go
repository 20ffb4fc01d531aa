package legacy_test

import (
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/examples/migration/legacy"
)

// noMono tells this program that it is the child of TestNoMono.
const noMono = "ASPSESSION_LEGACY_NO_MONO"

// Without Mono the error says what to install.
func TestNoMono(t *testing.T) {
	if os.Getenv(noMono) != "" {
		app, err := legacy.Start("127.0.0.1:42424")
		require.ErrorIs(t, err, legacy.ErrNoMono)
		require.ErrorContains(t, err, "legacy: the pages need Mono: install the Debian packages mono-complete and mono-xsp4 (missing here: mono, mcs)")
		require.Nil(t, app)
		return
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "-test.run=^TestNoMono$", "-test.v")
	cmd.Env = append(os.Environ(), noMono+"=1", "PATH="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestNoMono")
}

func TestStartWantsAnAddress(t *testing.T) {
	enter(t)
	app, err := legacy.Start("localhost")
	require.ErrorContains(t, err, "legacy: the site does not start: ")
	require.ErrorContains(t, err, "missing port")
	require.Nil(t, app)
}

// Two processes of the site: a form and a session of one are good in the other.
func TestTwoProcesses(t *testing.T) {
	w := enter(t)
	other, err := legacy.Start(w.addr)
	require.NoError(t, err)
	defer other.Stop()
	other.Watch(t)
	b := newBrowser(t, w)
	p := b.press(b.open("/catalogue.aspx"), "add TEA", nil)
	_, fields := p.form(t, "add TEA", nil)
	p = b.read(b.client.PostForm(other.URL("catalogue.aspx"), fields))
	require.Equal(t, http.StatusOK, p.status, p.header)
	require.Equal(t, "2", p.field(t, "count"))
	require.Equal(t, "2", b.open("/cart.aspx").field(t, "qty TEA"))
}

// Nobody is at the state service's address: the site starts, for its pages say
// what is wrong.
func TestStateServiceIsNotThere(t *testing.T) {
	w := enter(t)
	app, err := legacy.Start("127.0.0.1:1") // no port that the kernel hands out, as one that was free would be
	require.NoError(t, err)
	defer app.Stop()
	b := newBrowser(t, w)
	p := b.read(b.client.Get(app.URL("prices.aspx")))
	require.Equal(t, http.StatusInternalServerError, p.status)
	require.Contains(t, p.header.Get(legacy.ErrorHeader), "refused")
}
