package sandbox

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forkWithoutEnd has a child start processes until it cannot, or there are most of
// them, and end them all. It returns how many there were. At the limit no process
// of Go survives, which may need a thread at any time: the child makes system
// calls, and nothing else, with what it finds on its stack.
func forkWithoutEnd(pipe [2]int, most int) int {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if pid := forkChild(pipe[1], most); pid < 0 {
		return 0
	}
	var made [8]byte
	// Plain calls that wait would have the scheduler start a thread for others to run on.
	n, _, _ := unix.RawSyscall(unix.SYS_READ, uintptr(pipe[0]), uintptr(unsafe.Pointer(&made)), unsafe.Sizeof(made))
	for errno := unix.Errno(0); errno != unix.ECHILD; {
		// Those that have ended count until somebody has seen it.
		_, _, errno = unix.RawSyscall6(unix.SYS_WAIT4, ^uintptr(0), 0, 0, 0, 0, 0)
	}
	if n != unsafe.Sizeof(made) {
		return 0
	}
	return int(*(*uint64)(unsafe.Pointer(&made)))
}

// forkChild returns in the parent only: the child's number, or -1.
//
//go:norace
//go:nosplit
func forkChild(report, most int) int {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return -1
	}
	if pid != 0 {
		return int(pid)
	}
	unix.RawSyscall(unix.SYS_SETPGID, 0, 0, 0)
	made := uint64(0)
	for made < uint64(most) {
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
		// All of this group, and itself with them.
		unix.RawSyscall(unix.SYS_KILL, 0, uintptr(unix.SIGKILL), 0)
	}
}
