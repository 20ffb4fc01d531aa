//go:build linux

package stateservice_test

import "syscall"

// descriptors raises the limit of open files to want if it can, and returns it.
// Go has raised the soft limit to the hard one; that is the superuser's.
func descriptors(want int) int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 1000
	}
	more := syscall.Rlimit{Cur: uint64(want), Max: max(l.Max, uint64(want))}
	if l.Cur < more.Cur && syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more) == nil {
		return want
	}
	return int(min(l.Cur, more.Cur))
}
