package launcher

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// childSiginfo is the start of siginfo_t for SIGCHLD on 64-bit Linux.
type childSiginfo struct {
	signo, errno, code, _ int32
	pid                   int32
}

// childOf returns the process of a siginfo_t that waitid has filled.
func childOf(info *unix.Siginfo) int { return int((*childSiginfo)(unsafe.Pointer(info)).pid) }
