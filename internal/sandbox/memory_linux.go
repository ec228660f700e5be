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

// AvailableMemory returns the memory that this process and its children may use, in
// bytes: that of the machine, or the lowest limit of the cgroups of this process. It
// returns 0 if the size is unknown.
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

// cgroupLimit returns the lowest memory limit of this process's cgroups; 0 for none.
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
		// "max" means no limit, and does not parse.
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && (lowest == 0 || limit < lowest) {
			lowest = limit
		}
	}
	return lowest
}
