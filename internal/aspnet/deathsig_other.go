//go:build !linux

package aspnet

import "os/exec"

// start starts a command. Here a test that crashes leaves it behind.
func start(cmd *exec.Cmd) error {
	ownGroup(cmd)
	return cmd.Start()
}
