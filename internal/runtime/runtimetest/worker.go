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

// TestWorker tests that an instance which was a warm worker has neither the variables nor
// the pipe of the worker. The function returns its environment.
func TestWorker(t *testing.T, w runtime.Worker, built Built) {
	assignment, ok := w.Assign(built.Launch, built.Dir, append(built.Env, "VARIABLE=a=b\n\"é\"", "TZ=Asia/Tokyo"))
	if !ok {
		t.Fatal("Assign() = false")
	}
	worker := startWorker(t, w)
	pipe := linkOf(t, worker.pipe)
	worker.assign(t, assignment)
	awaitReady(t, worker.in, worker.ready)

	answer := worker.in.Do(t, Call{})
	var environment map[string]string
	if err := json.Unmarshal([]byte(answer.Body), &environment); err != nil {
		t.Fatalf("got response %d %.300q: %v; output:\n%s", answer.Status, answer.Body, err, worker.in.Output())
	}
	if !maps.Equal(environment, assignment.Environment) {
		t.Errorf("got environment %q, want %q", environment, assignment.Environment)
	}
	if w.Interpreter == runtime.PHP {
		return // PHP cannot close file descriptors that it has inherited.
	}
	descriptors := fmt.Sprintf("/proc/%d/fd", worker.in.cmd.Process.Pid)
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if link, _ := os.Readlink(filepath.Join(descriptors, entry.Name())); link == pipe {
			t.Errorf("the pipe of the worker is open as file descriptor %s", entry.Name())
		}
	}
}

// linkOf returns the name of an open pipe in /proc.
func linkOf(tb testing.TB, f *os.File) string {
	tb.Helper()
	link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		tb.Fatal(err)
	}
	return link
}

// BenchmarkStart measures the time until the first response of a function: from the start
// of its process, and from the assignment of a warm worker. For the latter it also
// reports the time until the worker is ready.
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
			b.Fatal("Assign() = false")
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
