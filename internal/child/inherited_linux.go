package child

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// KeepInherited has no child of this process inherit what the process itself has
// inherited from whoever started it, beside the three standard streams. What Go
// opens is not inherited anyway.
func KeepInherited() error {
	const first = 3
	err := unix.CloseRange(first, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	// Before Linux 5.11 there is no such call.
	entries, readErr := os.ReadDir("/proc/self/fd")
	if readErr != nil {
		return fmt.Errorf("keep file descriptors from children: %w", errors.Join(err, readErr))
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
