package child

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes puts a child into a process group of its own, and has it
// killed when this process dies, however it dies.
func attributes(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Setpgid, a.Pdeathsig = true, syscall.SIGKILL
	return a
}

// awaitExit returns true when the child has ended, and leaves it to be reaped:
// until then its number cannot become another process group's. Waiting by number
// would also return when a child that asked to be traced stops.
func awaitExit(pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
