package child

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// Start starts a command that the kernel kills when this process ends. The
// kernel does so already when the thread ends that started it, so one thread,
// which never ends, starts all of them.
func Start(cmd *exec.Cmd) error {
	starter.Do(func() {
		go func() {
			runtime.LockOSThread()
			for f := range starts {
				f()
			}
		}()
	})
	OwnGroup(cmd)
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	done := make(chan error)
	starts <- func() { done <- cmd.Start() }
	return <-done
}

var (
	starter sync.Once
	starts  = make(chan func())
)
