package sandbox

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// within runs a function in the mount namespace of the sandbox, with the
// privileges of the server. A thread that has been there is used for nothing else
// any more.
func (s *Sandbox) within(do func() error) error {
	done := make(chan error, 1)
	go func() {
		// It is never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		done <- s.enter(do)
	}()
	return <-done
}

func (s *Sandbox) enter(do func() error) error {
	// A thread that shares its root folder with others cannot leave them.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("enter sandbox: %w", err)
	}
	if err := unix.Setns(int(s.mounts.Fd()), unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter sandbox: %w", err)
	}
	return do()
}
