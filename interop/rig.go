package interop

import (
	"embed"
	"io/fs"
	"sync"
	"testing"

	"github.com/aspsession/aspsession/internal/aspnet"
	"github.com/aspsession/aspsession/internal/testenv"
)

//go:embed pages models
var material embed.FS

func folder(name string) fs.FS {
	sub, err := fs.Sub(material, name)
	if err != nil {
		panic(err) // the name is no path
	}
	return sub
}

// An App is a web application and the web server that serves it. It is safe for
// concurrent use.
type App = aspnet.App

// AppOptions of a web application. Server is needed; its pages are the ones
// listed in the package comment.
type AppOptions = aspnet.AppOptions

// A Rig is what Build made.
type Rig struct{ rig *aspnet.Rig }

// Build compiles the rig and the session classes, once in a process. Without
// Mono the test is skipped, or fails where ASPSESSION_REQUIRE says so. The files
// go when the process ends, however it does.
func Build(t testing.TB) *Rig {
	t.Helper()
	m, missing := aspnet.Find()
	testenv.Need(t, "aspnet", missing == "", missing)
	once.Do(func() {
		if theRig, failure = m.Build(); failure == nil {
			failure = theRig.Library("RigModels", folder("models"))
		}
	})
	if failure != nil {
		t.Fatal(failure)
	}
	return &Rig{theRig}
}

var (
	once    sync.Once
	theRig  *aspnet.Rig
	failure error
)

// NewApp is for tests that share an application: whoever calls it must Stop it.
func (r *Rig) NewApp(opt AppOptions) (*App, error) {
	opt.Pages, opt.Ready = folder("pages"), "none.aspx"
	return r.rig.NewApp(opt)
}

// NewApp makes an application and serves it until the test ends. If the test
// fails, what the application printed is logged.
func NewApp(t testing.TB, opt AppOptions) *App {
	t.Helper()
	a, err := Build(t).NewApp(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Stop)
	a.Watch(t)
	return a
}
