package child_test

import (
	"bufio"
	"errors"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/test/await"
)

// serverVariable makes the test program a server with a child that has a child,
// which holds the server's file descriptor 3 open.
const serverVariable = "CHILD_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		log.Fatal(runServer())
	}
	os.Exit(m.Run())
}

// shell is a script's command, with a file that it has as number 3.
func shell(script string, held *os.File) *exec.Cmd {
	return &exec.Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", script}, ExtraFiles: []*os.File{held}}
}

func runServer() error {
	cmd := shell("sleep 300 & echo up; wait", os.NewFile(3, "held"))
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if _, err := child.Start(cmd); err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, output)
	return err
}

// pipe returns a pipe whose reader waits for the end of all writers, but not
// for ever.
func pipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
	if err := reader.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return reader, writer
}

// wantReleased asks that every process that held the writer ends.
func wantReleased(t *testing.T, reader, writer *os.File) {
	t.Helper()
	_ = writer.Close()
	if _, err := io.Copy(io.Discard, reader); err != nil {
		t.Errorf("a child of a child lives on: %v", err)
	}
}

// TestGrandchildrenDieWithTheServer kills a server whose child has a child.
func TestGrandchildrenDieWithTheServer(t *testing.T) {
	t.Parallel()
	reader, writer := pipe(t)
	server := &exec.Cmd{Path: program(t), Env: []string{serverVariable + "=1"}, ExtraFiles: []*os.File{writer}}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if killErr := server.Process.Kill(); err != nil || killErr != nil || line != "up\n" {
		t.Fatalf("the server printed %q, %v, %v", line, err, killErr)
	}
	_ = server.Wait()
	wantReleased(t, reader, writer)
}

func program(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWaitEndsTheGroup asks that a child's own children end with it, and that
// the command tells how it ended.
func TestWaitEndsTheGroup(t *testing.T) {
	t.Parallel()
	reader, writer := pipe(t)
	group, err := child.Start(shell("sleep 300 & exit 3", writer))
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := group.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("Wait() = %v, want exit status 3", err)
	}
	group.Signal(syscall.SIGKILL)
	wantReleased(t, reader, writer)
}

func TestSignalReachesTheGroup(t *testing.T) {
	t.Parallel()
	reader, writer := pipe(t)
	group, err := child.Start(shell("sleep 300 & sleep 300", writer))
	if err != nil {
		t.Fatal(err)
	}
	group.Signal(syscall.SIGKILL)
	if err := group.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Wait() = %v, want that it was killed", err)
	}
	wantReleased(t, reader, writer)
}

func TestStartOfNothing(t *testing.T) {
	t.Parallel()
	if _, err := child.Start(&exec.Cmd{Path: "/no/such/program"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Start() = %v, want %v", err, os.ErrNotExist)
	}
}

// TestADeadGuardIsReplaced kills the guard, and asks that the next child has
// another one.
func TestADeadGuardIsReplaced(t *testing.T) {
	run := func() {
		if group, err := child.Start(&exec.Cmd{Path: "/bin/true"}); err != nil || group.Wait() != nil {
			t.Fatalf("Start() = %v, want a child that ends well", err)
		}
	}
	run()
	before := guards(t)
	for _, pid := range before {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	await.True(t, "another guard runs", func() bool {
		run()
		after := guards(t)
		return len(after) == 1 && after[0] != before[0]
	})
}

// guards returns the numbers of this process's guards that live.
func guards(t *testing.T) []int {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(names) == 0 {
		t.Skip("there is no /proc")
	}
	var pids []int
	for _, name := range names {
		line, _ := os.ReadFile(name)
		stat, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "stat"))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent := " " + strconv.Itoa(os.Getpid()) + " "
		if strings.TrimRight(string(line), "\x00") == "jeton-guard" && strings.Contains(string(stat), parent) {
			pids = append(pids, pid)
		}
	}
	return pids
}
