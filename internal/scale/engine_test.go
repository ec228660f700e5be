package scale_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jeton-dev/jeton/internal/engine"
)

// fakeEngine is an engine whose instances are entries of a list. They become ready
// immediately, or when the test calls become.
type fakeEngine struct {
	// manual leaves instances starting until the test calls become.
	manual bool
	// crash makes instances end before they are ready, with this reason.
	crash string
	// lingering leaves victims until the test calls become.
	lingering bool

	mu sync.Mutex
	// instances are those that are not gone.
	instances []*fakeInstance
	started   int
	stopped   []string
	deleted   []string
	requests  []string
	broken    error
	// slow holds back SetScale of a revision until the channel is closed.
	slow map[string]chan struct{}
	// watches are the channels of Watch, and watchError is its error.
	watches    []chan engine.Event
	watched    int
	watchError error
	// unsynced makes Watch end before Synced.
	unsynced bool
}

type fakeInstance struct {
	id, revision string
	ready        bool
	// leaving instances were victims, and departing ones end soon. Neither count.
	leaving, departing bool
}

func (e *fakeEngine) SetOutput(func(engine.Line)) {}

func (e *fakeEngine) Apply(context.Context, engine.Revision) error { return nil }

func (e *fakeEngine) SetScale(ctx context.Context, revisionID string, n int, victims []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = append(e.requests, fmt.Sprintf("%s=%d", revisionID, n))
	if slow := e.slow[revisionID]; slow != nil {
		e.mu.Unlock()
		select {
		case <-slow:
		case <-ctx.Done():
		}
		e.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if e.broken != nil {
		return e.broken
	}
	for e.count(revisionID) < n {
		in := e.start(revisionID)
		switch {
		case e.crash != "":
			e.end(in, e.crash)
			n--
		case !e.manual:
			e.makeReady(in)
		}
	}
	for _, id := range victims {
		in := e.find(id)
		if in == nil || in.leaving || !in.departing && e.count(revisionID) <= n {
			continue
		}
		if in.leaving = true; !e.lingering {
			e.end(in, "")
		}
	}
	return nil
}

func (e *fakeEngine) Stop(_ context.Context, instanceID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken != nil {
		return e.broken
	}
	if in := e.find(instanceID); in != nil {
		e.end(in, "")
	}
	return nil
}

func (e *fakeEngine) Delete(_ context.Context, revisionID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken != nil {
		return e.broken
	}
	for _, in := range slices.Clone(e.instances) {
		if in.revision == revisionID {
			e.end(in, "")
		}
	}
	e.deleted = append(e.deleted, revisionID)
	return nil
}

func (e *fakeEngine) Watch(ctx context.Context) (<-chan engine.Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.watched++
	if e.watchError != nil {
		return nil, e.watchError
	}
	events := make(chan engine.Event, 1000)
	for _, in := range e.instances {
		events <- in.event(engine.Starting, "")
		if in.ready {
			events <- in.event(engine.Ready, "")
		}
		if in.departing {
			events <- in.event(engine.Leaving, "")
		}
	}
	if e.unsynced {
		close(events)
		return events, nil
	}
	events <- engine.Event{State: engine.Synced}
	e.watches = append(e.watches, events)
	context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.endWatch(events)
	})
	return events, nil
}

func (in *fakeInstance) event(state engine.State, reason string) engine.Event {
	event := engine.Event{RevisionID: in.revision, InstanceID: in.id, State: state, Reason: reason}
	if state == engine.Ready {
		event.Address = engine.MustParseAddress("unix:/run/" + in.id)
	}
	return event
}

// The following methods are called with the mutex held.

func (e *fakeEngine) endWatch(events chan engine.Event) {
	if i := slices.Index(e.watches, events); i >= 0 {
		e.watches = slices.Delete(e.watches, i, i+1)
		close(events)
	}
}

func (e *fakeEngine) count(revisionID string) int {
	n := 0
	for _, in := range e.instances {
		if in.revision == revisionID && !in.leaving && !in.departing {
			n++
		}
	}
	return n
}

func (e *fakeEngine) find(id string) *fakeInstance {
	if i := slices.IndexFunc(e.instances, func(in *fakeInstance) bool { return in.id == id }); i >= 0 {
		return e.instances[i]
	}
	return nil
}

func (e *fakeEngine) start(revisionID string) *fakeInstance {
	e.started++
	in := &fakeInstance{id: fmt.Sprintf("i%d", e.started), revision: revisionID}
	e.instances = append(e.instances, in)
	e.emit(in.event(engine.Starting, ""))
	return in
}

func (e *fakeEngine) makeReady(in *fakeInstance) {
	in.ready = true
	e.emit(in.event(engine.Ready, ""))
}

func (e *fakeEngine) end(in *fakeInstance, reason string) {
	e.instances = slices.DeleteFunc(e.instances, func(other *fakeInstance) bool { return other == in })
	e.stopped = append(e.stopped, in.id)
	e.emit(in.event(engine.Gone, reason))
}

func (e *fakeEngine) emit(event engine.Event) {
	for _, events := range e.watches {
		events <- event
	}
}

// The following methods are for tests.

// change changes the engine with its mutex held.
func (e *fakeEngine) change(do func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	do()
}

// become moves an instance to a state.
func (e *fakeEngine) become(id string, state engine.State, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	in := e.find(id)
	switch {
	case in == nil:
	case state == engine.Gone:
		e.end(in, reason)
	case state == engine.Leaving:
		in.departing = true
		e.emit(in.event(engine.Leaving, ""))
	default:
		e.makeReady(in)
	}
}

// breakDown makes all requests fail with an error, until it is nil.
func (e *fakeEngine) breakDown(err error) { e.change(func() { e.broken = err }) }

// endWatches ends all watches.
func (e *fakeEngine) endWatches() {
	e.change(func() {
		for len(e.watches) > 0 {
			e.endWatch(e.watches[0])
		}
	})
}

// counts returns the number of instances that count, and of all that were started.
func (e *fakeEngine) counts() (live, started int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, in := range e.instances {
		if !in.leaving && !in.departing {
			live++
		}
	}
	return live, e.started
}

func (e *fakeEngine) countOf(revisionID string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count(revisionID)
}

func (e *fakeEngine) gone() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.stopped)
}

func (e *fakeEngine) forgotten() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.deleted)
}
