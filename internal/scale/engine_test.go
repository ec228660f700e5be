package scale_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jeton-dev/jeton/internal/engine"
)

// memory is an engine whose instances are entries of a list. They become ready
// by themselves, or when the test says so.
type memory struct {
	// manual leaves instances starting until the test moves them.
	manual bool
	// crash makes instances end before they are ready, with this reason.
	crash string
	// lingering leaves instances that were asked to go until the test ends them.
	lingering bool
	// prefix begins the IDs of instances.
	prefix string

	mu      sync.Mutex
	live    []string
	started int
	stopped []string
	deleted []string
	broken  error
	// events is made by open, within the bubble of the test.
	events chan engine.Event
}

func (m *memory) open() { m.events = make(chan engine.Event, 1000) }

// Home implements engine.Engine.
func (m *memory) Home(dir string) string { return dir }

func (m *memory) Apply(context.Context, engine.Revision) error { return nil }

func (m *memory) SetScale(_ context.Context, revisionID string, n int, spare []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	for len(m.live) < n {
		m.started++
		id := fmt.Sprintf("%si%d", m.prefix, m.started)
		m.live = append(m.live, id)
		m.emit(revisionID, id, engine.Starting, "")
		switch {
		case m.crash != "":
			m.end(revisionID, id, m.crash)
		case !m.manual:
			m.emit(revisionID, id, engine.Ready, "")
		}
		if m.crash != "" {
			n--
		}
	}
	for _, id := range spare {
		if len(m.live) <= n || !slices.Contains(m.live, id) {
			continue
		}
		if m.lingering {
			m.drop(id)
		} else {
			m.end(revisionID, id, "")
		}
	}
	return nil
}

func (m *memory) Stop(_ context.Context, instanceID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	if slices.Contains(m.live, instanceID) {
		m.end(revision, instanceID, "")
	}
	return nil
}

func (m *memory) Delete(_ context.Context, revisionID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	for _, id := range slices.Clone(m.live) {
		m.end(revisionID, id, "")
	}
	m.deleted = append(m.deleted, revisionID)
	return nil
}

func (m *memory) Watch(ctx context.Context) (<-chan engine.Event, error) {
	watch := make(chan engine.Event)
	go func() {
		defer close(watch)
		for {
			select {
			case event, ok := <-m.events:
				if !ok {
					return
				}
				watch <- event
			case <-ctx.Done():
				return
			}
		}
	}()
	return watch, nil
}

// end, drop and emit are called with the mutex held.
func (m *memory) end(revisionID, id, reason string) {
	m.drop(id)
	m.stopped = append(m.stopped, id)
	m.emit(revisionID, id, engine.Gone, reason)
}

func (m *memory) drop(id string) {
	m.live = slices.DeleteFunc(m.live, func(other string) bool { return other == id })
}

func (m *memory) emit(revisionID, id string, state engine.State, reason string) {
	m.events <- engine.Event{
		RevisionID: revisionID, InstanceID: id, State: state, Address: "/run/" + id, Reason: reason,
	}
}

// become moves an instance of a manual engine.
func (m *memory) become(id string, state engine.State, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if state == engine.Gone {
		m.end(revision, id, reason)
		return
	}
	m.emit(revision, id, state, reason)
}

func (m *memory) breakDown(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func (m *memory) counts() (live, started int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live), m.started
}

func (m *memory) gone() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.stopped)
}

func (m *memory) forgotten() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.deleted)
}
