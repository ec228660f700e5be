// Package measure has what the benchmarks share: the CPU time of a process by
// the kernel's accounting, and the median of a few runs.
package measure

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of /proc's CPU times on Linux.
const clockTick = 10 * time.Millisecond

// CPUTime is the CPU time that a process has used, without its children.
func CPUTime(pid int) (time.Duration, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The fields behind the name in parentheses; user and system time are the
	// 14th and 15th of all.
	fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick, err
}

// Median is the middle one of the values.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
