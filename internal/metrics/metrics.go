package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// Metrics is all that one server measures. Every label has few values: series
// of a function go with the function, and what callers send is no label.
type Metrics struct {
	registry *prometheus.Registry

	calls        *prometheus.CounterVec
	callDuration *prometheus.HistogramVec
	callWait     prometheus.Histogram
	admissions   *prometheus.CounterVec
	revocation   prometheus.Histogram
	starts       *prometheus.CounterVec
	startTime    prometheus.Histogram
	coldStarts   prometheus.Counter
	builds       *prometheus.HistogramVec
	deployments  *prometheus.HistogramVec
	functionInfo *prometheus.GaugeVec
	triggers     triggerSeries

	// unknown counts the calls of hosts that no function has.
	unknown *functionSeries
	mu      sync.RWMutex
	// functions holds the series of each function that there is, and revisions
	// which of them each serving revision belongs to.
	functions map[string]*functionSeries
	revisions map[string]string
	// triggerIDs are those of the triggers that there are.
	triggerIDs map[string]bool
}

// The buckets of the histograms, in seconds. A function may take as long as an
// hour, a revocation is a matter of microseconds.
var (
	callBuckets       = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
	waitBuckets       = []float64{.0001, .001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	revocationBuckets = []float64{1e-6, 1e-5, 1e-4, .001, .01, .1, 1, 10}
	startBuckets      = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	taskBuckets       = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 2400}
)

// New returns the metrics of a server of the given version.
func New(version string) *Metrics {
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		functions: map[string]*functionSeries{},
		revisions: map[string]string{},

		triggers: newTriggerSeries(), triggerIDs: map[string]bool{},

		calls:        counters("jeton_calls_total", "Calls by function and class of the answer's status; function_id is empty where no function has the host.", functionID, "class"),
		callDuration: histograms("jeton_call_duration_seconds", "How long calls took, waiting included.", callBuckets, functionID),
		callWait:     histogram("jeton_call_wait_seconds", "How long calls that were served waited for an instance.", waitBuckets),
		admissions:   counters("jeton_admissions_total", "Decisions on calls of private functions: admitted by what, or refused for what reason.", "result", "reason"),
		revocation:   histogram("jeton_revocation_seconds", "Time from the commit of a token's deletion until no call is admitted with it any more.", revocationBuckets),
		starts:       counters("jeton_instance_starts_total", "Instances that became ready, and those that ended before.", "result"),
		startTime:    histogram("jeton_instance_start_seconds", "How long instances took to become ready.", startBuckets),
		coldStarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "jeton_cold_starts_total", Help: "Instances that a call had to wait for while they started.",
		}),
		builds:       histograms("jeton_build_duration_seconds", "How long builds took, by result.", taskBuckets, "result"),
		deployments:  histograms("jeton_deployment_duration_seconds", "How long deployments took, by result, builds included.", taskBuckets, "result"),
		functionInfo: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jeton_function_info", Help: "Which functions there are; always 1."}, []string{functionID, "namespace_id", "name"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "jeton_info", Help: "The version that runs; always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.registry.MustRegister(
		m.calls, m.callDuration, m.callWait, m.admissions, m.revocation, m.starts, m.startTime, m.coldStarts,
		m.builds, m.deployments, m.functionInfo, m.triggers.deliveries, m.triggers.consuming, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.unknown = m.seriesOf("")
	return m
}

// functionID is the label that tells functions apart.
const functionID = "function_id"

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// Behind has the number that the function returns reported as how many changes
// this server's view is behind the store.
func (m *Metrics) Behind(behind func() int64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jeton_changes_behind", Help: "How many committed changes this server has not applied yet.",
	}, func() float64 { return float64(behind()) }))
}

// Revoked notes a change that the gateway has applied, if it is the deletion of
// a token.
func (m *Metrics) Revoked(change store.Change, now time.Time) {
	if _, ok := change.Object.(functions.Token); ok && change.Deleted && !change.CommittedAt.IsZero() {
		m.revocation.Observe(max(now.Sub(change.CommittedAt), 0).Seconds())
	}
}

// scrapes is how many are answered at once.
const scrapes = 4

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes})
}
