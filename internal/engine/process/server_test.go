package process_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/process"
)

// serverVariable makes the test program a server with one instance, whose
// engine's folder is in the variable's value.
const serverVariable = "PROCESS_TEST_SERVER"

// runServer starts an instance, prints its address, and waits to be killed.
func runServer(dir string) error {
	e, err := process.New(process.Config{Dir: dir}, slog.New(slog.DiscardHandler))
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
	r := engine.Revision{ID: "r", Command: []string{program}, Env: []string{"ENGINETEST_BEHAVIOUR=stubborn"}}
	if err := e.Apply(ctx, r); err != nil {
		return err
	}
	if err := e.SetScale(ctx, r.ID, 1, nil); err != nil {
		return err
	}
	for event := range events {
		if event.State != engine.Starting {
			fmt.Fprintln(os.Stdout, event.Address)
		}
	}
	return nil
}

// TestInstancesDieWithTheServer kills a server and asks that its instance, which
// ignores SIGTERM, ends, and that the next server clears its folder away.
func TestInstancesDieWithTheServer(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program)
	server.Env = []string{serverVariable + "=" + dir}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(output).ReadString('\n')
	address = strings.TrimSpace(address)
	if killErr := server.Process.Kill(); err != nil || killErr != nil || address == "" {
		t.Fatalf("the server printed %q, %v, %v", address, err, killErr)
	}
	_ = server.Wait()

	deadline := time.Now().Add(20 * time.Second)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for ; ; <-ticker.C {
		conn, err := net.Dial("unix", address)
		if err != nil {
			break
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the instance outlives its server")
		}
	}
	newEngine(t, process.Config{Dir: dir})
	if _, err := os.Stat(filepath.Dir(address)); !os.IsNotExist(err) {
		t.Errorf("the killed server's folder is still there: %v", err)
	}
}
