//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// OwnGroup puts a command into a process group of its own before it starts, so
// that an interrupt at the terminal is not its, and Kill reaches its children.
func OwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// Kill ends a command with all that it started.
func Kill(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // gone already, then
}
