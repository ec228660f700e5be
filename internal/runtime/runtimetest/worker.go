package runtimetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// TestWorker asks that nothing of a worker is left in the instance that it
// becomes: neither its variables nor the pipe. The function answers with its
// environment.
func TestWorker(t *testing.T, w runtime.Worker, built Built) {
	assignment, ok := w.Assign(built.Launch, built.Dir, append(built.Env, "VARIABLE=a=b\n\"é\"", "TZ=Asia/Tokyo"))
	if !ok {
		t.Fatal("no worker can do this")
	}
	worker := startWorker(t, w)
	pipe := linkOf(t, worker.pipe)
	worker.assign(t, assignment)
	awaitReady(t, worker.in, worker.ready)

	answer := worker.in.Do(t, Call{})
	var environment map[string]string
	if err := json.Unmarshal([]byte(answer.Body), &environment); err != nil {
		t.Fatalf("the function answered %d %.300q: %v; it printed:\n%s", answer.Status, answer.Body, err, worker.in.Output())
	}
	if !maps.Equal(environment, assignment.Environment) {
		t.Errorf("the function sees the environment %q, want %q", environment, assignment.Environment)
	}
	if w.Interpreter == runtime.PHP {
		return // PHP cannot close what it has not opened.
	}
	descriptors := fmt.Sprintf("/proc/%d/fd", worker.in.cmd.Process.Pid)
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if link, _ := os.Readlink(filepath.Join(descriptors, entry.Name())); link == pipe {
			t.Errorf("the instance still has the worker's pipe, as file descriptor %s", entry.Name())
		}
	}
}

// linkOf returns how the kernel calls an open pipe.
func linkOf(tb testing.TB, f *os.File) string {
	tb.Helper()
	link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		tb.Fatal(err)
	}
	return link
}

// BenchmarkStart measures how long the first answer of a function takes: of a
// process that is started for it, and of a worker from its assignment on, which
// is told apart into the time until it is ready and the whole.
func BenchmarkStart(b *testing.B, w runtime.Worker, built Built) {
	b.Run("started", func(b *testing.B) {
		for b.Loop() {
			Start(b, built).Do(b, Call{})
		}
	})
	b.Run("assigned", func(b *testing.B) {
		var ready, answered time.Duration
		assignment, ok := w.Assign(built.Launch, built.Dir, built.Env)
		if !ok {
			b.Fatal("no worker can do this")
		}
		for b.Loop() {
			worker := startWorker(b, w)
			awaitWaiting(b, worker)
			begun := time.Now()
			worker.assign(b, assignment)
			awaitReady(b, worker.in, worker.ready)
			ready += time.Since(begun)
			worker.in.Do(b, Call{})
			answered += time.Since(begun)
		}
		b.ReportMetric(float64(ready.Microseconds())/1000/float64(b.N), "ms/ready")
		b.ReportMetric(float64(answered.Microseconds())/1000/float64(b.N), "ms/answer")
	})
}
