package enginetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// patience is how long the suite waits for an event. It is long because test
// machines are busy; only a test that fails uses it up.
const patience = 2 * time.Minute

// Revision returns a revision whose instances behave as one of the constants of
// this package says, with further environment variables.
func Revision(behaviour string, env ...string) engine.Revision {
	return engine.Revision{
		ID: "revision-" + behaviour, FunctionID: "function", ProjectID: "project", Artifact: "artifact",
		Runtime: "go126", Handler: "Handle", MemoryLimit: 512, CPULimit: 1000,
		Env: append([]string{behaviourVariable + "=" + behaviour, markVariable + "=" + rand.Text()}, env...),
	}
}

// markVariable distinguishes the processes of one revision from all others.
const markVariable = "ENGINETEST_MARK"

// Apply applies a revision and requests n instances of it.
func Apply(t *testing.T, e engine.Engine, r engine.Revision, n int) {
	t.Helper()
	if err := e.Apply(t.Context(), r); err != nil {
		t.Fatalf("Apply() = %v", err)
	}
	Scale(t, e, r, n)
}

// Scale requests n instances of a revision.
func Scale(t *testing.T, e engine.Engine, r engine.Revision, n int, victims ...string) {
	t.Helper()
	if err := e.SetScale(t.Context(), r.ID, n, victims); err != nil {
		t.Fatalf("SetScale(%d) = %v", n, err)
	}
}

// Watch starts a watch of an engine without instances. It ends with the test.
func Watch(t *testing.T, e engine.Engine) <-chan engine.Event {
	t.Helper()
	events, err := e.Watch(t.Context())
	if err != nil {
		t.Fatalf("Watch() = %v", err)
	}
	Next(t, events, engine.Synced)
	return events
}

// Next returns the next event. The test fails if that is not of the wanted state.
func Next(t *testing.T, events <-chan engine.Event, want engine.State) engine.Event {
	t.Helper()
	select {
	case event, ok := <-events:
		if !ok || event.State != want {
			t.Fatalf("next event is %+v (channel open: %v), want state %d", event, ok, want)
		}
		return event
	case <-time.After(patience):
		t.Fatalf("no event within %v, want state %d", patience, want)
	}
	return engine.Event{}
}

// StartOne starts an instance of a revision and returns its Ready event.
func StartOne(t *testing.T, e engine.Engine, events <-chan engine.Event, r engine.Revision) engine.Event {
	t.Helper()
	Apply(t, e, r, 1)
	Next(t, events, engine.Starting)
	return Next(t, events, engine.Ready)
}

// dial connects to an instance.
func dial(e engine.Engine, address engine.Address) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if address.Network() == engine.InstanceNetwork {
		dialer, ok := e.(engine.Dialer)
		if !ok {
			return nil, fmt.Errorf("dial %s: the engine is no engine.Dialer", address)
		}
		return dialer.Dial(ctx, address)
	}
	return new(net.Dialer).DialContext(ctx, address.Network(), address.Endpoint())
}

// Ask sends a question to an instance of an engine and returns its answer.
func Ask(e engine.Engine, address engine.Address, question string) (string, error) {
	conn, err := dial(e, address)
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

// MustAsk is Ask for questions that must be answered.
func MustAsk(t *testing.T, e engine.Engine, address engine.Address, question string) string {
	t.Helper()
	answer, err := Ask(e, address, question)
	if err != nil {
		t.Fatalf("ask %s: %v", question, err)
	}
	return answer
}
