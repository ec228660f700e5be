package gateway_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/scale"
)

// unsettlingInstances is an Instances that sets settled to false when a call acquires an
// instance, or while it waits for one.
type unsettlingInstances struct {
	*world

	waiting bool
	settled *atomic.Bool
}

func (u unsettlingInstances) TryAcquire(revisionID string) *scale.Instance {
	if u.waiting {
		return nil
	}
	u.settled.Store(false)
	return u.world.TryAcquire(revisionID)
}

func (u unsettlingInstances) Acquire(ctx context.Context, revisionID string) (*scale.Instance, error) {
	u.settled.Store(false)
	return u.world.Acquire(ctx, revisionID)
}

// While the table may lack a stored revocation, every call is refused.
func TestCall_IsRefusedWhileChangesAreUnsettled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		privacy functions.Privacy
		// acquiring means that the call was admitted before, and waiting that it waits then.
		acquiring, waiting bool
	}{
		"private":                    {functions.Private, false, false},
		"public":                     {functions.Public, false, false},
		"private, while it acquires": {functions.Private, true, false},
		"public, while it acquires":  {functions.Public, true, false},
		"private, while it waits":    {functions.Private, true, true},
		"public, while it waits":     {functions.Public, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var settled atomic.Bool
			settled.Store(true)
			w := newWorld(t, echo, func(c *gateway.Config) { c.Settled = settled.Load })
			w.function(func(f *functions.Function) { f.Privacy = test.privacy })
			w.token("good", functions.Token{ID: tokenID(1), FunctionID: functionID})
			if got := w.call("X-Auth-Token", "good"); got.Code != http.StatusOK {
				t.Fatalf("settled: got status %d, want 200", got.Code)
			}
			settled.Store(test.acquiring)
			if test.acquiring {
				w.configure(func(c *gateway.Config) { c.Instances = unsettlingInstances{w, test.waiting, &settled} })
			}
			got := w.call("X-Auth-Token", "good")
			if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
				t.Errorf("unsettled: got status %d, Retry-After %q, want 503", got.Code, got.Header().Get("Retry-After"))
			}
			if w.released != 1 && !test.acquiring || w.released != 2 && test.acquiring {
				t.Errorf("got %d released instances", w.released)
			}
			settled.Store(true)
			w.configure(func(c *gateway.Config) { c.Instances = w })
			if got := w.call("X-Auth-Token", "good"); got.Code != http.StatusOK {
				t.Errorf("settled again: got status %d, want 200", got.Code)
			}
		})
	}
}
