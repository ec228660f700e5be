package launcher

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// applyFilter applies a seccomp filter to this thread and the program that it
// executes. All later system calls must be on the filter's list.
func applyFilter(c Config, s Step, assembled []byte) error {
	if c.omits(s) {
		return nil
	}
	if err := addFilter(assembled); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	return nil
}

func addFilter(assembled []byte) error {
	const size = int(unsafe.Sizeof(unix.SockFilter{}))
	if len(assembled) == 0 || len(assembled)%size != 0 {
		return fmt.Errorf("filter of %d bytes: want a positive multiple of %d", len(assembled), size)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(assembled) / size), Filter: (*unix.SockFilter)(unsafe.Pointer(&assembled[0]))}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}
