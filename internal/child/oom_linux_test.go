package child_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/test/memorylimit"
)

// roleVariable selects the role of the test program in TestStart_KernelKillsChildFirst:
// a server with children, or a child.
const (
	roleVariable = "CHILD_TEST_OOM_ROLE"
	roleServer   = "server"
	roleChild    = "child"
)

const (
	// memoryLimit is the limit of the server's cgroup, in bytes. The server uses more
	// memory than each of its children. Together they need more than the limit.
	memoryLimit  = 320 << 20
	serverMemory = 128 << 20
	childMemory  = 96 << 20
	childCount   = 3
)

func init() {
	switch os.Getenv(roleVariable) {
	case roleServer:
		if err := runServerOutOfMemory(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	case roleChild:
		memorylimit.Allocate(childMemory)
		_, _ = unix.Select(0, nil, nil, nil, nil) // This blocks until the child is killed.
		os.Exit(0)
	}
}

// runServerOutOfMemory allocates memory, starts children that exceed the limit, and
// prints how the first child ended.
func runServerOutOfMemory() error {
	if err := memorylimit.Await(); err != nil {
		return err
	}
	// Root may lack CAP_SYS_RESOURCE: the score of the children is enough.
	_ = child.LowerOOMScore()
	own := memorylimit.Allocate(serverMemory)
	ended := make(chan *os.ProcessState, childCount)
	for range childCount {
		cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{roleChild}, Env: []string{roleVariable + "=" + roleChild}}
		group, err := child.Start(cmd)
		if err != nil {
			return err
		}
		go func() {
			_ = group.Wait() // The state contains the result.
			ended <- cmd.ProcessState
		}()
	}
	state := <-ended
	fmt.Println(state, own[0])
	return nil
}

// TestStart_KernelKillsChildFirst makes a server and its children reach the memory limit
// of their cgroup.
func TestStart_KernelKillsChildFirst(t *testing.T) {
	t.Parallel()
	out, err := memorylimit.Run(t, memoryLimit, roleVariable+"="+roleServer, "GOGC=off")
	if want := "signal: killed 1\n"; err != nil || out != want {
		t.Errorf("got %q and %v from the server, want %q", out, err, want)
	}
}

func TestStart_RaisesOOMScoreOfChild(t *testing.T) {
	t.Parallel()
	cmd := &exec.Cmd{Path: "/bin/sleep", Args: []string{"sleep", "300"}}
	group, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", cmd.Process.Pid))
	if err != nil || string(score) != "1000\n" {
		t.Errorf("got oom_score_adj %q (%v), want 1000", score, err)
	}
	group.Signal(syscall.SIGKILL)
	_ = group.Wait() // It was killed: the error is expected.
}
