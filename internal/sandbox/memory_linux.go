package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs2"
	"github.com/opencontainers/cgroups/fscommon"
	"golang.org/x/sys/unix"
)

// AvailableMemory returns how much memory this process and its children may take,
// in bytes: that of the machine, or less if a cgroup that this process is in has a
// limit. It is 0 if that is not known.
func AvailableMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	total := int64(info.Totalram) * int64(info.Unit)
	if limit := cgroupLimit(); limit > 0 {
		total = min(total, limit)
	}
	return total
}

// cgroupLimit returns the lowest limit of memory of the cgroups that this process
// is in; 0 if there is none.
func cgroupLimit() int64 {
	if !cgroups.IsCgroup2UnifiedMode() {
		path, err := cgroups.GetOwnCgroupPath("memory")
		if err != nil {
			return 0
		}
		limit, err := fscommon.GetValueByKey(path, "memory.stat", "hierarchical_memory_limit")
		if err != nil {
			return 0
		}
		return int64(min(limit, 1<<62))
	}
	own, err := cgroups.ParseCgroupFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	lowest := int64(0)
	for path := own[""]; path != "/" && path != "."; path = filepath.Dir(path) {
		text, err := os.ReadFile(filepath.Join(fs2.UnifiedMountpoint, path, "memory.max"))
		if err != nil {
			continue
		}
		// "max" is no number, and no limit.
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && (lowest == 0 || limit < lowest) {
			lowest = limit
		}
	}
	return lowest
}
