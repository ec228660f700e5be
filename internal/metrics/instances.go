package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/scale"
)

// Instances has the scaler's census taken at each scrape.
func (m *Metrics) Instances(census func() []scale.Counts) {
	m.registry.MustRegister(&instances{
		metrics: m, census: census,
		count: prometheus.NewDesc("jeton_instances",
			"Instances by function and state; function_id is empty for a revision that does not serve yet, or no longer.",
			[]string{functionID, "state"}, nil),
		queue: prometheus.NewDesc("jeton_queue_length", "Calls that wait for an instance.", []string{functionID}, nil),
	})
}

// instances implements prometheus.Collector.
type instances struct {
	metrics      *Metrics
	census       func() []scale.Counts
	count, queue *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (i *instances) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- i.count
	descriptions <- i.queue
}

// Collect implements prometheus.Collector. Revisions that belong to no function
// now are counted together.
func (i *instances) Collect(found chan<- prometheus.Metric) {
	owners := i.metrics.owners()
	totals := map[string]scale.Counts{}
	for _, c := range i.census() {
		owner := owners[c.RevisionID]
		sum := totals[owner]
		sum.Waiting += c.Waiting
		sum.Starting += c.Starting
		sum.Idle += c.Idle
		sum.Busy += c.Busy
		sum.Leaving += c.Leaving
		totals[owner] = sum
	}
	for owner, c := range totals {
		found <- prometheus.MustNewConstMetric(i.queue, prometheus.GaugeValue, float64(c.Waiting), owner)
		for state, n := range map[string]int{"starting": c.Starting, "idle": c.Idle, "busy": c.Busy, "leaving": c.Leaving} {
			found <- prometheus.MustNewConstMetric(i.count, prometheus.GaugeValue, float64(n), owner, state)
		}
	}
}
