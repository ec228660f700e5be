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

// Metrics are the metrics of one server. The number of series is bounded: the series of a function
// are removed with the function, and no label contains data of callers. Metrics is safe for
// concurrent use.
type Metrics struct {
	gatherer *prometheus.Registry
	// registry adds the label of the node, if there is one.
	registry prometheus.Registerer

	calls        *prometheus.CounterVec
	callDuration *prometheus.HistogramVec
	callWait     prometheus.Histogram
	admissions   *prometheus.CounterVec
	forwarded    *prometheus.CounterVec
	// forwardRetries and misdirected count what the change of a home causes.
	forwardRetries, misdirected prometheus.Counter
	revocation                  prometheus.Histogram
	starts                      *prometheus.CounterVec
	startTime                   prometheus.Histogram
	coldStarts                  prometheus.Counter
	builds                      *prometheus.HistogramVec
	deployments                 *prometheus.HistogramVec
	functionInfo                *prometheus.GaugeVec
	triggers                    triggerSeries

	// unknown are the series for calls of unknown hostnames.
	unknown *functionSeries
	mu      sync.RWMutex
	// functions are the series by function ID; revisions are the function IDs by serving
	// revision.
	functions map[string]*functionSeries
	revisions map[string]string
	// triggerIDs are the IDs of all triggers.
	triggerIDs map[string]bool
	// namespaces are the names of namespaces by ID.
	namespaces map[string]string
}

// The buckets of the histograms in seconds. A call can take an hour, a revocation takes
// microseconds.
var (
	callBuckets       = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
	waitBuckets       = []float64{.0001, .001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	revocationBuckets = []float64{1e-6, 1e-5, 1e-4, .001, .01, .1, 1, 10}
	startBuckets      = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	taskBuckets       = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 2400}
)

// New returns the metrics of a server with a version.
func New(version string) *Metrics { return NewNode(version, "") }

// NewNode returns the metrics of a node of a cluster. All series have its name as the label
// node, unless it is empty.
func NewNode(version, node string) *Metrics {
	m := &Metrics{
		gatherer:  prometheus.NewRegistry(),
		functions: map[string]*functionSeries{},
		revisions: map[string]string{},

		triggers: newTriggerSeries(), triggerIDs: map[string]bool{}, namespaces: map[string]string{},

		calls:        counters("jeton_calls_total", "Calls by function and class of the response status; function_id is empty for an unknown hostname.", functionID, "class"),
		callDuration: histograms("jeton_call_duration_seconds", "Duration of calls, including the wait for an instance.", callBuckets, functionID),
		callWait:     histogram("jeton_call_wait_seconds", "Wait of served calls for an instance.", waitBuckets),
		admissions:   counters("jeton_admissions_total", "Decisions about calls of private functions. The reason is the kind of credential of an admitted call, or why the call was refused.", "result", "reason"),
		revocation:   histogram("jeton_revocation_seconds", "Time from the commit of a token's deletion until calls with it are denied.", revocationBuckets),
		forwarded:    counters("jeton_calls_forwarded_total", "Calls that another node has served, the home of their function, by class of the response status.", "class"),
		forwardRetries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "jeton_call_forward_retries_total", Help: "Attempts to forward a call again: the home had changed, was gone, or had no lease.",
		}),
		misdirected: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "jeton_calls_misdirected_total", Help: "Calls that other nodes forwarded to this one although another is the home (answered with 421, and forwarded again).",
		}),
		starts:    counters("jeton_instance_starts_total", "Starts of instances by result: ready or failed.", "result"),
		startTime: histogram("jeton_instance_start_seconds", "Time until instances were ready.", startBuckets),
		coldStarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "jeton_cold_starts_total", Help: "Instances for whose start a call had to wait.",
		}),
		builds:       histograms("jeton_build_duration_seconds", "Duration of builds, by result.", taskBuckets, "result"),
		deployments:  histograms("jeton_deployment_duration_seconds", "Duration of deployments including their builds, by result.", taskBuckets, "result"),
		functionInfo: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jeton_function_info", Help: "Existing functions; always 1."}, []string{functionID, "namespace_id", "namespace", "name"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "jeton_info", Help: "Version of the server; always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.registry = m.gatherer
	if node != "" {
		m.registry = prometheus.WrapRegistererWith(prometheus.Labels{"node": node}, m.gatherer)
	}
	m.registry.MustRegister(
		m.calls, m.callDuration, m.callWait, m.admissions, m.forwarded, m.forwardRetries, m.misdirected, m.revocation, m.starts, m.startTime, m.coldStarts,
		m.builds, m.deployments, m.functionInfo, m.triggers.deliveries, m.triggers.consuming, m.triggers.info, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.unknown = m.seriesOf("")
	return m
}

// functionID is the label for the ID of a function.
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

// Behind adds the metric of the number of committed changes that the server has not applied, which
// behind returns.
func (m *Metrics) Behind(behind func() int64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jeton_changes_behind", Help: "Committed changes that this server has not applied.",
	}, func() float64 { return float64(behind()) }))
}

// Homes adds the metric of the number of functions that this node serves, which homes returns.
func (m *Metrics) Homes(homes func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jeton_home_functions", Help: "Functions of which this node is the home: it serves, builds and schedules them.",
	}, func() float64 { return float64(homes()) }))
}

// Revoked records the time that a revocation took, if the change is the deletion of a token. It is
// called after the gateway has applied the change, at the time now.
func (m *Metrics) Revoked(change store.Change, now time.Time) {
	if _, ok := change.Object.(functions.Token); ok && change.Deleted && !change.CommittedAt.IsZero() {
		m.revocation.Observe(max(now.Sub(change.CommittedAt), 0).Seconds())
	}
}

// maxScrapes is the maximum number of concurrent scrapes.
const maxScrapes = 4

// Handler returns the handler of /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.gatherer, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}
