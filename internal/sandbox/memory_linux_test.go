package sandbox_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/cgroups"

	"github.com/jeton-dev/jeton/internal/sandbox"
)

// memoryVariable makes the test program one that prints how much memory it may take,
// once it has read a line.
const memoryVariable = "SANDBOX_TEST_MEMORY"

func init() {
	if os.Getenv(memoryVariable) == "" {
		return
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // Its end is a line, too.
	fmt.Println(sandbox.AvailableMemory())
	os.Exit(0)
}

// TestAvailableMemory_IsThatOfTheCgroup asks a process with a limit, and this one.
func TestAvailableMemory_IsThatOfTheCgroup(t *testing.T) {
	t.Parallel()
	const limit = 256 << 20
	base, file := "/sys/fs/cgroup", "memory.max"
	if !cgroups.IsCgroup2UnifiedMode() {
		own, err := cgroups.GetOwnCgroupPath("memory")
		if err != nil {
			t.Fatal(err)
		}
		base, file = own, "memory.limit_in_bytes"
	}
	dir := filepath.Join(base, fmt.Sprintf("jeton-memory-test-%d", os.Getpid()))
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
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	limited := &exec.Cmd{Path: program, Env: []string{memoryVariable + "=1"}}
	in, err := limited.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	limited.Stdout = &out
	if err := limited.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cgroups.WriteCgroupProc(dir, limited.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := limited.Wait(); err != nil || strings.TrimSpace(out.String()) != fmt.Sprint(limit) {
		t.Errorf("within a limit of %d there are %q bytes (%v)", limit, out.String(), err)
	}
	if own := sandbox.AvailableMemory(); own <= limit {
		t.Errorf("without it there are %d bytes, want more", own)
	}
}
