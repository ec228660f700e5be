package process_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/await"
)

// serverVariable makes the test program a server with one instance. Its value is the
// Dir of the engine.
const serverVariable = "PROCESS_TEST_SERVER"

// behaviourVariable is the behaviour of that instance.
const behaviourVariable = "PROCESS_TEST_BEHAVIOUR"

// markVariable distinguishes the processes of that instance from all others.
const markVariable = "PROCESS_TEST_MARK"

// diskVariable is the DiskDir of the engine, at isolation level full.
const diskVariable = "PROCESS_TEST_DISK"

// runServer starts an instance, prints the path of its socket, and waits to be killed.
func runServer(dir string) error {
	empty, err := os.MkdirTemp(dir, "artifact")
	if err != nil {
		return err
	}
	config := process.Config{Dir: dir, Artifacts: ports{empty}, Starter: ports{empty}}
	if disks := os.Getenv(diskVariable); disks != "" {
		config.Isolation, config.Disk, config.DiskDir = sandbox.Full, 64<<20, disks
	}
	e, err := process.New(config, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx := context.Background()
	events, err := e.Watch(ctx)
	if err != nil {
		return err
	}
	r := enginetest.Revision(os.Getenv(behaviourVariable), markVariable+"="+os.Getenv(markVariable))
	if err := e.Apply(ctx, r); err != nil {
		return err
	}
	if err := e.SetScale(ctx, r.ID, 1, nil); err != nil {
		return err
	}
	for event := range events {
		if event.State == engine.Ready || event.State == engine.Gone {
			fmt.Fprintln(os.Stdout, event.Address.Endpoint()+event.Reason)
		}
	}
	return nil
}

// startServer starts a server with one instance, and returns the path of the
// instance's socket.
func startServer(t *testing.T, dir, behaviour string, environment ...string) (server *exec.Cmd, socket string) {
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
	socket, err = bufio.NewReader(output).ReadString('\n')
	if socket = strings.TrimSpace(socket); err != nil || socket == "" {
		t.Fatalf("the server printed %q, %v, want the path of a socket", socket, err)
	}
	return server, socket
}

func kill(t *testing.T, server *exec.Cmd) {
	t.Helper()
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
}

// TestKilledServer_InstancesEnd kills a server whose instance ignores SIGTERM. The
// instance ends, and the next engine removes the folder.
func TestKilledServer_InstancesEnd(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	server, socket := startServer(t, dir, enginetest.Stubborn)
	kill(t, server)
	await.True(t, "the instance has ended", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	newEngine(t, process.Config{Dir: dir})
	if _, err := os.Stat(filepath.Dir(socket)); !os.IsNotExist(err) {
		t.Errorf("stat of the killed server's folder = %v, want that it does not exist", err)
	}
}

// TestKilledServer_ChildrenOfInstancesEnd kills a server whose instance has started a
// process.
func TestKilledServer_ChildrenOfInstancesEnd(t *testing.T) {
	t.Parallel()
	mark := markVariable + "=" + rand.Text()
	server, _ := startServer(t, shortDir(t), enginetest.LeaveChild, mark)
	child := findProcess(t, mark, true)
	if child == 0 {
		t.Fatal("the instance has no child")
	}
	kill(t, server)
	await.True(t, "the child of the instance has ended", func() bool { return ended(child) })
}
