package runtimetest

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the maximum time for which a test waits.
const patience = 2 * time.Minute

// An Instance is a running function.
type Instance struct {
	// Client sends requests for any host to the instance.
	Client *http.Client
	// Dials returns the number of connections that the client has made.
	Dials func() int

	cmd    *exec.Cmd
	output *buffer
	ended  chan struct{}
}

// Start starts a built function with its own command line and returns when it is ready. It
// is killed at the end of the test.
func Start(tb testing.TB, built Built, env ...string) *Instance {
	tb.Helper()
	return Mode{}.Start(tb, built, env...)
}

// spawn starts a command that inherits the listening socket, a pipe to report that it is
// ready, and further files. It returns the reading end of the pipe.
func spawn(tb testing.TB, command, env []string, more ...*os.File) (*Instance, *os.File) {
	tb.Helper()
	dir, err := os.MkdirTemp("/tmp", "jt") //nolint:usetesting // The path of a socket must be shorter than that of tb.TempDir.
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	listener := listen(tb, socket)
	defer func() { _ = listener.Close() }()
	ready, report, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer report.Close()
	tb.Cleanup(func() { _ = ready.Close() })

	in := &Instance{output: &buffer{}, ended: make(chan struct{})}
	in.connect(tb, socket)
	in.cmd = &exec.Cmd{
		Path:       command[0],
		Args:       command,
		Dir:        dir,
		Env:        append([]string{"HOME=" + dir}, env...),
		Stdout:     in.output,
		Stderr:     in.output,
		ExtraFiles: append([]*os.File{listener, report}, more...),
	}
	if err := in.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		_ = in.cmd.Wait()
		close(in.ended)
	}()
	tb.Cleanup(func() {
		_ = in.cmd.Process.Kill()
		<-in.ended
	})
	return in, ready
}

func listen(tb testing.TB, socket string) *os.File {
	tb.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	listener.SetUnlinkOnClose(false)
	file, err := listener.File()
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

func (in *Instance) connect(tb testing.TB, socket string) {
	tb.Helper()
	var mu sync.Mutex
	dials := 0
	in.Dials = func() int {
		mu.Lock()
		defer mu.Unlock()
		return dials
	}
	transport := &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			mu.Lock()
			dials++
			mu.Unlock()
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}
	tb.Cleanup(transport.CloseIdleConnections)
	in.Client = &http.Client{
		Transport: transport,
		Timeout:   patience,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// Output returns the output of the instance so far.
func (in *Instance) Output() string { return in.output.String() }

// Terminate sends SIGTERM to the instance.
func (in *Instance) Terminate(tb testing.TB) {
	tb.Helper()
	if err := in.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Fatal(err)
	}
}

// Wait waits for the end of the instance and returns its exit status.
func (in *Instance) Wait(tb testing.TB) int {
	tb.Helper()
	select {
	case <-in.ended:
	case <-time.After(patience):
		tb.Fatalf("the instance did not end within %s", patience)
	}
	return in.cmd.ProcessState.ExitCode()
}

// A buffer is safe for concurrent use.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
