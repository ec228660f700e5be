package enginetest

import (
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// patience is how long the suite waits for what must happen. It is long because
// test machines are busy; it is only used up when a test fails.
const patience = 20 * time.Second

// revision returns a revision whose instances behave in one way.
func revision(t *testing.T, behaviour string, env ...string) engine.Revision {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return engine.Revision{
		ID:         "revision-" + behaviour,
		FunctionID: "function",
		Command:    []string{program},
		Dir:        t.TempDir(),
		Env:        append([]string{behaviourVariable + "=" + behaviour}, env...),
	}
}

// apply makes a revision known and asks for n instances of it.
func apply(t *testing.T, e engine.Engine, r engine.Revision, n int) {
	t.Helper()
	if err := e.Apply(t.Context(), r); err != nil {
		t.Fatalf("Apply() = %v", err)
	}
	scale(t, e, r, n)
}

func scale(t *testing.T, e engine.Engine, r engine.Revision, n int, spare ...string) {
	t.Helper()
	if err := e.SetScale(t.Context(), r.ID, n, spare); err != nil {
		t.Fatalf("SetScale(%d) = %v", n, err)
	}
}

// follow starts a watch that ends with the test.
func follow(t *testing.T, e engine.Engine) <-chan engine.Event {
	t.Helper()
	events, err := e.Watch(t.Context())
	if err != nil {
		t.Fatalf("Watch() = %v", err)
	}
	return events
}

// next returns the next event, which must be of the wanted state.
func next(t *testing.T, events <-chan engine.Event, want engine.State) engine.Event {
	t.Helper()
	select {
	case event, ok := <-events:
		if !ok || event.State != want {
			t.Fatalf("next event is %+v (open: %v), want state %d", event, ok, want)
		}
		return event
	case <-time.After(patience):
		t.Fatalf("no event of state %d", want)
	}
	return engine.Event{}
}

// startOne returns an instance that is ready.
func startOne(t *testing.T, e engine.Engine, events <-chan engine.Event, r engine.Revision) engine.Event {
	t.Helper()
	apply(t, e, r, 1)
	next(t, events, engine.Starting)
	return next(t, events, engine.Ready)
}

// ask puts a question to an instance and returns its answer.
func ask(address, question string) (string, error) {
	conn, err := net.DialTimeout("unix", address, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, question+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return string(answer), err
}

func mustAsk(t *testing.T, address, question string) string {
	t.Helper()
	answer, err := ask(address, question)
	if err != nil {
		t.Fatalf("ask %s: %v", question, err)
	}
	return answer
}

// pidOf asks an instance for the number of a process.
func pidOf(t *testing.T, address, question string) int {
	t.Helper()
	pid, err := strconv.Atoi(mustAsk(t, address, question))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// eventually polls a condition that another process brings about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for ; !condition(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
