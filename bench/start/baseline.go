package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

// startBaseline starts a function's program without isolation, and returns the
// milliseconds from its start to its first answer. Its socket is in dir.
func startBaseline(dir string, command, env []string) (float64, error) {
	path := filepath.Join(dir, "baseline.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return 0, err
	}
	socket, err := listener.File()
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	defer socket.Close()
	readiness, report, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer readiness.Close()
	defer report.Close()
	c := &exec.Cmd{
		Path: command[0], Args: command, Env: append([]string{"PATH=/usr/bin:/bin"}, env...), ExtraFiles: []*os.File{socket, report}, Stderr: os.Stderr,
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, err := cold.Call(conn, "baseline"); err != nil {
		return 0, err
	}
	return harness.Milliseconds(time.Since(began)), nil
}
