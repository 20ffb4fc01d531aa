//go:build !linux

package redistest

import "os/exec"

func startCommand(cmd *exec.Cmd) error { return cmd.Start() }
