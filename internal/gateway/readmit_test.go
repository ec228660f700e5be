package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
)

// waitingInstances calls meanwhile while a call waits for an instance or, if idle is true, when it
// takes an idle one.
type waitingInstances struct {
	*world

	idle      bool
	meanwhile func()
}

func (w waitingInstances) TryAcquire(revision string) *scale.Instance {
	if !w.idle {
		return nil
	}
	w.meanwhile()
	return w.world.TryAcquire(revision)
}

func (w waitingInstances) Acquire(ctx context.Context, revision string) (*scale.Instance, error) {
	w.meanwhile()
	return w.world.Acquire(ctx, revision)
}

// A call that waits for an instance is checked again: of its API key also if the table of
// tokens has not changed, and of its function also if its host has another one now.
func TestCall_IsCheckedAgainAfterWaiting(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		meanwhile func(w *world, key iam.APIKey)
		status    int
	}{
		"nothing changes":        {func(*world, iam.APIKey) {}, http.StatusOK},
		"the API key is revoked": {func(w *world, key iam.APIKey) { w.directory.Apply(key, true) }, http.StatusForbidden},
		"the host moves to another function": {func(w *world, _ iam.APIKey) {
			w.function(func(f *functions.Function) { f.DomainName = "elsewhere.localhost" })
			w.config.Table.Apply(store.Change{Object: functions.Function{
				ID: siblingID, NamespaceID: namespaceID, ProjectID: projectID, DomainName: host, Privacy: functions.Public,
				HTTPOption: functions.HTTPEnabled, Timeout: time.Minute, Status: functions.Ready, Revision: &functions.Revision{ID: "s"},
			}})
		}, http.StatusServiceUnavailable},
	}
	for name, test := range tests {
		for _, idle := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, idle instance %t", name, idle), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, echo)
				w.function(nil)
				key, secretKey := iam.NewAPIKey(iam.Project{ID: projectID}, start, iam.FullAccess)
				w.directory.Apply(key, false)
				w.configure(func(c *gateway.Config) {
					c.Instances = waitingInstances{w, idle, func() { test.meanwhile(w, key) }}
				})
				got := w.call("X-Auth-Token", secretKey.Reveal())
				if got.Code != test.status {
					t.Errorf("got status %d, want %d", got.Code, test.status)
				}
				if w.released != 1 {
					t.Errorf("the instance was released %d times, want once", w.released)
				}
			})
		}
	}
}
