package runtimetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/await"
)

// TestTermination tests that an instance ends with status 0 after SIGTERM: at once if it is
// idle, otherwise after its call. The function prints "begun", runs for a moment, and
// returns "finished".
func TestTermination(t *testing.T, mode Mode, built Built) {
	testTermination(t, mode, built, "/")
}

func testTermination(t *testing.T, mode Mode, built Built, path string) {
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		in := mode.Start(t, built)
		in.Do(t, Call{Target: path})
		in.Terminate(t)
		wantEnd(t, in)
	})
	t.Run("working", func(t *testing.T) {
		t.Parallel()
		in := mode.Start(t, built)
		answers := make(chan Answer, 1)
		go func() { answers <- in.Do(t, Call{Target: path}) }()
		await.True(t, "the call has started", func() bool { return strings.Contains(in.Output(), "begun") })
		in.Terminate(t)
		if answer := <-answers; answer.Status != http.StatusOK || answer.Body != "finished" {
			t.Errorf("got %d %q, want 200 finished", answer.Status, answer.Body)
		}
		wantEnd(t, in)
	})
}

func wantEnd(t *testing.T, in *Instance) {
	t.Helper()
	if status := in.Wait(t); status != 0 {
		t.Errorf("got exit status %d, want 0; output:\n%s", status, in.Output())
	}
}
