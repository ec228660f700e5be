package process_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/await"
)

// serverVariable makes the test program a server with one instance, whose
// engine's folder is in the variable's value.
const serverVariable = "PROCESS_TEST_SERVER"

// behaviourVariable says how that instance behaves.
const behaviourVariable = "PROCESS_TEST_BEHAVIOUR"

// diskVariable gives that instance a disk, below the folder in its value.
const diskVariable = "PROCESS_TEST_DISK"

// runServer starts an instance, prints its address, and waits to be killed.
func runServer(dir string) error {
	config := process.Config{Dir: dir}
	if disks := os.Getenv(diskVariable); disks != "" {
		config.Isolation, config.Disk, config.DiskDir = sandbox.Full, 64<<20, disks
	}
	e, err := process.New(config, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	ctx := context.Background()
	events, err := e.Watch(ctx)
	if err != nil {
		return err
	}
	r := engine.Revision{
		ID: "r", Command: []string{program}, Env: []string{"ENGINETEST_BEHAVIOUR=" + os.Getenv(behaviourVariable)}, MemoryLimit: 256, CPULimit: 1000,
	}
	if err := e.Apply(ctx, r); err != nil {
		return err
	}
	if err := e.SetScale(ctx, r.ID, 1, nil); err != nil {
		return err
	}
	for event := range events {
		if event.State != engine.Starting {
			fmt.Fprintln(os.Stdout, event.Address+event.Reason)
		}
	}
	return nil
}

// startServer starts a server with one instance, and returns the instance's
// address.
func startServer(t *testing.T, dir, behaviour string, environment ...string) (server *exec.Cmd, address string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server = exec.Command(program)
	server.Env = append([]string{serverVariable + "=" + dir, behaviourVariable + "=" + behaviour}, environment...)
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill() })
	address, err = bufio.NewReader(output).ReadString('\n')
	if address = strings.TrimSpace(address); err != nil || address == "" {
		t.Fatalf("the server printed %q, %v", address, err)
	}
	return server, address
}

func kill(t *testing.T, server *exec.Cmd) {
	t.Helper()
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
}

// TestInstancesDieWithTheServer kills a server and asks that its instance, which
// ignores SIGTERM, ends, and that the next server clears its folder away.
func TestInstancesDieWithTheServer(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	server, address := startServer(t, dir, "stubborn")
	kill(t, server)
	await.True(t, "the instance has ended", func() bool {
		conn, err := net.Dial("unix", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	newEngine(t, process.Config{Dir: dir})
	if _, err := os.Stat(filepath.Dir(address)); !os.IsNotExist(err) {
		t.Errorf("the killed server's folder is still there: %v", err)
	}
}

// TestChildrenOfInstancesDieWithTheServer kills a server whose instance has
// started a process.
func TestChildrenOfInstancesDieWithTheServer(t *testing.T) {
	t.Parallel()
	server, address := startServer(t, shortDir(t), "leave-child")
	conn, err := net.Dial("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "child\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	stat := "/proc/" + string(answer) + "/stat"
	if _, err := os.Stat(stat); err != nil {
		t.Skipf("the instance's child cannot be watched: %v", err)
	}
	kill(t, server)
	await.True(t, "the child of the instance has ended", func() bool {
		state, err := os.ReadFile(stat)
		return err != nil || strings.Contains(string(state), ") Z ")
	})
}
