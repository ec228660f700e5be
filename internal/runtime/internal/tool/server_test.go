package tool_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// serverVariable makes the test program act as a server. It runs a tool whose child keeps
// the FIFO open that the variable names.
const serverVariable = "TOOL_TEST_SERVER"

func TestMain(m *testing.M) {
	if fifo := os.Getenv(serverVariable); fifo != "" {
		c := shell(`exec 3>"$FIFO"; sleep 300 & while echo up; do sleep 0.05; done`)
		c.Env, c.Log = []string{"FIFO=" + fifo, "PATH=/usr/bin:/bin"}, os.Stdout
		_, err := tool.Run(context.Background(), c)
		log.Fatal(err)
	}
	os.Exit(m.Run())
}

// The server is killed while a tool with a child process runs.
func TestRun_EndsTheToolWithTheServer(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := &exec.Cmd{Path: program, Env: []string{serverVariable + "=" + fifo}}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	// After its second line the tool is registered.
	lines := bufio.NewReader(output)
	_, err = lines.ReadString('\n')
	if err == nil {
		_, err = lines.ReadString('\n')
	}
	if killErr := server.Process.Kill(); err != nil || killErr != nil {
		t.Fatalf("read from the server: %v, kill it: %v", err, killErr)
	}
	_ = server.Wait()
	if err := held.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, held); err != nil {
		t.Errorf("a child of the tool still runs: %v", err)
	}
}
