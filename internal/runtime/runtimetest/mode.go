package runtimetest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/test/await"
)

// A Mode determines how an instance is started: with the command line of the artifact
// (the zero value), or by assigning the function to a warm worker.
type Mode struct{ worker *runtime.Worker }

// InBothModes runs a test in each mode.
func InBothModes(t *testing.T, w runtime.Worker, test func(t *testing.T, mode Mode)) {
	t.Helper()
	for name, mode := range map[string]Mode{"started": {}, "assigned": {worker: &w}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, mode)
		})
	}
}

// Start starts an instance and returns when it is ready. It is killed at the end of the
// test.
func (w Mode) Start(tb testing.TB, built Built, env ...string) *Instance {
	tb.Helper()
	in, ready := w.start(tb, built, env)
	awaitReady(tb, in, ready)
	return in
}

// StartFails starts an instance that must end before it is ready, and returns its exit
// status and output.
func (w Mode) StartFails(tb testing.TB, built Built, env ...string) (status int, output string) {
	tb.Helper()
	in, ready := w.start(tb, built, env)
	status = in.Wait(tb)
	if report, _ := io.ReadAll(ready); len(report) > 0 {
		tb.Errorf("got report %q, want none", report)
	}
	return status, in.Output()
}

func awaitReady(tb testing.TB, in *Instance, ready *os.File) {
	tb.Helper()
	if err := ready.SetReadDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatal(err)
	}
	if n, err := ready.Read(make([]byte, 2)); n != 1 {
		tb.Fatalf("got a report of %d bytes, %v, want one byte; output:\n%s", n, err, in.Output())
	}
}

func (w Mode) start(tb testing.TB, built Built, env []string) (*Instance, *os.File) {
	tb.Helper()
	env = slices.Concat(built.Env, env)
	if w.worker == nil {
		return spawn(tb, built.Command, env)
	}
	assignment, ok := w.worker.Assign(built.Launch, built.Dir, env)
	if !ok {
		tb.Fatalf("Assign() = false for %+v with %q", built.Launch, env)
	}
	waiting := startWorker(tb, *w.worker)
	waiting.assign(tb, assignment)
	return waiting.in, waiting.ready
}

// A waiting worker has no function assigned.
type waiting struct {
	in    *Instance
	ready *os.File
	// pipe is the writing end of the pipe for its assignment.
	pipe *os.File
}

func startWorker(tb testing.TB, w runtime.Worker) waiting {
	tb.Helper()
	bootstrap := filepath.Join(tb.TempDir(), w.BootstrapName)
	if err := os.WriteFile(bootstrap, w.Bootstrap, 0o600); err != nil {
		tb.Fatal(err)
	}
	command, err := w.Command(Toolchains(tb), bootstrap)
	if err != nil {
		tb.Fatal(err)
	}
	assignment, pipe, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer assignment.Close()
	tb.Cleanup(func() { _ = pipe.Close() })
	// The function must not see the variables of the worker.
	in, ready := spawn(tb, command, []string{"OF_THE_WORKER=1"}, assignment)
	return waiting{in: in, ready: ready, pipe: pipe}
}

func (w waiting) assign(tb testing.TB, a runtime.Assignment) {
	tb.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		tb.Fatal(err)
	}
	// If the worker has failed, its output says why.
	_, _ = w.pipe.Write(text)
	if err := w.pipe.Close(); err != nil {
		tb.Fatal(err)
	}
}

// awaitWaiting waits until the worker has loaded its bootstrap and reads its assignment. A
// worker does not report that.
func awaitWaiting(tb testing.TB, w waiting) {
	tb.Helper()
	process := fmt.Sprintf("/proc/%d/", w.in.cmd.Process.Pid)
	pipe := linkOf(tb, w.pipe)
	// The system call read is number 0 on amd64 and 63 on arm64.
	await.True(tb, "the worker waits", func() bool {
		text, err := os.ReadFile(process + "syscall")
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 || fields[0] != "0" && fields[0] != "63" {
			return false
		}
		fd, err := strconv.ParseInt(fields[1], 0, 32)
		if err != nil {
			return false
		}
		link, err := os.Readlink(process + "fd/" + strconv.FormatInt(fd, 10))
		return err == nil && link == pipe
	})
}
