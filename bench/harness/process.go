package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the CPU time that a process has used, without its children.
func CPUTime(pid int) (time.Duration, error) {
	// The kernel's number of a process's CPU clock: clock_getcpuclockid(3).
	const scheduler = 2
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &used); err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// FamilyCPUTime returns the CPU time that a process and its running children have
// used.
func FamilyCPUTime(pid int) (time.Duration, error) {
	total, err := CPUTime(pid)
	if err != nil {
		return 0, err
	}
	for _, child := range children(pid) {
		own, err := CPUTime(child)
		if err != nil {
			return 0, err
		}
		total += own
	}
	return total, nil
}

// ResidentBytes returns the resident memory of a process.
func ResidentBytes(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// Descendants returns the number of a process's descendants, and the resident
// memory of the process and all of them.
func Descendants(pid int) (count int, bytes int64, err error) {
	bytes, err = ResidentBytes(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	for _, child := range children(pid) {
		n, b, err := Descendants(child)
		if err != nil {
			return 0, 0, err
		}
		count, bytes = count+n+1, bytes+b
	}
	return count, bytes, nil
}

func children(pid int) []int {
	var pids []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		content, _ := os.ReadFile(path)
		for _, child := range strings.Fields(string(content)) {
			number, _ := strconv.Atoi(child)
			pids = append(pids, number)
		}
	}
	return pids
}
