// Package memorylimit runs a test program in a cgroup with a memory limit. It needs
// root.
package memorylimit

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/cgroups"

	"github.com/jeton-dev/jeton/test/needs"
)

// Run starts the test's own program with the given environment in a new cgroup with a
// limit in bytes, and returns its output and the error of Wait. The program must call
// Await first.
func Run(t testing.TB, limit int64, env ...string) (string, error) {
	t.Helper()
	needs.Root(t, "makes a cgroup")
	dir := newCgroup(t, limit)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: program, Args: []string{program}, Env: env}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cgroups.WriteCgroupProc(dir, cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(in); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	return out.String(), err
}

// Await waits until this process is in its cgroup.
func Await() error {
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}

// Allocate returns as many bytes, and writes to all of their pages.
func Allocate(size int) []byte {
	memory := make([]byte, size)
	for i := 0; i < size; i += os.Getpagesize() {
		memory[i] = 1
	}
	return memory
}

// serial makes the names of cgroups unique within this process.
var serial atomic.Int64

func newCgroup(t testing.TB, limit int64) string {
	t.Helper()
	base, file := "/sys/fs/cgroup", "memory.max"
	if !cgroups.IsCgroup2UnifiedMode() {
		own, err := cgroups.GetOwnCgroupPath("memory")
		if err != nil {
			t.Fatal(err)
		}
		base, file = own, "memory.limit_in_bytes"
	}
	dir := filepath.Join(base, fmt.Sprintf("jeton-test-memory-%d-%d", os.Getpid(), serial.Add(1)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cgroups.RemovePath(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, file), fmt.Append(nil, limit), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}
