package main

import "syscall"

// detached returns attributes of a child process that receives no signals from the
// terminal and ends with this process.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
