package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
)

// triggerID is the label that tells triggers apart.
const triggerID = "trigger_id"

// triggerSeries are those of all triggers.
type triggerSeries struct {
	deliveries *prometheus.CounterVec
	consuming  *prometheus.GaugeVec
}

func newTriggerSeries() triggerSeries {
	return triggerSeries{
		deliveries: counters("jeton_trigger_deliveries_total", "Deliveries of messages by trigger, and how they ended: taken, again, given_up or cut_off.", triggerID, "result"),
		consuming: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "jeton_trigger_consuming", Help: "1 while the trigger reaches its broker, 0 while it does not.",
		}, []string{triggerID}),
	}
}

// apply makes the series of a trigger that is there, from zero on, and removes
// those of one that is not.
func (s triggerSeries) apply(t functions.Trigger, deleted bool) {
	labels := prometheus.Labels{triggerID: t.ID}
	if deleted {
		s.deliveries.DeletePartialMatch(labels)
		s.consuming.DeletePartialMatch(labels)
		return
	}
	for _, d := range []schedule.Delivery{schedule.Taken, schedule.Again, schedule.GivenUp, schedule.CutOff} {
		s.deliveries.WithLabelValues(t.ID, string(d))
	}
	s.consuming.WithLabelValues(t.ID)
}

// Triggers observes the triggers.
func (m *Metrics) Triggers() schedule.Observer { return triggers{m} }

type triggers struct{ metrics *Metrics }

func (t triggers) Delivered(trigger functions.Trigger, d schedule.Delivery) {
	t.metrics.ofTrigger(trigger, func(s triggerSeries) { s.deliveries.WithLabelValues(trigger.ID, string(d)).Inc() })
}

func (t triggers) Consuming(trigger functions.Trigger, now bool) {
	// One that has begun with a new source may be before the end of the old one.
	change := -1.0
	if now {
		change = 1
	}
	t.metrics.ofTrigger(trigger, func(s triggerSeries) { s.consuming.WithLabelValues(trigger.ID).Add(change) })
}

// ofTrigger has the series of a trigger changed, unless it is deleted: what ends
// late must not bring them back.
func (m *Metrics) ofTrigger(t functions.Trigger, change func(triggerSeries)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.triggerIDs[t.ID] {
		change(m.triggers)
	}
}
