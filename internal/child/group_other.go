//go:build !linux

package child

import "syscall"

// attributes returns a with a new process group. Only Linux has a parent death signal.
func attributes(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Setpgid = true
	return a
}

// awaitExit returns false: it needs a pidfd, which only Linux has.
func awaitExit(int) bool { return false }
