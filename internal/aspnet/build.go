package aspnet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// A Rig is the session provider and the web server, compiled: what web
// applications of this process have in common. It is safe for concurrent use.
type Rig struct {
	mono    Mono
	dir     string
	reaping *exec.Cmd    // removes dir: see scratch
	apps    atomic.Int32 // counts them for their folders
}

// Build compiles the rig, in about two seconds. The files go when the process
// ends, however it does.
func (m Mono) Build() (*Rig, error) {
	dir, reaping, err := scratch()
	if err != nil {
		return nil, err
	}
	r := &Rig{mono: m, dir: dir, reaping: reaping}
	for _, folder := range []string{"provider", "xsp4"} {
		if err := unpack(folder, r.path(folder)); err != nil {
			return nil, err
		}
	}
	for _, folder := range []string{"bin", "tmp"} {
		if err := os.Mkdir(r.path(folder), 0o755); err != nil {
			return nil, fmt.Errorf("aspnet: %w", err)
		}
	}
	web := []string{"-r:System.Web", "-r:System.Configuration"}
	return r, all(
		r.patchServer,
		func() error { return r.compile("bin/RigStateServer.dll", web, "provider/StateServerProvider.cs") },
		func() error { return r.compile("bin/RigIds.dll", web, "provider/FrameworkIds.cs") },
	)
}

// Library compiles the C# files at the top of sources into name.dll, which every
// application made from now on has in its bin.
func (r *Rig) Library(name string, sources fs.FS) error {
	dir := r.path("lib" + name)
	if err := os.CopyFS(dir, sources); err != nil {
		return fmt.Errorf("aspnet: %s: %w", name, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.cs"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("aspnet: %s: no C# files in its sources", name)
	}
	for i, file := range files {
		files[i] = filepath.Join("lib"+name, filepath.Base(file))
	}
	return r.compile("bin/"+name+".dll", nil, files...)
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
		return fmt.Errorf("aspnet: %s: %w\n%s", filepath.Base(name), err, out)
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
