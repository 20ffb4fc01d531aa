//go:build !linux

package child

import "os/exec"

// Start starts a command. Where this process crashes, here it is left behind.
func Start(cmd *exec.Cmd) error {
	OwnGroup(cmd)
	return cmd.Start()
}
