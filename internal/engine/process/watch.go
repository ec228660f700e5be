package process

import (
	"context"

	"github.com/jeton-dev/jeton/internal/engine"
)

// Watch implements engine.Engine. The channel is also closed after the last event
// of an engine that is being closed.
func (e *Engine) Watch(ctx context.Context) (<-chan engine.Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	var existing []engine.Event
	for _, in := range e.instances {
		existing = append(existing, in.event(engine.Starting))
		if in.ready {
			existing = append(existing, in.event(engine.Ready))
		}
	}
	return e.feed.Watch(ctx, existing), nil
}
