//go:build !linux

package child

import "syscall"

// attributes puts a child into a process group of its own. Only Linux can
// have it killed when this process dies.
func attributes(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Setpgid = true
	return a
}

// awaitExit returns false: only Linux can wait for an exit without reaping the
// child.
func awaitExit(int) bool { return false }
