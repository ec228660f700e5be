package child

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// CloseInheritedOnExec sets the close-on-exec flag of all file descriptors that this
// process has inherited, except the three standard streams, so that children do not
// inherit them. Go sets it on the descriptors that it opens.
func CloseInheritedOnExec() error {
	const first = 3
	err := unix.CloseRange(first, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	// CLOSE_RANGE_CLOEXEC needs Linux 5.11.
	entries, readErr := os.ReadDir("/proc/self/fd")
	if readErr != nil {
		return fmt.Errorf("set close-on-exec of inherited file descriptors: %w", errors.Join(err, readErr))
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
