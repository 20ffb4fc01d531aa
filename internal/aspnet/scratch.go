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

// scratch makes a directory that goes when the process ends.
func scratch() (string, error) {
	dir, err := os.MkdirTemp("", "aspsession-aspnet-")
	if err != nil {
		return "", fmt.Errorf("aspnet: %w", err)
	}
	cmd := exec.Command("/bin/sh", "-c", reaper, "aspnet", dir)
	child.OwnGroup(cmd)
	if _, err = cmd.StdinPipe(); err == nil { // never closed: the kernel does it
		err = cmd.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("aspnet: %w", err)
	}
	keep = cmd
	return dir, nil
}

// keep holds on to the pipe, which a garbage collection would close.
var keep *exec.Cmd
