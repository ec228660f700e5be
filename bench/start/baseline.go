package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/bench/harness"
)

// call sends a request over a connection, reads the whole answer, and returns the
// time to its first byte.
func call(conn net.Conn, host string) (time.Duration, error) {
	began := time.Now()
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return 0, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	text := make([]byte, 64<<10)
	n, err := io.ReadAtLeast(conn, text, 1)
	took := time.Since(began)
	for err == nil && !strings.HasSuffix(string(text[:n]), harness.Hello) {
		if !strings.HasPrefix(string(text[:n]), "HTTP/1.1 200") {
			return 0, fmt.Errorf("call %s: got %.300q, want 200", host, text[:n])
		}
		var more int
		more, err = conn.Read(text[n:])
		n += more
	}
	return took, err
}

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
	if _, err := call(conn, "baseline"); err != nil {
		return 0, err
	}
	return harness.Milliseconds(time.Since(began)), nil
}
