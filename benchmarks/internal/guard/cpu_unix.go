//go:build unix

package guard

import (
	"syscall"
	"time"
)

// now is the processor time of this process so far. What a loaded machine makes
// it wait is not in it.
func now() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason that this call can have
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
