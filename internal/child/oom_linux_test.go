package child_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/child"
)

// The roles of the test program in TestOutOfMemory, by the value of roleVariable:
// a server with children, and a child.
const (
	roleVariable = "CHILD_TEST_OOM_ROLE"
	roleServer   = "server"
	roleChild    = "child"
)

const (
	// groupMemory is the limit of the server's cgroup, in bytes. The server alone
	// takes more than any of its children, which together do not fit.
	groupMemory  = 320 << 20
	serverMemory = 128 << 20
	childMemory  = 96 << 20
	childCount   = 3
)

func init() {
	switch os.Getenv(roleVariable) {
	case roleServer:
		if err := serveHungryChildren(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	case roleChild:
		take(childMemory)
		_, _ = unix.Select(0, nil, nil, nil, nil) // Until it is killed.
		os.Exit(0)
	}
}

// take returns so many bytes of memory, all of them in use.
func take(size int) []byte {
	taken := make([]byte, size)
	for i := 0; i < size; i += os.Getpagesize() {
		taken[i] = 1
	}
	return taken
}

// serveHungryChildren waits for a line, takes memory, starts children that take
// more than there is, and prints how the first of them ended.
func serveHungryChildren() error {
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	// A machine may give root no CAP_SYS_RESOURCE; the children's score is enough.
	_ = child.LowerOOMScore()
	own := take(serverMemory)
	ended := make(chan *os.ProcessState, childCount)
	for range childCount {
		cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{roleChild}, Env: []string{roleVariable + "=" + roleChild}}
		group, err := child.Start(cmd)
		if err != nil {
			return err
		}
		go func() {
			_ = group.Wait() // The state says how it ended.
			ended <- cmd.ProcessState
		}()
	}
	state := <-ended
	fmt.Println(state, own[0])
	return nil
}

// TestOutOfMemory_KillsAChildBeforeTheServer lets a server and its children run
// into the limit of their cgroup.
func TestOutOfMemory_KillsAChildBeforeTheServer(t *testing.T) {
	t.Parallel()
	dir := memoryGroup(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := &exec.Cmd{Path: program, Args: []string{roleServer}, Env: []string{roleVariable + "=" + roleServer, "GOGC=off"}}
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	server.Stdout, server.Stderr = &out, &out
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cgroups.WriteCgroupProc(dir, server.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(in); err != nil {
		t.Fatal(err)
	}
	err = server.Wait()
	if want := "signal: killed 1\n"; err != nil || out.String() != want {
		t.Errorf("the server ended with %v and printed %q, want a child that was killed (%q)", err, out.String(), want)
	}
}

// memoryGroup makes a cgroup with a limit of memory.
func memoryGroup(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test makes a cgroup: run it as root")
	}
	base, file := "/sys/fs/cgroup", "memory.max"
	if !cgroups.IsCgroup2UnifiedMode() {
		own, err := cgroups.GetOwnCgroupPath("memory")
		if err != nil {
			t.Fatal(err)
		}
		base, file = own, "memory.limit_in_bytes"
	}
	dir := filepath.Join(base, fmt.Sprintf("jeton-child-test-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cgroups.RemovePath(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, file), fmt.Appendf(nil, "%d", groupMemory), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestStart_RaisesTheOOMScore asks for the highest score, whatever this process has.
func TestStart_RaisesTheOOMScore(t *testing.T) {
	t.Parallel()
	cmd := &exec.Cmd{Path: "/bin/sleep", Args: []string{"sleep", "300"}}
	group, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", cmd.Process.Pid))
	if err != nil || string(score) != "1000\n" {
		t.Errorf("oom_score_adj is %q (%v), want 1000", score, err)
	}
	group.Signal(syscall.SIGKILL)
	_ = group.Wait() // It was killed, which is no news.
}
