package runtimetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/await"
)

// TestTermination asks that an instance ends well when it is told to go: at once
// while idle, else after its call. The function prints "begun", works for a
// moment, and answers "finished".
func TestTermination(t *testing.T, way Way, built Built) {
	testTermination(t, way, built, "/")
}

func testTermination(t *testing.T, way Way, built Built, path string) {
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		in := way.Start(t, built)
		in.Do(t, Call{Target: path})
		in.Terminate(t)
		wantEnd(t, in)
	})
	t.Run("working", func(t *testing.T) {
		t.Parallel()
		in := way.Start(t, built)
		answers := make(chan Answer, 1)
		go func() { answers <- in.Do(t, Call{Target: path}) }()
		await.True(t, "the call has begun", func() bool { return strings.Contains(in.Output(), "begun") })
		in.Terminate(t)
		if answer := <-answers; answer.Status != http.StatusOK || answer.Body != "finished" {
			t.Errorf("the call is answered by %d %q, want it finished", answer.Status, answer.Body)
		}
		wantEnd(t, in)
	})
}

func wantEnd(t *testing.T, in *Instance) {
	t.Helper()
	if status := in.Wait(t); status != 0 {
		t.Errorf("exit status is %d, want 0; it printed:\n%s", status, in.Output())
	}
}
