package tree

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem writes all data of the file system of f to the disk.
func syncFileSystem(f *os.File) error {
	return os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd())))
}
