package aspnet

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/aspsession/aspsession/internal/child"
)

// reaper reads until its input ends, which it does when this process ends in
// whatever way: no test has to have a TestMain, and a crash leaves nothing.
const reaper = `trap '' HUP INT TERM; read -r line; rm -rf -- "$1"; sleep 1; rm -rf -- "$1"`

// scratch makes a directory that goes when the process ends. Whoever uses it holds
// on to reaping, whose pipe a garbage collection would close.
func scratch() (dir string, reaping *exec.Cmd, err error) {
	dir, err = os.MkdirTemp("", "aspsession-aspnet-")
	if err != nil {
		return "", nil, fmt.Errorf("aspnet: %w", err)
	}
	cmd := exec.Command("/bin/sh", "-c", reaper, "aspnet", dir)
	child.OwnGroup(cmd)
	if _, err = cmd.StdinPipe(); err == nil { // never closed: the kernel does it
		err = cmd.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", nil, fmt.Errorf("aspnet: %w", err)
	}
	return dir, cmd, nil
}
