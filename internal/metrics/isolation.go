package metrics

import "github.com/prometheus/client_golang/prometheus"

// Isolation adds the metric of the isolation level of instances, which the server has verified.
func (m *Metrics) Isolation(level string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jeton_isolation_info", Help: "The verified isolation level of instances; always 1.",
		ConstLabels: prometheus.Labels{"level": level},
	}, func() float64 { return 1 }))
}

// WarmPool adds the metrics of the warm sandboxes: count returns their number by kind, and memory
// the memory that they use in bytes.
func (m *Metrics) WarmPool(count func() map[string]int, memory func() int64) {
	m.registry.MustRegister(
		&warmPool{count, prometheus.NewDesc("jeton_prepared_sandboxes",
			"Warm sandboxes, by kind.", []string{"kind"}, nil)},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "jeton_prepared_memory_bytes", Help: "Memory of the warm sandboxes, in bytes.",
		}, func() float64 { return float64(memory()) }),
	)
}

// warmPool implements prometheus.Collector.
type warmPool struct {
	count       func() map[string]int
	description *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (p *warmPool) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- p.description }

// Collect implements prometheus.Collector.
func (p *warmPool) Collect(collected chan<- prometheus.Metric) {
	for kind, n := range p.count() {
		collected <- prometheus.MustNewConstMetric(p.description, prometheus.GaugeValue, float64(n), kind)
	}
}
