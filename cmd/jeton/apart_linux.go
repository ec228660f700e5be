package main

import "syscall"

// apart keeps the terminal's signals from a process, and ends it with this one.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
