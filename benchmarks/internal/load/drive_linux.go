package load

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// A driven connection: the raw socket, without Go's poller.
type driven struct {
	exchange
	fd    int
	sent  int // of out
	full  bool
	at    int // which of the steps
	turn  int // which operation
	began time.Time
}

// drive runs the operations over conns connections for d, on one thread with a
// processor of its own where there are two: it polls and never sleeps, so that
// what is measured is the server's sleeping and waking alone.
func drive(t Target, steps []step, conns int, key func(conn, k int) int, d time.Duration, over func() bool) (took []time.Duration, count int, spent time.Duration, err error) {
	took = make([]time.Duration, 0, 1<<20)
	err = OnCPU(1, func() error {
		poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return err
		}
		defer syscall.Close(poll)
		all := make([]*driven, conns)
		for i := range all {
			fd, err := connect(t.Addr)
			if err != nil {
				return err
			}
			defer syscall.Close(fd)
			all[i] = &driven{exchange: exchange{protocol: t.protocol()}, fd: fd}
			if err := watch(poll, syscall.EPOLL_CTL_ADD, fd, i, false); err != nil {
				return err
			}
		}
		begin := time.Now()
		warm := begin.Add(warmUp(d))
		for i, c := range all {
			if err := c.start(poll, i, steps, key); err != nil {
				return err
			}
		}
		busy, ending := conns, false // ending: what is under way is still taken, so that no lock stays
		var events [256]syscall.EpollEvent
		for now := begin; busy > 0; {
			n, err := ready(poll, &events)
			if err != nil {
				return err
			}
			if n == 0 {
				now = time.Now()
			}
			for _, e := range events[:n] {
				i := int(e.Fd)
				c := all[i]
				whole, err := c.turnOver(poll, i, steps, key)
				if err != nil {
					return err
				}
				now = time.Now()
				switch {
				case !whole:
					continue
				case ending:
					busy--
					continue
				case c.began.After(warm):
					took = append(took, now.Sub(c.began))
				}
				count++
				if err := c.start(poll, i, steps, key); err != nil {
					return err
				}
			}
			age := now.Sub(begin)
			// On a busy machine a short run may have nothing yet.
			if !ending && (age >= d || over()) && (len(took) > 0 || age > patience) {
				spent, ending = age, true
			}
			if ending && age > spent+patience {
				return errSilent
			}
		}
		return nil
	})
	return took, count, spent, err
}

// start sends the first request of the next operation.
func (c *driven) start(poll, i int, steps []step, key func(conn, k int) int) error {
	c.at = 0
	c.turn++
	c.began = time.Now()
	c.ask(steps[0], key(i, c.turn))
	return c.send(poll, i)
}

// turnOver goes on where a socket is ready; whole is that the operation is done.
func (c *driven) turnOver(poll, i int, steps []step, key func(conn, k int) int) (whole bool, err error) {
	if c.sent < len(c.out) {
		return false, c.send(poll, i)
	}
	n, err := call(syscall.SYS_READ, c.fd, c.room())
	if n == 0 && err == nil {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return false, err
	}
	c.in = c.in[:len(c.in)+n]
	whole, err = c.answered(steps[c.at])
	if !whole || err != nil {
		return false, err
	}
	if c.at++; c.at == len(steps) {
		return true, nil
	}
	c.ask(steps[c.at], key(i, c.turn))
	return false, c.send(poll, i)
}

// send sends what it can; the rest when there is room again.
func (c *driven) send(poll, i int) error {
	n, err := call(syscall.SYS_WRITE, c.fd, c.out[c.sent:])
	if err != nil && err != syscall.EAGAIN {
		return err
	}
	c.sent += max(n, 0)
	full := c.sent < len(c.out)
	if !full {
		c.out, c.sent = c.out[:0], 0
	}
	if full != c.full {
		c.full = full
		return watch(poll, syscall.EPOLL_CTL_MOD, c.fd, i, full)
	}
	return nil
}

// call reads or writes without telling Go's scheduler: the socket never blocks.
func call(nr uintptr, fd int, b []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(nr, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// ready is which sockets are, now.
func ready(poll int, events *[256]syscall.EpollEvent) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(poll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno == syscall.EINTR {
		return 0, nil
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func watch(poll, op, fd, i int, full bool) error {
	e := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
	if full {
		e.Events |= syscall.EPOLLOUT
	}
	return syscall.EpollCtl(poll, op, fd, &e)
}

func connect(addr string) (fd int, err error) {
	to, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return 0, err
	}
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			syscall.Close(fd)
		}
	}()
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}); err != nil {
		return 0, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return 0, err
	}
	return fd, syscall.SetNonblock(fd, true)
}

// A cpuSet is the kernel's cpu_set_t.
type cpuSet [16]uint64

// affinity is a system call on a thread, 0 for the one that calls.
func affinity(nr uintptr, thread int, set *cpuSet) error {
	_, _, errno := syscall.RawSyscall(nr, uintptr(thread), unsafe.Sizeof(*set), uintptr(unsafe.Pointer(set)))
	if errno != 0 {
		return errno
	}
	return nil
}

// OnCPU runs f on the n-th of the processors that this process may use; what is
// started in it stays there. Where there are not so many it runs f anywhere.
func OnCPU(n int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	had, one, err := nth(n)
	if err != nil || one == nil {
		return errors.Join(err, f())
	}
	if err := affinity(syscall.SYS_SCHED_SETAFFINITY, 0, one); err != nil {
		return err
	}
	defer affinity(syscall.SYS_SCHED_SETAFFINITY, 0, had)
	return f()
}

// AllOnCPU is OnCPU for the whole process, threads that f makes included. It is
// not for two at a time.
func AllOnCPU(n int, f func() error) error {
	had, one, err := nth(n)
	if err != nil || one == nil {
		return errors.Join(err, f())
	}
	if err := eachThread(one); err != nil {
		return err
	}
	defer eachThread(had)
	return f()
}

// eachThread moves all threads; one that is made meanwhile is where its maker is.
func eachThread(to *cpuSet) error {
	const rounds = 3 // a thread may be made by one that was not moved yet
	for range rounds {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			if err := affinity(syscall.SYS_SCHED_SETAFFINITY, id, to); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
	}
	return nil
}

// nth is what this thread may use, and the n-th of that; nil where there are not
// so many.
func nth(n int) (had, one *cpuSet, err error) {
	had, one = new(cpuSet), new(cpuSet)
	if err := affinity(syscall.SYS_SCHED_GETAFFINITY, 0, had); err != nil {
		return nil, nil, err
	}
	for i, word := range had {
		for ; word != 0; word &= word - 1 {
			if n == 0 {
				one[i] = 1 << bits.TrailingZeros64(word)
				return had, one, nil
			}
			n--
		}
	}
	return had, nil, nil
}
