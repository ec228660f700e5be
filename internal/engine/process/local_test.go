package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/test/await"
)

// localTests are the tests of each isolation level that look at the processes and
// files of this machine.
var localTests = map[string]func(*testing.T, *process.Engine){
	"reports a killed instance":       testKilledInstance,
	"reports a missing program":       testMissingProgram,
	"ends children of instances":      testEndsChildren,
	"ends processes of revisions":     testDeleteEndsProcesses,
	"removes files of ended instance": testRemovesFiles,
}

func testKilledInstance(t *testing.T, e *process.Engine) {
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Serve)
	enginetest.StartOne(t, e, events, r)
	if err := syscall.Kill(processOf(t, r, false), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if event := enginetest.Next(t, events, engine.Gone); event.Reason != "killed by signal 9" {
		t.Errorf("kill is reported as %+v, want the reason killed by signal 9", event)
	}
}

func testMissingProgram(t *testing.T, e *process.Engine) {
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Serve)
	r.Launch = launch(t, "/no/such/program")
	enginetest.Apply(t, e, r, 1)
	enginetest.Next(t, events, engine.Starting)
	if event := enginetest.Next(t, events, engine.Gone); !strings.Contains(event.Reason, "no such file") {
		t.Errorf("reason is %q, want one that contains %q", event.Reason, "no such file")
	}
}

func testEndsChildren(t *testing.T, e *process.Engine) {
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.LeaveChild)
	ready := enginetest.StartOne(t, e, events, r)
	child := processOf(t, r, true)
	_, _ = enginetest.Ask(e, ready.Address, "exit")
	enginetest.Next(t, events, engine.Gone)
	await.True(t, "the child of the instance has ended", func() bool { return ended(child) })
}

func testDeleteEndsProcesses(t *testing.T, e *process.Engine) {
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Serve)
	enginetest.StartOne(t, e, events, r)
	pid := processOf(t, r, false)
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Fatalf("Delete() = %v", err)
	}
	if !ended(pid) {
		t.Error("an instance of a deleted revision runs")
	}
}

func testRemovesFiles(t *testing.T, e *process.Engine) {
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Serve)
	ready := enginetest.StartOne(t, e, events, r)
	file := enginetest.MustAsk(t, e, ready.Address, "write file")
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Fatalf("Delete() = %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stat of the temporary file of an ended instance = %v, want %v", err, os.ErrNotExist)
	}
}

// processOf returns the process ID, as this machine counts, of the only instance
// of a revision, or of the only child of that instance.
func processOf(t *testing.T, r engine.Revision, child bool) int {
	t.Helper()
	mark := r.Env[slices.IndexFunc(r.Env, func(variable string) bool { return strings.HasPrefix(variable, "ENGINETEST_MARK=") })]
	pid := findProcess(t, mark, child)
	if pid == 0 {
		t.Fatalf("revision %s has no process", r.ID)
	}
	return pid
}

// findProcess returns the ID of a process whose environment has a variable; 0 if
// there is none.
func findProcess(t *testing.T, variable string, child bool) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(files) == 0 {
		t.Skip("this system does not show the environment of processes in /proc")
	}
	for _, file := range files {
		// A process may have ended.
		environment, _ := os.ReadFile(file)
		if !slices.Contains(strings.Split(string(environment), "\x00"), variable) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if strings.HasPrefix(string(line), enginetest.SleeperName+"\x00") == child {
			return pid
		}
	}
	return 0
}

// ended reports whether a process has ended, reaped or not.
func ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}
