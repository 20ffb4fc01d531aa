package redistest

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// startCommand starts a server that the kernel kills when this process ends,
// however it ends. The kernel does so already when the thread ends that started
// it, so one thread, which never ends, starts all of them.
func startCommand(cmd *exec.Cmd) error {
	starter.Do(func() {
		go func() {
			runtime.LockOSThread()
			for f := range starts {
				f()
			}
		}()
	})
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	done := make(chan error)
	starts <- func() { done <- cmd.Start() }
	return <-done
}

var (
	starter sync.Once
	starts  = make(chan func())
)
