package child

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes returns a with a new process group, and with SIGKILL as the signal that the
// kernel sends to the child when this process ends.
func attributes(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Setpgid, a.Pdeathsig = true, syscall.SIGKILL
	return a
}

// awaitExit waits until the child has ended, and does not reap it: until then no other
// process group can get its id. It returns false if it could not wait. waitid is no
// alternative: it also returns when a traced child stops.
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
