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
// until then its number cannot become another process group's.
func awaitExit(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
