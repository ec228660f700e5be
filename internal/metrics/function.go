package metrics

import (
	"maps"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/functions"
)

// functionSeries are the series of one function, found once and not anew for
// each call.
type functionSeries struct {
	// classes are by the first digit of the status; 0 is for calls that ended
	// without an answer.
	classes  [6]prometheus.Counter
	duration prometheus.Observer
	// name and namespaceID are those of jeton_function_info, revisionID is the
	// revision that serves.
	name, namespaceID, revisionID string
}

func (m *Metrics) seriesOf(id string) *functionSeries {
	s := &functionSeries{duration: m.callDuration.WithLabelValues(id)}
	for i := range s.classes {
		class := "none"
		if i > 0 {
			class = strconv.Itoa(i) + "xx"
		}
		s.classes[i] = m.calls.WithLabelValues(id, class)
	}
	return s
}

// called notes a call.
func (s *functionSeries) called(status int, seconds float64) {
	class := status / 100
	if class < 0 || class >= len(s.classes) {
		class = 0
	}
	s.classes[class].Inc()
	s.duration.Observe(seconds)
}

// Apply notes one change: it makes the series of a new function or trigger, and
// removes those of a deleted one. Calls that are still under way then count no
// more.
func (m *Metrics) Apply(change functions.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch o := change.Object.(type) {
	case functions.Function:
		m.applyFunction(o, change.Deleted)
	case functions.Trigger:
		m.triggers.apply(o, change.Deleted)
		if change.Deleted {
			delete(m.triggerIDs, o.ID)
		} else {
			m.triggerIDs[o.ID] = true
		}
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
		m.functionInfo.WithLabelValues(f.ID, f.NamespaceID, f.Name).Set(1)
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

func (m *Metrics) series(id string) *functionSeries {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if id == "" {
		return m.unknown
	}
	return m.functions[id]
}

// owners returns which function each serving revision belongs to.
func (m *Metrics) owners() map[string]string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.revisions)
}
