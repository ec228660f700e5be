package metrics

import "github.com/prometheus/client_golang/prometheus"

// Isolation tells at which level instances are isolated: the one that was asked
// for and has been proven, for the server does not start at another one.
func (m *Metrics) Isolation(level string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jeton_isolation_info", Help: "1, with the proven isolation level of instances.",
		ConstLabels: prometheus.Labels{"level": level},
	}, func() float64 { return 1 }))
}

// Prepared has the sandboxes counted that wait for an instance, by kind, and the
// bytes that they take.
func (m *Metrics) Prepared(count func() map[string]int, memory func() int64) {
	m.registry.MustRegister(
		&prepared{count, prometheus.NewDesc("jeton_prepared_sandboxes",
			"Sandboxes that were made ahead of need, by what waits in them.", []string{"kind"}, nil)},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "jeton_prepared_memory_bytes", Help: "What the prepared sandboxes take.",
		}, func() float64 { return float64(memory()) }),
	)
}

// prepared implements prometheus.Collector.
type prepared struct {
	count       func() map[string]int
	description *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (p *prepared) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- p.description }

// Collect implements prometheus.Collector.
func (p *prepared) Collect(found chan<- prometheus.Metric) {
	for kind, n := range p.count() {
		found <- prometheus.MustNewConstMetric(p.description, prometheus.GaugeValue, float64(n), kind)
	}
}
