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

// A Way is how an instance of a function comes to be: by the command line of what
// was built, or as the assignment of a worker that has waited for one.
type Way struct{ worker *runtime.Worker }

// InBothWays runs a test with either way.
func InBothWays(t *testing.T, w runtime.Worker, test func(t *testing.T, way Way)) {
	t.Helper()
	for name, way := range map[string]Way{"started": {}, "assigned": {worker: &w}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, way)
		})
	}
}

// Start brings an instance about and returns when it has reported that it serves.
// It is killed at the end of the test.
func (w Way) Start(tb testing.TB, built Built, env ...string) *Instance {
	tb.Helper()
	in, ready := w.start(tb, built, env)
	awaitReady(tb, in, ready)
	return in
}

// StartFails brings an instance about that must end before it serves. It returns
// its exit status and output.
func (w Way) StartFails(tb testing.TB, built Built, env ...string) (status int, output string) {
	tb.Helper()
	in, ready := w.start(tb, built, env)
	status = in.Wait(tb)
	if report, _ := io.ReadAll(ready); len(report) > 0 {
		tb.Errorf("the instance reported %q, want nothing", report)
	}
	return status, in.Output()
}

func awaitReady(tb testing.TB, in *Instance, ready *os.File) {
	tb.Helper()
	if err := ready.SetReadDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatal(err)
	}
	if n, err := ready.Read(make([]byte, 2)); n != 1 {
		tb.Fatalf("the instance reported %d bytes, %v, want one; it printed:\n%s", n, err, in.Output())
	}
}

func (w Way) start(tb testing.TB, built Built, env []string) (*Instance, *os.File) {
	tb.Helper()
	env = slices.Concat(built.Env, env)
	if w.worker == nil {
		return spawn(tb, built.Command, env)
	}
	assignment, ok := w.worker.Assign(built.Launch, built.Dir, env)
	if !ok {
		tb.Fatalf("no worker can do what %+v with %q does", built.Launch, env)
	}
	waiting := startWorker(tb, *w.worker)
	waiting.assign(tb, assignment)
	return waiting.in, waiting.ready
}

// A waiting worker has no function yet.
type waiting struct {
	in    *Instance
	ready *os.File
	// pipe is where it reads its assignment from.
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
	// What a worker is started with must not be seen by its function.
	in, ready := spawn(tb, command, []string{"OF_THE_WORKER=1"}, assignment)
	return waiting{in: in, ready: ready, pipe: pipe}
}

func (w waiting) assign(tb testing.TB, a runtime.Assignment) {
	tb.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		tb.Fatal(err)
	}
	// A worker that has failed already is told of by its output.
	_, _ = w.pipe.Write(text)
	if err := w.pipe.Close(); err != nil {
		tb.Fatal(err)
	}
}

// awaitWaiting returns when the worker has prepared all that it can, and sleeps in
// the kernel until its assignment comes. A worker says nothing of that itself.
func awaitWaiting(tb testing.TB, w waiting) {
	tb.Helper()
	process := fmt.Sprintf("/proc/%d/", w.in.cmd.Process.Pid)
	pipe := linkOf(tb, w.pipe)
	// It reads from the pipe, by system call 0 on amd64 and 63 on arm64.
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
