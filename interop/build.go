package interop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aspsession/aspsession/internal/testenv"
)

// A Rig is what Build made: the session provider, the session classes and the
// web server, compiled.
type Rig struct {
	mono mono
	dir  string
	apps atomic.Int32 // counts them for their folders
}

// Build compiles the rig, once in a process. Without Mono the test is skipped,
// or fails where ASPSESSION_REQUIRE says so. The files go when the process ends,
// however it does.
func Build(t testing.TB) *Rig {
	t.Helper()
	m, missing := findMono()
	testenv.Need(t, "aspnet", missing == "", missing)
	r, err := built(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	once    sync.Once
	theRig  *Rig
	failure error
)

func built(m mono) (*Rig, error) {
	once.Do(func() { theRig, failure = build(m) })
	return theRig, failure
}

func build(m mono) (*Rig, error) {
	dir, err := scratch()
	if err != nil {
		return nil, err
	}
	r := &Rig{mono: m, dir: dir}
	for _, folder := range []string{"provider", "xsp4"} {
		if err := unpack(folder, r.path(folder)); err != nil {
			return nil, err
		}
	}
	for _, folder := range []string{"bin", "tmp"} {
		if err := os.Mkdir(r.path(folder), 0o755); err != nil {
			return nil, fmt.Errorf("interop: %w", err)
		}
	}
	web := []string{"-r:System.Web", "-r:System.Configuration"}
	return r, all(
		r.patchServer,
		func() error {
			return r.compile("bin/RigModels.dll", nil, "provider/ShoppingCart.cs", "provider/RigModels2.cs")
		},
		func() error { return r.compile("bin/RigStateServer.dll", web, "provider/StateServerProvider.cs") },
		func() error { return r.compile("bin/RigIds.dll", web, "provider/FrameworkIds.cs") },
	)
}

func (r *Rig) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// patchServer makes xsp4/xsp4p.exe: Debian's xsp4 4.2 names TLS types that Mono
// 6.8 no longer has, so a copy of it is pointed at stand-ins.
func (r *Rig) patchServer() error {
	if err := copyFile(r.mono.cecil, r.path("xsp4/Mono.Cecil.dll")); err != nil {
		return err
	}
	if err := all(
		func() error { return r.compile("xsp4/TlsShim.dll", nil, "xsp4/TlsShim.cs") },
		func() error {
			return r.compile("xsp4/patch.exe", []string{"-r:" + r.path("xsp4/Mono.Cecil.dll")}, "xsp4/patch.cs")
		},
	); err != nil {
		return err
	}
	return r.tool(r.mono.run, r.path("xsp4/patch.exe"), r.mono.xsp, r.path("xsp4/xsp4p.exe"))
}

// compile makes a library, or a program where out ends so.
func (r *Rig) compile(out string, flags []string, sources ...string) error {
	args := append([]string{"-out:" + r.path(out)}, flags...)
	if filepath.Ext(out) == ".dll" {
		args = append(args, "-t:library")
	}
	for _, src := range sources {
		args = append(args, r.path(src))
	}
	return r.tool(r.mono.mcs, args...)
}

func (r *Rig) tool(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = r.path("xsp4")
	cmd.Env = environ(r.path("tmp"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("interop: %s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}

// all runs steps side by side.
func all(steps ...func() error) error {
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, step := range steps {
		wg.Go(func() { errs[i] = step() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
