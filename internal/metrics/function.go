package metrics

import (
	"maps"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// functionSeries are the series of one function. They are looked up once, not for each call.
type functionSeries struct {
	// classes are indexed by the first digit of the status; 0 is for calls that ended
	// without an answer.
	classes  [6]prometheus.Counter
	duration prometheus.Observer
	// name and namespaceID are labels of jeton_function_info. revisionID is the serving
	// revision.
	name, namespaceID, revisionID string
	// active means that there were calls since the last sample of History.
	active     atomic.Bool
	coldStarts atomic.Uint64
	// sampled are the totals at that sample; only History uses them.
	sampled totals
}

func (m *Metrics) seriesOf(id string) *functionSeries {
	s := &functionSeries{duration: m.callDuration.WithLabelValues(id)}
	for i := range s.classes {
		s.classes[i] = m.calls.WithLabelValues(id, class(100*i))
	}
	return s
}

// class returns the class of a status, such as 2xx, or "none" for a call without an answer.
func class(status int) string {
	if status < 100 || status > 599 {
		return "none"
	}
	return strconv.Itoa(status/100) + "xx"
}

// observe counts a call.
func (s *functionSeries) observe(status int, seconds float64) {
	class := status / 100
	if class < 0 || class >= len(s.classes) {
		class = 0
	}
	s.classes[class].Inc()
	s.duration.Observe(seconds)
	if !s.active.Load() {
		s.active.Store(true)
	}
}

// Apply applies a change: it creates the series of a new function or trigger, and removes those of
// a deleted one. Calls of a function that end after its deletion are not counted.
func (m *Metrics) Apply(change store.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.apply(change.Object, change.Deleted)
}

// Reload implements store.Follower. The series of functions and triggers that
// still exist keep their values.
func (m *Metrics) Reload(store.Position) store.Loader {
	all, exists := []store.Object{}, map[string]bool{}
	return store.Loader{
		Add: func(o store.Object) {
			switch o.(type) {
			case functions.Function, functions.Trigger, functions.Namespace:
				all = append(all, o)
				exists[o.ObjectID()] = true
			}
		},
		Swap: func() { m.replace(all, exists) },
	}
}

// replace removes the series of functions and triggers that no longer exist, and creates those of
// all others.
func (m *Metrics) replace(all []store.Object, exists map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.functions {
		if !exists[id] {
			m.remove(id)
		}
	}
	for id := range m.triggerIDs {
		if !exists[id] {
			m.applyTrigger(functions.Trigger{ID: id}, true)
		}
	}
	for _, o := range all {
		m.apply(o, false)
	}
}

func (m *Metrics) apply(object store.Object, deleted bool) {
	switch o := object.(type) {
	case functions.Namespace:
		m.applyNamespace(o, deleted)
	case functions.Function:
		m.applyFunction(o, deleted)
	case functions.Trigger:
		m.applyTrigger(o, deleted)
	}
}

// applyNamespace records the name of a namespace, which does not change. A snapshot may contain
// its functions before it.
func (m *Metrics) applyNamespace(n functions.Namespace, deleted bool) {
	if deleted {
		delete(m.namespaces, n.ID)
		return
	}
	if _, known := m.namespaces[n.ID]; known {
		return
	}
	m.namespaces[n.ID] = n.Name
	for id, s := range m.functions {
		if s.namespaceID == n.ID {
			m.functionInfo.DeletePartialMatch(prometheus.Labels{functionID: id})
			m.functionInfo.WithLabelValues(id, n.ID, n.Name, s.name).Set(1)
		}
	}
}

func (m *Metrics) applyTrigger(t functions.Trigger, deleted bool) {
	m.triggers.apply(t, deleted)
	if deleted {
		delete(m.triggerIDs, t.ID)
	} else {
		m.triggerIDs[t.ID] = true
	}
}

func (m *Metrics) applyFunction(f functions.Function, deleted bool) {
	if deleted {
		m.remove(f.ID)
		return
	}
	s := m.functions[f.ID]
	if s == nil {
		s = m.seriesOf(f.ID)
		s.name, s.namespaceID = f.Name, f.NamespaceID
		m.functions[f.ID] = s
		m.functionInfo.WithLabelValues(f.ID, f.NamespaceID, m.namespaces[f.NamespaceID], f.Name).Set(1)
	}
	if f.Revision != nil && f.Revision.ID != s.revisionID {
		delete(m.revisions, s.revisionID)
		s.revisionID = f.Revision.ID
		m.revisions[s.revisionID] = f.ID
	}
}

func (m *Metrics) remove(id string) {
	if s := m.functions[id]; s != nil {
		delete(m.revisions, s.revisionID)
	}
	delete(m.functions, id)
	labels := prometheus.Labels{functionID: id}
	m.calls.DeletePartialMatch(labels)
	m.callDuration.DeletePartialMatch(labels)
	m.functionInfo.DeletePartialMatch(labels)
}

// series returns the series of a function; nil if the function does not exist. An empty ID means
// the calls of unknown hostnames.
func (m *Metrics) series(id string) *functionSeries {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if id == "" {
		return m.unknown
	}
	return m.functions[id]
}

// owners returns the function ID of each serving revision.
func (m *Metrics) owners() map[string]string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.revisions)
}
