//go:build !linux

package main

import "syscall"

// apart keeps the terminal's signals from a process.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
