//go:build !linux

package main

import "syscall"

// detached returns attributes of a child process that receives no signals from the
// terminal.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
