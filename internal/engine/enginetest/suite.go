package enginetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// hangTimeout is the ready timeout for instances that never serve.
const hangTimeout = time.Second

// A NewEngine returns a fresh engine and closes it when the test ends. Instances
// have the duration ready to report that they serve, and some hundred
// milliseconds to end after SetScale. They run a program that calls Main, whatever
// the artifact, launch, runtime and handler of their revision are.
type NewEngine func(t *testing.T, ready time.Duration) engine.Engine

// Run runs the suite.
func Run(t *testing.T, newEngine NewEngine) {
	for name, test := range map[string]struct {
		run   func(*testing.T, engine.Engine)
		ready time.Duration
	}{
		"starts and serves":                   {run: testServes},
		"scales up and down":                  {run: testScales},
		"refuses unknown revisions":           {run: testRevisions},
		"reports a crash at the start":        {run: testCrash},
		"reports a crash of a ready instance": {run: testLaterCrash},
		"reports a crash before a stop":       {run: testCrashBeforeStop},
		"does not count ending instances":     {run: testEnding},
		"ends instances that never serve":     {run: testHang, ready: hangTimeout},
		"ends instances that never report":    {run: testClosedPipe, ready: hangTimeout},
		"stops instances immediately":         {run: testStop},
		"terminates victims gracefully":       {run: testTidy},
		"kills victims that ignore SIGTERM":   {run: testStubborn},
		"does not wait for open output":       {run: testLeftWriter},
		"deletes revisions":                   {run: testDelete},
		"syncs a late watch":                  {run: testLateWatch},
		"includes new instances in a watch":   {run: testWatchAfterScale},
		"separates temporary files":           {run: testTemporaryFiles},
		"sets a clean environment":            {run: testEnvironment},
		"reports output before the end":       {run: testOutput},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ready := patience
			if test.ready > 0 {
				ready = test.ready
			}
			test.run(t, newEngine(t, ready))
		})
	}
}

func testServes(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := Revision(Serve)
	Apply(t, e, r, 1)
	first := Next(t, events, engine.Starting)
	ready := Next(t, events, engine.Ready)
	if ready.RevisionID != r.ID || ready.InstanceID != first.InstanceID || ready.Address.IsZero() {
		t.Errorf("ready event is %+v, want one of %s with an address", ready, first.InstanceID)
	}
	if parsed, err := engine.ParseAddress(ready.Address.String()); err != nil || parsed != ready.Address {
		t.Errorf("ParseAddress(%q) = %v, %v, want the same address", ready.Address, parsed, err)
	}
	if got := MustAsk(t, e, ready.Address, "ping"); got != "pong" {
		t.Errorf("the instance answers %q, want pong", got)
	}
}

func testScales(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := Revision(Serve)
	Apply(t, e, r, 3)
	var ready []engine.Event
	for len(ready) < 3 {
		if event := <-events; event.State == engine.Ready {
			ready = append(ready, event)
		}
	}
	Scale(t, e, r, 2)
	Scale(t, e, r, 0, ready[2].InstanceID, ready[0].InstanceID, "no-such-instance")
	gone := []string{Next(t, events, engine.Gone).InstanceID, Next(t, events, engine.Gone).InstanceID}
	if !slices.Contains(gone, ready[0].InstanceID) || !slices.Contains(gone, ready[2].InstanceID) {
		t.Errorf("%v are gone, want the two victims", gone)
	}
	MustAsk(t, e, ready[1].Address, "ping")
	Scale(t, e, r, 1, ready[1].InstanceID)
	MustAsk(t, e, ready[1].Address, "ping")
}

func testRevisions(t *testing.T, e engine.Engine) {
	if err := e.SetScale(t.Context(), "unknown", 1, nil); !errors.Is(err, engine.ErrUnknownRevision) {
		t.Errorf("SetScale() of an unknown revision = %v, want %v", err, engine.ErrUnknownRevision)
	}
	for range 2 {
		if err := e.Apply(t.Context(), Revision(Serve)); err != nil {
			t.Fatalf("Apply() = %v", err)
		}
	}
	if err := e.Apply(t.Context(), engine.Revision{}); err == nil {
		t.Error("Apply() of a revision without an ID = nil, want an error")
	}
}

// withPassword returns a revision of a crash with a secret.
func withPassword() engine.Revision {
	r := Revision(Crash, "PASSWORD=hunter2hunter2", "PLAIN=module")
	r.Secrets = []string{"hunter2hunter2"}
	return r
}

func testCrash(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := withPassword()
	Apply(t, e, r, 1)
	Next(t, events, engine.Starting)
	want := "exit status 3: Cannot find module 'x' with [redacted]"
	if event := Next(t, events, engine.Gone); event.Reason != want {
		t.Errorf("crash is reported as %+v, want the reason %q", event, want)
	}
	Scale(t, e, r, 1)
	Next(t, events, engine.Starting)
}

func testLaterCrash(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	ready := StartOne(t, e, events, Revision(Serve))
	if answer, err := Ask(e, ready.Address, "exit"); err == nil {
		t.Fatalf("an instance that exits answers %q, want an error", answer)
	}
	if event := Next(t, events, engine.Gone); event.Reason != "exit status 7" {
		t.Errorf("crash is reported as %+v, want the reason exit status 7", event)
	}
}

// testCrashBeforeStop stops an instance that is crashing: the caller notices the
// broken connection before the engine notices the exit.
func testCrashBeforeStop(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	ready := StartOne(t, e, events, Revision(Serve))
	_, _ = Ask(e, ready.Address, "exit")
	if err := e.Stop(t.Context(), ready.InstanceID); err != nil {
		t.Fatalf("Stop() = %v", err)
	}
	if event := Next(t, events, engine.Gone); event.Reason != "exit status 7" {
		t.Errorf("crash is reported as %+v, want the reason exit status 7", event)
	}
}

// testEnding requests an instance while another one is ending.
func testEnding(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := Revision(Stubborn)
	ready := StartOne(t, e, events, r)
	Scale(t, e, r, 0, ready.InstanceID)
	Scale(t, e, r, 1, ready.InstanceID)
	if event := Next(t, events, engine.Starting); event.InstanceID == ready.InstanceID {
		t.Errorf("the ending instance starts again: %+v", event)
	}
}

func testHang(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	Apply(t, e, Revision(Hang), 1)
	Next(t, events, engine.Starting)
	if event := Next(t, events, engine.Gone); !strings.HasPrefix(event.Reason, "did not start listening within ") {
		t.Errorf("timeout is reported as %+v, want a reason that begins with %q", event, "did not start listening within ")
	}
}

func testClosedPipe(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	Apply(t, e, Revision(ClosePipe), 1)
	Next(t, events, engine.Starting)
	if event := Next(t, events, engine.Gone); event.Reason == "" {
		t.Errorf("end is reported as %+v, want a reason", event)
	}
}

func testStop(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	ready := StartOne(t, e, events, Revision(Serve))
	for range 2 {
		if err := e.Stop(t.Context(), ready.InstanceID); err != nil {
			t.Fatalf("Stop() = %v", err)
		}
	}
	event := Next(t, events, engine.Gone)
	if event.Reason != "" || event.InstanceID != ready.InstanceID {
		t.Errorf("stop is reported as %+v, want no reason", event)
	}
	if answer, err := Ask(e, ready.Address, "ping"); err == nil {
		t.Errorf("a stopped instance answers %q, want an error", answer)
	}
	if err := e.Stop(t.Context(), "unknown"); err != nil {
		t.Errorf("Stop() of an unknown instance = %v, want nil", err)
	}
}

func testTidy(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := Revision(Tidy)
	ready := StartOne(t, e, events, r)
	answers := make(chan string)
	go func() {
		text, _ := Ask(e, ready.Address, "wait")
		answers <- text
	}()
	Scale(t, e, r, 0, ready.InstanceID)
	if event := Next(t, events, engine.Gone); event.Reason != "" {
		t.Errorf("end is reported as %+v, want no reason", event)
	}
	if text := <-answers; text != terminatedAnswer {
		t.Errorf("the victim answers %q, want %q", text, terminatedAnswer)
	}
}

func testStubborn(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := Revision(Stubborn)
	ready := StartOne(t, e, events, r)
	Scale(t, e, r, 0, ready.InstanceID)
	Next(t, events, engine.Gone)
}

func testLeftWriter(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	ready := StartOne(t, e, events, Revision(LeaveWriter))
	_, _ = Ask(e, ready.Address, "exit")
	Next(t, events, engine.Gone)
}

func testDelete(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := Revision(Serve)
	ready := StartOne(t, e, events, r)
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Fatalf("Delete() = %v", err)
	}
	if answer, err := Ask(e, ready.Address, "ping"); err == nil {
		t.Errorf("an instance of a deleted revision answers %q, want an error", answer)
	}
	Next(t, events, engine.Gone)
	if err := e.SetScale(t.Context(), r.ID, 1, nil); !errors.Is(err, engine.ErrUnknownRevision) {
		t.Errorf("SetScale() of a deleted revision = %v, want %v", err, engine.ErrUnknownRevision)
	}
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Errorf("second Delete() = %v, want nil", err)
	}
}

func testLateWatch(t *testing.T, e engine.Engine) {
	ready := StartOne(t, e, Watch(t, e), Revision(Serve))
	ctx, cancel := context.WithCancel(t.Context())
	late, err := e.Watch(ctx)
	if err != nil {
		t.Fatalf("Watch() = %v", err)
	}
	Next(t, late, engine.Starting)
	if got := Next(t, late, engine.Ready); got != ready {
		t.Errorf("a late watch reports %+v, want %+v", got, ready)
	}
	if got := Next(t, late, engine.Synced); got != (engine.Event{State: engine.Synced}) {
		t.Errorf("the Synced event is %+v, want no instance", got)
	}
	cancel()
	if event, ok := <-late; ok {
		t.Errorf("a watch whose context has ended reports %+v, want a closed channel", event)
	}
}

// testWatchAfterScale watches right after SetScale: the instance comes before
// Synced, however far its start is.
func testWatchAfterScale(t *testing.T, e engine.Engine) {
	Apply(t, e, Revision(Serve), 1)
	events, err := e.Watch(t.Context())
	if err != nil {
		t.Fatalf("Watch() = %v", err)
	}
	Next(t, events, engine.Starting)
}

func testTemporaryFiles(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	r := Revision(Serve)
	ready := StartOne(t, e, events, r)
	MustAsk(t, e, ready.Address, "write file")
	if got := MustAsk(t, e, ready.Address, "file exists"); got != "true" {
		t.Errorf("the file exists: %s, want true", got)
	}
	Scale(t, e, r, 2)
	Next(t, events, engine.Starting)
	if other := Next(t, events, engine.Ready); MustAsk(t, e, other.Address, "file exists") != "false" {
		t.Error("an instance sees a temporary file of another one")
	}
}

func testEnvironment(t *testing.T, e engine.Engine) {
	events := Watch(t, e)
	ready := StartOne(t, e, events, Revision(Serve, "COLOUR=red", "LANG=mine"))
	var names []string
	for _, variable := range strings.Split(MustAsk(t, e, ready.Address, "env"), "\n") {
		// The starter of a runtime adds where the handler is.
		if name, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "SCW_HANDLER_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	want := []string{"COLOUR", behaviourVariable, markVariable, "HOME", "LANG", "PATH", "TMPDIR"}
	if !slices.Equal(names, want) {
		t.Errorf("an instance has the variables %v, want %v", names, want)
	}
}

// testOutput checks that all lines of an instance arrive, attributed and without
// secrets, before the instance is reported as gone.
func testOutput(t *testing.T, e engine.Engine) {
	var mu sync.Mutex
	lines := map[string][]string{}
	var last engine.Line
	e.SetOutput(func(line engine.Line) {
		mu.Lock()
		defer mu.Unlock()
		lines[line.Stream] = append(lines[line.Stream], line.Text)
		if line.Stream != engine.System {
			last = line
		}
	})
	events := Watch(t, e)
	r := withPassword()
	Apply(t, e, r, 1)
	Next(t, events, engine.Starting)
	gone := Next(t, events, engine.Gone)
	mu.Lock()
	defer mu.Unlock()
	want := map[string][]string{
		engine.Stdout: {"about to fail"},
		engine.Stderr: {"first line of the error", "Cannot find module 'x' with [redacted]"},
	}
	for stream := range want {
		if !slices.Equal(lines[stream], want[stream]) {
			t.Errorf("%s has the lines %q, want %q", stream, lines[stream], want[stream])
		}
	}
	if last.FunctionID != r.FunctionID || last.RevisionID != r.ID || last.InstanceID != gone.InstanceID {
		t.Errorf("the last line is attributed to %+v, want %s of %s", last, gone.InstanceID, r.ID)
	}
}
