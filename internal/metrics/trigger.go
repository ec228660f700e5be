package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
)

// triggerID is the label for the ID of a trigger.
const triggerID = "trigger_id"

// triggerSeries are the series of all triggers.
type triggerSeries struct {
	deliveries *prometheus.CounterVec
	consuming  *prometheus.GaugeVec
	info       *prometheus.GaugeVec
}

func newTriggerSeries() triggerSeries {
	return triggerSeries{
		deliveries: counters("jeton_trigger_deliveries_total", "Deliveries of messages by trigger and result: taken, again, given_up or cut_off.", triggerID, "result"),
		consuming: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "jeton_trigger_consuming", Help: "1 if the trigger is connected to its broker, else 0.",
		}, []string{triggerID}),
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "jeton_trigger_info", Help: "Existing triggers; always 1.",
		}, []string{triggerID, functionID, "name"}),
	}
}

// apply creates the series of a trigger with the value 0, or removes those of a deleted one.
func (s triggerSeries) apply(t functions.Trigger, deleted bool) {
	labels := prometheus.Labels{triggerID: t.ID}
	s.info.DeletePartialMatch(labels) // The name may have changed.
	if deleted {
		s.deliveries.DeletePartialMatch(labels)
		s.consuming.DeletePartialMatch(labels)
		return
	}
	for _, d := range []schedule.Delivery{schedule.Taken, schedule.Again, schedule.GivenUp, schedule.CutOff} {
		s.deliveries.WithLabelValues(t.ID, string(d))
	}
	s.consuming.WithLabelValues(t.ID)
	s.info.WithLabelValues(t.ID, t.FunctionID, t.Name).Set(1)
}

// Triggers returns an observer of the triggers.
func (m *Metrics) Triggers() schedule.Observer { return triggers{m} }

type triggers struct{ metrics *Metrics }

func (t triggers) Delivered(trigger functions.Trigger, d schedule.Delivery) {
	t.metrics.updateTrigger(trigger, func(s triggerSeries) { s.deliveries.WithLabelValues(trigger.ID, string(d)).Inc() })
}

func (t triggers) Consuming(trigger functions.Trigger, now bool) {
	// A changed trigger can start with the new source before it ends with the old one, so
	// the gauge counts.
	change := -1.0
	if now {
		change = 1
	}
	t.metrics.updateTrigger(trigger, func(s triggerSeries) { s.consuming.WithLabelValues(trigger.ID).Add(change) })
}

// updateTrigger calls change, unless the trigger was deleted: a late update must not create its
// series again.
func (m *Metrics) updateTrigger(t functions.Trigger, change func(triggerSeries)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.triggerIDs[t.ID] {
		change(m.triggers)
	}
}
