package process

import (
	"context"

	"github.com/jeton-dev/jeton/internal/engine"
)

// A watcher holds the events that one watch has not delivered. Its length is not
// bounded: no event may be lost, and the number of instances is bounded. The engine's
// mutex guards queue and ended.
type watcher struct {
	queue []engine.Event
	ended bool
	// changed receives a value after a change of the other fields.
	changed chan struct{}
}

func (w *watcher) add(event engine.Event) {
	w.queue = append(w.queue, event)
	w.notify()
}

func (w *watcher) close() {
	w.ended = true
	w.notify()
}

func (w *watcher) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Watch implements engine.Engine. The channel is also closed after the last event
// of an engine that is being closed.
func (e *Engine) Watch(ctx context.Context) (<-chan engine.Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	w := &watcher{changed: make(chan struct{}, 1)}
	for _, in := range e.instances {
		w.add(in.event(engine.Starting))
		if in.ready {
			w.add(in.event(engine.Ready))
		}
	}
	w.add(engine.Event{State: engine.Synced})
	e.watchers[w] = struct{}{}
	events := make(chan engine.Event)
	go e.deliver(ctx, w, events)
	return events, nil
}

func (e *Engine) deliver(ctx context.Context, w *watcher, events chan<- engine.Event) {
	defer close(events)
	defer e.unwatch(w)
	for {
		batch, ended := e.takeEvents(w)
		for _, event := range batch {
			select {
			case events <- event:
			case <-ctx.Done():
				return
			}
		}
		if ended {
			return
		}
		select {
		case <-w.changed:
		case <-ctx.Done():
			return
		}
	}
}

func (e *Engine) takeEvents(w *watcher) (batch []engine.Event, ended bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	batch, w.queue = w.queue, nil
	return batch, w.ended
}

func (e *Engine) unwatch(w *watcher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.watchers, w)
}

// emit adds an event to all watches. The caller holds the mutex, so that all watches
// have the same order.
func (e *Engine) emit(event engine.Event) {
	for w := range e.watchers {
		w.add(event)
	}
}
