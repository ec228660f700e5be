package gateway_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/scale"
)

// doubtfulInstances begins a doubt while a call waits for its instance.
type doubtfulInstances struct {
	*world

	settled *atomic.Bool
}

func (d doubtfulInstances) Acquire(ctx context.Context, revisionID string) (*scale.Instance, error) {
	d.settled.Store(false)
	return d.world.Acquire(ctx, revisionID)
}

// While a revocation may have been stored that the table does not have, no call is
// admitted, whatever it presents.
func TestCall_IsRefusedWhileChangesAreUnsettled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		privacy functions.Privacy
		waiting bool
	}{
		"private":                 {functions.Private, false},
		"public":                  {functions.Public, false},
		"private, while it waits": {functions.Private, true},
		"public, while it waits":  {functions.Public, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, echo)
			var settled atomic.Bool
			settled.Store(true)
			w.Settled = settled.Load
			w.function(func(f *functions.Function) { f.Privacy = test.privacy })
			w.token("good", functions.Token{ID: tokenID(1), FunctionID: functionID})
			if got := w.call("X-Auth-Token", "good"); got.Code != http.StatusOK {
				t.Fatalf("before: %d", got.Code)
			}
			settled.Store(test.waiting)
			if test.waiting {
				w.Instances = doubtfulInstances{w, &settled}
			}
			got := w.call("X-Auth-Token", "good")
			if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
				t.Errorf("during the doubt: %d, Retry-After %q", got.Code, got.Header().Get("Retry-After"))
			}
			if w.released != 1 && !test.waiting || w.released != 2 && test.waiting {
				t.Errorf("%d instances were given back", w.released)
			}
			settled.Store(true)
			w.Instances = w
			if got := w.call("X-Auth-Token", "good"); got.Code != http.StatusOK {
				t.Errorf("afterwards: %d", got.Code)
			}
		})
	}
}
