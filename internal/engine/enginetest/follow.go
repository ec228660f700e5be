package enginetest

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
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

// get asks an instance for something and returns its answer.
func get(t *testing.T, address, path string) (string, error) {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", address)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://instance" + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func mustGet(t *testing.T, address, path string) string {
	t.Helper()
	body, err := get(t, address, path)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	return body
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
