package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/scale"
)

// Instances adds the metrics of instances and queues. At each scrape it calls counts and memory, which
// returns the memory in use by the instances of each revision, in bytes; a revision whose memory is
// unknown is missing.
func (m *Metrics) Instances(counts func() []scale.Counts, memory func() map[string]int64) {
	m.registry.MustRegister(&instances{
		metrics: m, counts: counts, memory: memory,
		count: prometheus.NewDesc("jeton_instances",
			"Instances by function and state; function_id is empty for revisions that are not the serving one.",
			[]string{functionID, "state"}, nil),
		used: prometheus.NewDesc("jeton_memory_bytes", "Memory in use by instances, in bytes; missing if the engine cannot measure it.",
			[]string{functionID}, nil),
		queue: prometheus.NewDesc("jeton_queue_length", "Calls that wait for an instance.", []string{functionID}, nil),
	})
}

// instances implements prometheus.Collector.
type instances struct {
	metrics            *Metrics
	counts             func() []scale.Counts
	memory             func() map[string]int64
	count, queue, used *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (i *instances) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- i.count
	descriptions <- i.queue
	descriptions <- i.used
}

// Collect implements prometheus.Collector. Revisions that do not serve are counted together.
func (i *instances) Collect(collected chan<- prometheus.Metric) {
	owners := i.metrics.owners()
	used := map[string]int64{}
	for revision, n := range i.memory() {
		used[owners[revision]] += n
	}
	for owner, n := range used {
		collected <- prometheus.MustNewConstMetric(i.used, prometheus.GaugeValue, float64(n), owner)
	}
	totals := map[string]scale.Counts{}
	for _, c := range i.counts() {
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
		collected <- prometheus.MustNewConstMetric(i.queue, prometheus.GaugeValue, float64(c.Waiting), owner)
		for state, n := range map[string]int{"starting": c.Starting, "idle": c.Idle, "busy": c.Busy, "leaving": c.Leaving} {
			collected <- prometheus.MustNewConstMetric(i.count, prometheus.GaugeValue, float64(n), owner, state)
		}
	}
}
