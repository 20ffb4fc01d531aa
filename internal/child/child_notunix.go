//go:build !unix

package child

import "os/exec"

// OwnGroup does nothing here.
func OwnGroup(*exec.Cmd) {}

// Kill ends a command; what it started is left.
func Kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // gone already, then
