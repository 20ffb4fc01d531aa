package aspnet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const packages = "install the Debian packages mono-complete and mono-xsp4"

// Mono is what is installed here: see Find.
type Mono struct {
	run, mcs   string // the runtime, the compiler
	xsp, cecil string // the web server, the library that patches it
}

// Find looks for Mono; missing says in one line what is not there and what
// to install, and is "" where all is.
func Find() (m Mono, missing string) {
	if runtime.GOOS == "windows" {
		return m, "the rig runs on Unix only"
	}
	var not []string
	path := func(tool string) string {
		p, err := exec.LookPath(tool)
		if err != nil {
			not = append(not, tool)
		}
		return p
	}
	m.run, m.mcs = path("mono"), path("mcs")
	if real, err := filepath.EvalSymlinks(m.run); m.run != "" && err == nil {
		lib := filepath.Join(filepath.Dir(filepath.Dir(real)), "lib", "mono")
		file := func(pattern string) string {
			found, err := filepath.Glob(filepath.Join(lib, pattern))
			if err != nil || len(found) == 0 {
				not = append(not, filepath.Join(lib, pattern))
				return ""
			}
			return found[0]
		}
		m.xsp = file("4.5/xsp4.exe")
		m.cecil = file("gac/Mono.Cecil/0.11*/Mono.Cecil.dll")
	}
	if len(not) > 0 {
		return m, fmt.Sprintf("%s (missing here: %s)", packages, strings.Join(not, ", "))
	}
	return m, ""
}

// environ is the environment of Mono's processes: one culture, and temporary
// files where they are removed, what Mono keeps in the home directory (a registry,
// with keys that it makes for each application) among them.
func environ(tmp string, more ...string) []string {
	return append(append(os.Environ(), "LC_ALL=C", "TMPDIR="+tmp, "HOME="+tmp), more...)
}
