package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

// launching are instances of a revision that the node does not know until it is launched.
type launching struct{ gateway.Instances }

func (launching) TryAcquire(string) *scale.Instance { return nil }
func (launching) Acquire(context.Context, string) (*scale.Instance, error) {
	return nil, scale.ErrUnknownRevision
}

// A call of a client waits for the launch of its function, and another node becomes the home.
func TestHomes_ForwardsWhenTheHomeMovesDuringALaunch(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func() io.Reader{"buffered": func() io.Reader { return strings.NewReader("x") }, "streamed": func() io.Reader { return stream("x") }} {
		c := newCluster()
		var a *clusterNode
		a = c.node(t, "a", named("a"), func(config *gateway.Config) {
			config.Instances = launching{config.Instances}
			config.Launched = func(context.Context, string) error {
				c.move("b", a)
				return store.ErrNotOwner
			}
		})
		b := c.node(t, "b", named("b"))
		c.move("a", a, b)
		a.want(t, http.MethodPost, body(), http.StatusOK, "b:x")
		if got := b.received.Load(); got != 1 {
			t.Errorf("%s: the new home has received %d calls, want 1", name, got)
		}
	}
}

// The home stays the same, but has no lease: the call is not sent anywhere.
func TestHomes_AnswersUnavailableWhenALaunchHasNoLease(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a := c.node(t, "a", named("a"), func(config *gateway.Config) {
		config.Instances = launching{config.Instances}
		config.Launched = func(context.Context, string) error { return store.ErrNotOwner }
	})
	c.node(t, "b", named("b"))
	c.move("a", a)
	a.want(t, http.MethodGet, nil, http.StatusServiceUnavailable, "")
	if a.sent.Load() != 0 {
		t.Error("the call was forwarded")
	}
}

// A home that was paused while an instance served a call: the caller has no answer from it
// after the others have removed it.
func TestHomes_EndsACallWhenItsHomeIsFenced(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a := c.node(t, "a", named("a"))
	running, resume := make(chan struct{}), make(chan struct{})
	c.node(t, "b", func(http.ResponseWriter, *http.Request) {
		close(running)
		<-resume
	})
	c.node(t, "d", named("d"))
	t.Cleanup(func() { close(resume) }) // Before the servers are closed.
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		a.want(t, http.MethodPost, strings.NewReader("x"), http.StatusBadGateway, "the function did not answer")
	}()
	await.Receive(t, "the call at the function", running)
	c.remove()
	await.Receive(t, "the answer after the fence", answered)
}

// A home that has joined again as another incarnation still serves its calls.
func TestHomes_KeepsACallWhenItsHomeHasJoinedAgain(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a := c.node(t, "a", named("a"))
	running, resume := make(chan struct{}), make(chan struct{})
	b := c.node(t, "b", func(w http.ResponseWriter, _ *http.Request) {
		close(running)
		<-resume
		_, _ = io.WriteString(w, "b")
	})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		a.want(t, http.MethodPost, strings.NewReader("x"), http.StatusOK, "b")
	}()
	await.Receive(t, "the call at the function", running)
	before := a.presence.Load()
	b.rejoined.Store(true)
	await.True(t, "the node looks twice whether the home is present", func() bool { return a.presence.Load() >= before+2 })
	close(resume)
	await.Receive(t, "the answer", answered)
}
