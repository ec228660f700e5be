package instances

import (
	"context"
	"sync"

	"github.com/jeton-dev/jeton/internal/engine"
)

// A feed has the watches of a set. The mutex of the set guards it, so that all watches have
// the same order.
type feed struct {
	mutex    sync.Locker
	watchers map[*watcher]struct{}
}

func newFeed(mutex sync.Locker) *feed {
	return &feed{mutex: mutex, watchers: map[*watcher]struct{}{}}
}

// A watcher holds the events that one watch has not delivered. Its length is not
// bounded: no event may be lost, and the number of instances is bounded. The mutex of
// the feed guards queue and ended.
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

func (w *watcher) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// watch returns a channel with the events of the existing instances, Synced, and then the
// events of emit. It is closed when ctx ends, and after the last event when close was called.
// The caller holds the mutex.
func (f *feed) watch(ctx context.Context, existing []engine.Event) <-chan engine.Event {
	w := &watcher{changed: make(chan struct{}, 1)}
	w.queue = append(existing, engine.Event{State: engine.Synced})
	w.notify()
	f.watchers[w] = struct{}{}
	events := make(chan engine.Event)
	go f.deliver(ctx, w, events)
	return events
}

// emit adds an event to all watches. The caller holds the mutex.
func (f *feed) emit(event engine.Event) {
	for w := range f.watchers {
		w.add(event)
	}
}

// close ends all watches after their last event. The caller holds the mutex.
func (f *feed) close() {
	for w := range f.watchers {
		w.ended = true
		w.notify()
	}
}

func (f *feed) deliver(ctx context.Context, w *watcher, events chan<- engine.Event) {
	defer close(events)
	defer f.remove(w)
	for {
		batch, ended := f.take(w)
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

func (f *feed) take(w *watcher) (batch []engine.Event, ended bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	batch, w.queue = w.queue, nil
	return batch, w.ended
}

func (f *feed) remove(w *watcher) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.watchers, w)
}
