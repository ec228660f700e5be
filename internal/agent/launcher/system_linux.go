package launcher

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hideMemory prevents other processes of this user from tracing this one, and from reading its
// memory and files.
func hideMemory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide the memory of this process: %w", err)
	}
	return nil
}

// awaitProcess waits for a child. As the first process of a container it also reaps the processes
// whose parents have ended.
func awaitProcess(p *os.Process) (*os.ProcessState, error) {
	for os.Getpid() == 1 {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		pid := childOf(&info)
		if err != nil || pid == p.Pid || pid <= 0 {
			break
		}
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
	return p.Wait()
}

// memoryUsage are files of the container's cgroup with the memory in use, for both versions of cgroups.
var memoryUsage = []string{"/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}

// Memory returns the memory in use by this container, in bytes; 0 if the container does not show it.
func Memory() int64 {
	for _, file := range memoryUsage {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return n
		}
	}
	return 0
}

// memoryEvents are files of the container's cgroup with a line "oom_kill N", for both versions of
// cgroups.
var memoryEvents = []string{"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"}

// OutOfMemory returns how often the kernel has ended a process of this container because of its
// memory limit; 0 if the container does not show it.
func OutOfMemory() int64 {
	for _, file := range memoryEvents {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			if count, ok := strings.CutPrefix(lines.Text(), "oom_kill "); ok {
				n, _ := strconv.ParseInt(count, 10, 64)
				return n
			}
		}
	}
	return 0
}
