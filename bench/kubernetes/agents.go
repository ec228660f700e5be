package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jeton-dev/jeton/bench/harness"
)

// agentProcesses returns the IDs of the agents in Pods. The process IDs of Pods are visible in
// the namespace of the node, where this process runs.
func agentProcesses() (pids []int, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // The process has ended.
		}
		if !strings.Contains(string(content), "\x00agent\x00--dir=") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	if len(pids) == 0 {
		return nil, errors.New("no agent runs in a Pod")
	}
	return pids, nil
}

// cpuTime returns the CPU time of processes in seconds.
func cpuTime(pids []int) (seconds float64, err error) {
	for _, pid := range pids {
		used, err := harness.CPUTime(pid)
		if err != nil {
			return 0, err
		}
		seconds += used.Seconds()
	}
	return seconds, nil
}
