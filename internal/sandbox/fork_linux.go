package sandbox

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// countForks makes a child start processes until that fails or there are limit of
// them, kills them all, and returns their number. A Go process may need a new thread at
// any time, and crashes at the process limit: the child makes raw system calls only.
func countForks(pipe [2]int, limit int) int {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if pid := forkChild(pipe[1], limit); pid < 0 {
		return 0
	}
	var made [8]byte
	// A system call that is not raw would make the scheduler start a thread.
	n, _, _ := unix.RawSyscall(unix.SYS_READ, uintptr(pipe[0]), uintptr(unsafe.Pointer(&made)), unsafe.Sizeof(made))
	for errno := unix.Errno(0); errno != unix.ECHILD; {
		// Ended children count against the limit until they are reaped.
		_, _, errno = unix.RawSyscall6(unix.SYS_WAIT4, ^uintptr(0), 0, 0, 0, 0, 0)
	}
	if n != unsafe.Sizeof(made) {
		return 0
	}
	return int(*(*uint64)(unsafe.Pointer(&made)))
}

// forkChild returns in the parent only: the child's process id, or -1.
//
//go:norace
//go:nosplit
func forkChild(report, limit int) int {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return -1
	}
	if pid != 0 {
		return int(pid)
	}
	unix.RawSyscall(unix.SYS_SETPGID, 0, 0, 0)
	made := uint64(0)
	for made < uint64(limit) {
		pid, _, errno = unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno != 0 {
			break
		}
		for pid == 0 {
			unix.RawSyscall(unix.SYS_PPOLL, 0, 0, 0)
		}
		made++
	}
	unix.RawSyscall(unix.SYS_WRITE, uintptr(report), uintptr(unsafe.Pointer(&made)), unsafe.Sizeof(made))
	for {
		// This kills the whole process group, including this process.
		unix.RawSyscall(unix.SYS_KILL, 0, uintptr(unix.SIGKILL), 0)
	}
}
