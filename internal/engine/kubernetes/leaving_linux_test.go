package kubernetes_test

import (
	"io"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

// terminate sends SIGTERM to both containers of all Pods, as a kubelet does.
func (c *fakeCluster) terminate() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pods {
		for _, process := range []int{p.agent.Process.Pid, p.launcher.Process.Pid} {
			if err := syscall.Kill(process, syscall.SIGTERM); err != nil {
				c.t.Error(err)
			}
		}
	}
}

// TestLeaving_InstanceEndsItsCall ends the Pod of an instance that serves a call. The call ends when the
// function is asked to, which is after the Pod was.
func TestLeaving_InstanceEndsItsCall(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	config := c.config()
	config.Grace = await.Patience
	e := open(t, config)
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Tidy)
	ready := enginetest.StartOne(t, e, events, r)
	call, err := e.Dial(t.Context(), ready.Address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(call, "wait\n"); err != nil {
		t.Fatal(err)
	}
	c.terminate()
	enginetest.Next(t, events, engine.Leaving)
	if answer := enginetest.MustAsk(t, e, ready.Address, "ping"); answer != "pong" {
		t.Errorf("a leaving instance answers %q", answer)
	}
	// It does not count, and is stopped although the number is not reached.
	enginetest.Scale(t, e, r, 1, ready.InstanceID)
	answer, err := io.ReadAll(call)
	if err != nil || string(answer) != "terminated" {
		t.Errorf("the call is answered %q, %v", answer, err)
	}
	replaced := false
	for gone := false; !gone; {
		event := await.Receive(t, "an event", events)
		replaced = replaced || event.State == engine.Starting && event.InstanceID != ready.InstanceID
		if gone = event.State == engine.Gone; gone && event.Reason != "" {
			t.Errorf("the instance is gone with the reason %q, want none", event.Reason)
		}
	}
	if !replaced {
		t.Error("a leaving instance is not replaced")
	}
	// The new instance would wait for a call until the end of its grace period.
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Error(err)
	}
}

// TestLeaving_WarmPodIsReplaced ends a warm Pod.
func TestLeaving_WarmPodIsReplaced(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	config := c.config()
	config.WarmPool = kubernetes.WarmPool{Min: 1, Max: 1, Memory: 4 << 30}
	e := open(t, config)
	if err := e.Apply(t.Context(), enginetest.Revision(enginetest.Serve)); err != nil {
		t.Fatal(err)
	}
	await.True(t, "a Pod is warm", func() bool { return e.WarmCounts()["Go"] == 1 })
	before := c.list()[0].UID
	c.terminate()
	await.True(t, "another Pod is warm", func() bool {
		pods := c.list()
		return len(pods) == 1 && pods[0].UID != before && e.WarmCounts()["Go"] == 1
	})
}
