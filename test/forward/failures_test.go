package forward_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
)

// answer is the end of a call in the background.
type answer struct {
	status int
	body   string
}

// begin makes a call in the background.
func (w *world) begin(n *clustertest.Node, path string) <-chan answer {
	w.t.Helper()
	ended := make(chan answer, 1)
	r := w.request(n, http.MethodGet, path, nil)
	go func() {
		response, body := w.do(r)
		ended <- answer{response.StatusCode, body}
	}()
	return ended
}

// The home is killed. A call that had an instance gets 502, and one that waited for an
// instance is served by the next home.
func TestForward_HomeIsKilled(t *testing.T) {
	c := clustertest.StartProcesses(t, 3, fast)
	one := uint32(1)
	w := newWorld(t, c, func(r *function.CreateFunctionRequest) { r.MaxScale = &one })
	if status, body := w.get(w.away, "/x"); status != http.StatusOK {
		t.Fatalf("before the kill: got %d %s", status, body)
	}
	served := w.begin(w.away, "/sleep?for=20s")
	await.True(t, "the only instance is busy", func() bool { return busy(t, w.home) == "1" })
	queued := w.begin(w.away, "/sleep?for=1ms")
	await.True(t, "a call waits for the instance", func() bool { return waiting(t, w.home) == "1" })
	w.home.Kill()
	if got := await.Receive(t, "the answer of the served call", served); got.status != http.StatusBadGateway {
		t.Errorf("a call that had an instance: got %d %s, want 502", got.status, got.body)
	}
	if got := await.Receive(t, "the answer of the waiting call", queued); got.status != http.StatusOK || got.body != "slept" {
		t.Errorf("a call that had none: got %d %s, want 200", got.status, got.body)
	}
	if got := gauge(t, w.away, "jeton_call_forward_retries_total", ""); got == "0" {
		t.Error("no call was sent again")
	}
	for _, n := range c.Others(w.home) {
		if status, body := w.get(n, "/x"); status != http.StatusOK {
			t.Errorf("after the kill at %s: got %d %s", n.Name, status, body)
		}
	}
}

// A home that is paused keeps its connections. It is fenced, and serves nothing when it
// resumes.
func TestForward_HomeIsPaused(t *testing.T) {
	c := clustertest.StartProcesses(t, 3, fast)
	w := newWorld(t, c, nil)
	if status, body := w.get(w.away, "/x"); status != http.StatusOK {
		t.Fatalf("before the pause: got %d %s", status, body)
	}
	w.home.Pause()
	if status, body := w.get(w.away, "/x"); status != http.StatusOK {
		t.Errorf("during the pause: got %d %s", status, body)
	}
	w.home.Resume()
	await.True(t, "the node has joined again", func() bool { return len(c.Members()) == 3 })
	for _, n := range c.Nodes {
		await.True(t, n.Name+" serves", func() bool { status, _ := w.get(n, "/x"); return status == http.StatusOK })
	}
}

// Nodes stop one after another under load, and no call at the other nodes fails.
func TestForward_DrainLosesNoCall(t *testing.T) {
	c := clustertest.Start(t, 3, func(config *server.Config) { config.StopTimeout = await.Patience })
	w := newWorld(t, c, nil)
	for _, n := range c.Nodes {
		if status, body := w.get(n, "/x"); status != http.StatusOK {
			t.Fatalf("%s: got %d %s", n.Name, status, body)
		}
	}
	for range 2 {
		home := c.Home(w.f.ID)
		others := c.Others(home)
		ctx, stop := context.WithCancel(t.Context())
		var calls, failed atomic.Int64
		var group sync.WaitGroup
		for i := range 8 {
			n := others[i%len(others)]
			group.Go(func() {
				for ctx.Err() == nil {
					status, body := w.get(n, "/sleep?for=20ms")
					if calls.Add(1); status != http.StatusOK {
						failed.Add(1)
						t.Errorf("a call at %s: got %d %s", n.Name, status, body)
						return
					}
				}
			})
		}
		await.True(t, "calls run", func() bool { return calls.Load() > 50 })
		home.Stop()
		before := calls.Load()
		await.True(t, "calls run at the next home", func() bool { return calls.Load() > before+50 || failed.Load() > 0 })
		home.Restart()
		home.AwaitReady(t)
		before = calls.Load()
		await.True(t, "calls run after the node is back", func() bool { return calls.Load() > before+50 || failed.Load() > 0 })
		stop()
		group.Wait()
		t.Logf("%s stopped and came back: %d calls at the others, %d failed", home.Name, calls.Load(), failed.Load())
	}
}

// An upgraded connection ends when the node loses its lease, at the latest a second later.
func TestForward_LostLeaseEndsUpgrades(t *testing.T) {
	c := clustertest.StartProcesses(t, 2, fast)
	w := newWorld(t, c, nil)
	_, reader := w.upgrade(t, w.away, "")
	w.home.Pause()
	time.AfterFunc(4*time.Second, w.home.Resume) // The lease has ended then.
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the upgraded connection of a home without a lease continues")
	}
}
