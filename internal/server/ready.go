package server

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/ops"
	"github.com/jeton-dev/jeton/internal/store"
)

// progress is the state of a start.
type progress struct{ restored, scaling atomic.Bool }

func newReadiness(b *base, followers *store.Fanout, p *progress) *ops.Readiness {
	return ops.NewReadiness(b.config.Now,
		ops.Check{Name: "start", Run: func(context.Context) error {
			if !p.restored.Load() {
				return errors.New("functions are being restored")
			}
			return nil
		}},
		ops.Check{Name: "store", Run: b.store.Check},
		ops.Check{Name: "lease", Run: func(context.Context) error {
			if !b.node.Held() {
				return errors.New("the node has no lease: it cannot reach the database, or has not applied all changes")
			}
			return nil
		}},
		ops.Check{Name: "changes", Run: func(ctx context.Context) error { return awaitChanges(ctx, b.store, followers) }},
		ops.Check{Name: "engine", Run: func(context.Context) error {
			if !p.scaling.Load() {
				return errors.New("it is not running")
			}
			return nil
		}},
	)
}

// changesTick is the interval of checks for applied changes.
const changesTick = 5 * time.Millisecond

// awaitChanges returns when the changes that are committed now are applied, or an
// error when ctx ends.
func awaitChanges(ctx context.Context, s store.Store, followers *store.Fanout) error {
	newest := s.Newest()
	tick := time.NewTicker(changesTick)
	defer tick.Stop()
	for followers.Applied() < newest {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d behind", newest-followers.Applied())
		}
	}
	return nil
}
