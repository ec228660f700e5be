//go:build !linux

package process

import "syscall"

// childAttributes puts a child into a process group of its own. Only Linux can
// have it killed when this process dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// awaitExit returns false: only Linux can wait for an exit without reaping the
// child.
func awaitExit(int) bool { return false }
