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
)

const answer = "hello"

// ask sends a request over a connection, and returns how long the first byte of
// the answer took, once the whole of it has come.
func ask(conn net.Conn, host string) (time.Duration, error) {
	began := time.Now()
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return 0, err
	}
	return readAnswer(conn, began)
}

func readAnswer(conn net.Conn, began time.Time) (time.Duration, error) {
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	text := make([]byte, 64<<10)
	n, err := io.ReadAtLeast(conn, text, 1)
	took := time.Since(began)
	for err == nil && !strings.HasSuffix(string(text[:n]), answer) {
		if !strings.HasPrefix(string(text[:n]), "HTTP/1.1 200") {
			return 0, fmt.Errorf("the answer is %.300q", text[:n])
		}
		var more int
		more, err = conn.Read(text[n:])
		n += more
	}
	return took, err
}

// bare starts a program that nothing is around of, and returns how long it took
// from its start to the first byte of its first answer.
func bare(dir string, command, env []string) (time.Duration, error) {
	path := filepath.Join(dir, "bare.sock")
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
	if _, err := ask(conn, "bare"); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}
