package tool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/needs"
)

func TestIsolation_LimitsTools(t *testing.T) {
	t.Parallel()
	needs.Root(t, "isolates at level full")
	host, err := sandbox.Open(sandbox.Full, fmt.Sprintf("jeton-tool-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dir := t.TempDir()
	for _, name := range []string{"readable", "writable", "hidden"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "file"), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	connect := fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d", listener.Addr().(*net.TCPAddr).Port)
	tests := map[string]struct {
		script  string
		network bool
		ok      bool
	}{
		"writes a writable folder":        {"echo new > writable/file && mkdir writable/dir && mv writable/file writable/dir/moved", false, true},
		"reads a readable folder":         {"test $(cat readable/file) = readable", false, true},
		"cannot write a readable folder":  {"echo new > readable/file", false, false},
		"cannot read other folders":       {"cat hidden/file", false, false},
		"cannot see the machine's users":  {"grep -q daemon /etc/passwd", false, false},
		"cannot connect to the machine":   {connect, false, false},
		"cannot connect with network":     {connect, true, false},
		"can write temporary files":       {"echo x > /tmp/x", false, true},
		"cannot run version control":      {"for p in git /usr/bin/git /usr/lib/git-core/git hg svn; do $p --version && exit 0; done; exit 1", false, false},
		"no version control with network": {"git --version", true, false},
		"cannot write system folders":     {"touch /usr/x", false, false},
		"cannot see other processes":      {"test $(ls -d /proc/[0-9]* | wc -l) -lt 5", false, true},
		"is killed with its children":     {"sleep 300 & exit 3", false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := tool.Command{
				Args: []string{"/bin/bash", "-c", test.script}, Dir: dir, Env: []string{"PATH=/usr/bin:/bin"},
				Readable: []string{filepath.Join(dir, "readable")}, Writable: []string{filepath.Join(dir, "writable")},
				Network: test.network, Isolation: &tool.Isolation{Host: host, Egress: &egress.Policy{Now: time.Now}}, Timeout: 20 * time.Second,
			}
			out, err := tool.Run(t.Context(), c)
			var failure *tool.Failure
			if (err == nil) != test.ok || err != nil && !errors.As(err, &failure) {
				t.Errorf("Run() = %q, %v, want success %t", out, err, test.ok)
			}
		})
	}
	moved, err := os.Stat(filepath.Join(dir, "writable", "dir", "moved"))
	if err != nil {
		t.Fatal(err)
	}
	if sys := fmt.Sprintf("%+v", moved.Sys()); !strings.Contains(sys, "Uid:0") {
		t.Errorf("got owner %s of a file that a tool created, want the server's user", sys)
	}
}

func TestIsolation_EndsTools(t *testing.T) {
	t.Parallel()
	needs.Root(t, "isolates at level full")
	host, err := sandbox.Open(sandbox.Full, fmt.Sprintf("jeton-tool-end-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	var log bytes.Buffer
	c := tool.Command{
		Args: []string{"/bin/bash", "-c", "echo here; sleep 300 & sleep 300"}, Dir: t.TempDir(), Log: &log,
		Isolation: &tool.Isolation{Host: host}, Timeout: 10 * time.Second,
	}
	c.Readable = []string{c.Dir}
	if out, err := tool.Run(t.Context(), c); !errors.Is(err, tool.ErrTimeout) || out != "here\n" || log.String() != out {
		t.Errorf("Run() after the timeout = %q, %v, want %v", out, err, tool.ErrTimeout)
	}
	c.Timeout = 20 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := tool.Run(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run() after the end of its context = %v, want %v", err, context.DeadlineExceeded)
	}
}
