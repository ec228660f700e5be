package enginetest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/test/await"
)

// hanging is how long an instance may take to serve in the tests of those that never
// do. All others have as long as a busy machine may take.
const hanging = time.Second

// Run runs the suite. NewEngine returns a fresh engine for each test, whose
// instances must serve within ready and whose grace is some hundred milliseconds,
// and closes it after the test. The test program's TestMain calls Main.
func Run(t *testing.T, newEngine func(t *testing.T, ready time.Duration) engine.Engine) {
	tests := map[string]func(*testing.T, engine.Engine){
		"starts and serves":             testServes,
		"scales up and down":            testScales,
		"knows its revisions":           testRevisions,
		"reports a crash at the start":  testCrash,
		"reports a crash later":         testLaterCrash,
		"reports a crash when stopped":  testCrashBeforeStop,
		"reports a kill":                testKill,
		"does not count what leaves":    testLeaving,
		"ends what never serves":        testHang,
		"ends what never reports":       testClosedPipe,
		"reports a missing program":     testMissingProgram,
		"stops at once":                 testStop,
		"asks before it stops":          testTidy,
		"stops the stubborn":            testStubborn,
		"ends the children of instance": testLeftChild,
		"does not wait for output":      testLeftWriter,
		"deletes":                       testDelete,
		"tells a late watcher":          testLateWatch,
		"gives a folder of its own":     testFolder,
		"gives a clean environment":     testEnvironment,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ready := patience
			if name == "ends what never serves" || name == "ends what never reports" {
				ready = hanging
			}
			test(t, newEngine(t, ready))
		})
	}
}

func testServes(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, serve)
	apply(t, e, r, 1)
	first := next(t, events, engine.Starting)
	ready := next(t, events, engine.Ready)
	if ready.RevisionID != r.ID || ready.InstanceID != first.InstanceID || ready.Address == "" {
		t.Errorf("ready event is %+v, want one of %s with an address", ready, first.InstanceID)
	}
	mustAsk(t, ready.Address, "pid")
}

func testScales(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, serve)
	apply(t, e, r, 3)
	var ready []engine.Event
	for len(ready) < 3 {
		if event := <-events; event.State == engine.Ready {
			ready = append(ready, event)
		}
	}
	scale(t, e, r, 2)
	scale(t, e, r, 0, ready[2].InstanceID, ready[0].InstanceID, "no-such-instance")
	gone := []string{next(t, events, engine.Gone).InstanceID, next(t, events, engine.Gone).InstanceID}
	if !slices.Contains(gone, ready[0].InstanceID) || !slices.Contains(gone, ready[2].InstanceID) {
		t.Errorf("%v are gone, want the two that were spare", gone)
	}
	mustAsk(t, ready[1].Address, "pid")
	scale(t, e, r, 1, ready[1].InstanceID)
	mustAsk(t, ready[1].Address, "pid")
}

func testRevisions(t *testing.T, e engine.Engine) {
	if err := e.SetScale(t.Context(), "unknown", 1, nil); !errors.Is(err, engine.ErrUnknownRevision) {
		t.Errorf("SetScale of an unknown revision = %v, want %v", err, engine.ErrUnknownRevision)
	}
	r := revision(t, serve)
	for range 2 {
		if err := e.Apply(t.Context(), r); err != nil {
			t.Fatalf("Apply() = %v", err)
		}
	}
	if err := e.Apply(t.Context(), engine.Revision{ID: "x", Command: []string{"relative"}}); err == nil {
		t.Error("Apply() of a command without an absolute path = nil, want an error")
	}
}

func testCrash(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, crash, "PASSWORD=hunter2hunter2", "PLAIN=module")
	r.Secrets = []string{"hunter2hunter2"}
	apply(t, e, r, 1)
	next(t, events, engine.Starting)
	event := next(t, events, engine.Gone)
	want := "exit status 3: Cannot find module 'x' with [redacted]"
	if event.Reason != want {
		t.Errorf("the crash is reported as %+v, want the reason %q", event, want)
	}
	scale(t, e, r, 1)
	next(t, events, engine.Starting)
}

func testLaterCrash(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	ready := startOne(t, e, events, revision(t, serve))
	if _, err := ask(ready.Address, "exit"); err == nil {
		t.Fatal("an instance answered after its end")
	}
	event := next(t, events, engine.Gone)
	if event.Reason != "exit status 7" {
		t.Errorf("the crash is reported as %+v, want exit status 7", event)
	}
}

// testCrashBeforeStop stops an instance that has just begun to end by itself,
// which its caller notices by the broken connection before the engine does.
func testCrashBeforeStop(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	ready := startOne(t, e, events, revision(t, serve))
	_, _ = ask(ready.Address, "exit")
	if err := e.Stop(t.Context(), ready.InstanceID); err != nil {
		t.Fatalf("Stop() = %v", err)
	}
	if event := next(t, events, engine.Gone); event.Reason != "exit status 7" {
		t.Errorf("the crash is reported as %+v, want exit status 7", event)
	}
}

func testKill(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, serve)
	startOne(t, e, events, r)
	if err := syscall.Kill(processOf(t, r, false), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if event := next(t, events, engine.Gone); event.Reason != "killed by signal 9" {
		t.Errorf("the kill is reported as %+v", event)
	}
}

// testLeaving asks for an instance while another one takes its time to go.
func testLeaving(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, stubborn)
	ready := startOne(t, e, events, r)
	scale(t, e, r, 0, ready.InstanceID)
	scale(t, e, r, 1, ready.InstanceID)
	if event := next(t, events, engine.Starting); event.InstanceID == ready.InstanceID {
		t.Errorf("the instance that leaves starts again: %+v", event)
	}
}

func testHang(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	apply(t, e, revision(t, hang), 1)
	next(t, events, engine.Starting)
	event := next(t, events, engine.Gone)
	if !strings.HasPrefix(event.Reason, "did not start listening within ") {
		t.Errorf("the hang is reported as %+v, want that it did not start listening", event)
	}
}

func testClosedPipe(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	apply(t, e, revision(t, closesPipe), 1)
	next(t, events, engine.Starting)
	if event := next(t, events, engine.Gone); event.Reason == "" {
		t.Errorf("the instance is reported as %+v, want a reason", event)
	}
}

func testMissingProgram(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, serve)
	r.Command = []string{"/no/such/program"}
	apply(t, e, r, 1)
	next(t, events, engine.Starting)
	if event := next(t, events, engine.Gone); !strings.Contains(event.Reason, "no such file") {
		t.Errorf("reason is %q, want that there is no such file", event.Reason)
	}
}

func testStop(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	ready := startOne(t, e, events, revision(t, serve))
	for range 2 {
		if err := e.Stop(t.Context(), ready.InstanceID); err != nil {
			t.Fatalf("Stop() = %v", err)
		}
	}
	event := next(t, events, engine.Gone)
	if event.Reason != "" || event.InstanceID != ready.InstanceID {
		t.Errorf("the stop is reported as %+v, want no reason", event)
	}
	if _, err := ask(ready.Address, "pid"); err == nil {
		t.Error("a stopped instance answers")
	}
	if err := e.Stop(t.Context(), "unknown"); err != nil {
		t.Errorf("Stop() of an unknown instance = %v", err)
	}
}

func testTidy(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, tidy)
	ready := startOne(t, e, events, r)
	said := make(chan string)
	go func() {
		text, _ := ask(ready.Address, "wait")
		said <- text
	}()
	scale(t, e, r, 0, ready.InstanceID)
	if event := next(t, events, engine.Gone); event.Reason != "" {
		t.Errorf("the end is reported as %+v, want no reason", event)
	}
	if text := <-said; text != asked {
		t.Errorf("the instance that was to be asked to go says %q", text)
	}
}

func testStubborn(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, stubborn)
	ready := startOne(t, e, events, r)
	scale(t, e, r, 0, ready.InstanceID)
	next(t, events, engine.Gone)
}

func testLeftChild(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, leaveChild)
	ready := startOne(t, e, events, r)
	child := processOf(t, r, true)
	_, _ = ask(ready.Address, "exit")
	next(t, events, engine.Gone)
	await.True(t, "the instance's own child has ended", func() bool { return ended(child) })
}

// ended tells whether a process is gone or only waits to be reaped.
func ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func testLeftWriter(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	ready := startOne(t, e, events, revision(t, leaveWriter))
	_, _ = ask(ready.Address, "exit")
	next(t, events, engine.Gone)
}

func testDelete(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, serve)
	startOne(t, e, events, r)
	pid := processOf(t, r, false)
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Fatalf("Delete() = %v", err)
	}
	if !ended(pid) {
		t.Error("an instance lives after its revision was deleted")
	}
	next(t, events, engine.Gone)
	if err := e.SetScale(t.Context(), r.ID, 1, nil); !errors.Is(err, engine.ErrUnknownRevision) {
		t.Errorf("SetScale of a deleted revision = %v, want %v", err, engine.ErrUnknownRevision)
	}
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Errorf("second Delete() = %v", err)
	}
}

func testLateWatch(t *testing.T, e engine.Engine) {
	ready := startOne(t, e, follow(t, e), revision(t, serve))
	ctx, cancel := context.WithCancel(t.Context())
	late, err := e.Watch(ctx)
	if err != nil {
		t.Fatalf("Watch() = %v", err)
	}
	next(t, late, engine.Starting)
	if got := next(t, late, engine.Ready); got != ready {
		t.Errorf("a late watcher is told %+v, want %+v", got, ready)
	}
	cancel()
	if event, ok := <-late; ok {
		t.Errorf("an ended watch tells %+v", event)
	}
}

func testFolder(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	r := revision(t, serve)
	ready := startOne(t, e, events, r)
	left := mustAsk(t, ready.Address, "leave")
	scale(t, e, r, 2)
	next(t, events, engine.Starting)
	if other := next(t, events, engine.Ready); mustAsk(t, other.Address, "left") != "false" {
		t.Error("an instance sees the temporary files of another one")
	}
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file of an ended instance is still there: %v", err)
	}
}

func testEnvironment(t *testing.T, e engine.Engine) {
	events := follow(t, e)
	ready := startOne(t, e, events, revision(t, serve, "COLOUR=red", "LANG=mine"))
	var names []string
	for _, variable := range strings.Split(mustAsk(t, ready.Address, "env"), "\n") {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"COLOUR", behaviourVariable, markVariable, "HOME", "LANG", "PATH", "TMPDIR"}
	if !slices.Equal(names, want) {
		t.Errorf("an instance has the variables %v, want %v", names, want)
	}
}
