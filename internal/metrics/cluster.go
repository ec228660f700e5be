package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/store"
)

// Node is a node of a cluster. The node of package cluster implements it.
type Node interface {
	Held() bool
	LeaseLeft() time.Duration
	Offset() time.Duration
	Forks() int64
	Members() ([]store.Member, int64)
	Leases() map[string]store.Lease
	Position() store.Position
}

// A Cluster is the metrics of a node. It implements the observer of package cluster.
type Cluster struct {
	barrier      prometheus.Histogram
	blocked      *prometheus.CounterVec
	unconfirmed  prometheus.Counter
	failed       prometheus.Counter
	fences       prometheus.Counter
	lockWait     prometheus.Histogram
	node         Node
	held, left   *prometheus.Desc
	offset       *prometheus.Desc
	forks        *prometheus.Desc
	members, lag *prometheus.Desc
}

// barrierBuckets are in seconds. The wait is 20 s at most.
var barrierBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}

// Cluster adds the metrics of a node.
func (m *Metrics) Cluster(n Node) *Cluster {
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	c := &Cluster{
		node:        n,
		barrier:     histogram("jeton_cluster_barrier_wait_seconds", "Wait of answers of the API until all members have applied what they show.", barrierBuckets),
		blocked:     counters("jeton_cluster_barrier_blocked_seconds_total", "Wait of answers of the API by the members that they have waited for last.", "member"),
		unconfirmed: prometheus.NewCounter(prometheus.CounterOpts{Name: "jeton_cluster_unconfirmed_total", Help: "Answers that were replaced by 503, because not all members were known to have applied what they show."}),
		failed:      prometheus.NewCounter(prometheus.CounterOpts{Name: "jeton_cluster_renewals_failed_total", Help: "Failed renewals of the lease of this node."}),
		fences:      prometheus.NewCounter(prometheus.CounterOpts{Name: "jeton_cluster_fences_total", Help: "Members that this node has fenced."}),
		lockWait:    histogram("jeton_store_lock_wait_seconds", "Wait of changes for the lock of the change log in the database.", barrierBuckets),
		held:        gauge("jeton_cluster_lease_held", "Whether this node has its lease: 0 or 1."),
		left:        gauge("jeton_cluster_lease_left_seconds", "Time until the lease of this node ends."),
		offset:      gauge("jeton_cluster_clock_offset_seconds", "How far the clock of this node is ahead of that of the database."),
		forks:       gauge("jeton_cluster_forks_total", "How often the database was found to have gone back in time."),
		members:     gauge("jeton_cluster_members", "Members of the cluster, as this node knows them, by state.", "state"),
		lag:         gauge("jeton_cluster_member_lag", "Changes that a member had not applied at its last renewal.", "member"),
	}
	m.registry.MustRegister(c.barrier, c.blocked, c.unconfirmed, c.failed, c.fences, c.lockWait, c)
	return c
}

// Waited implements the observer of package cluster.
func (c *Cluster) Waited(took time.Duration, last []string, confirmed bool) {
	c.barrier.Observe(took.Seconds())
	for _, member := range last {
		c.blocked.WithLabelValues(member).Add(took.Seconds())
	}
	if !confirmed {
		c.unconfirmed.Inc()
	}
}

// RenewalFailed implements the observer of package cluster.
func (c *Cluster) RenewalFailed() { c.failed.Inc() }

// Fenced implements the observer of package cluster.
func (c *Cluster) Fenced() { c.fences.Inc() }

// Locked records the wait of a change for the lock of the change log.
func (c *Cluster) Locked(wait time.Duration) { c.lockWait.Observe(wait.Seconds()) }

// Describe implements prometheus.Collector.
func (c *Cluster) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.held, c.left, c.offset, c.forks, c.members, c.lag} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Cluster) Collect(collected chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		collected <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	held := 0.0
	if c.node.Held() {
		held = 1
	}
	gauge(c.held, held)
	gauge(c.left, c.node.LeaseLeft().Seconds())
	gauge(c.offset, -c.node.Offset().Seconds())
	collected <- prometheus.MustNewConstMetric(c.forks, prometheus.CounterValue, float64(c.node.Forks()))
	members, _ := c.node.Members()
	leases := c.node.Leases()
	states, newest := map[string]int{"serving": 0, "cordoned": 0, "draining": 0}, c.node.Position().Number
	lags := map[string]int64{}
	for _, m := range members {
		switch {
		case m.Draining:
			states["draining"]++
		case m.Cordoned:
			states["cordoned"]++
		default:
			states["serving"]++
		}
		if l, known := leases[m.Incarnation]; known {
			lags[m.Node] = max(newest-l.Applied.Number, 0)
		}
	}
	for state, count := range states {
		gauge(c.members, float64(count), state)
	}
	for member, lag := range lags {
		gauge(c.lag, float64(lag), member)
	}
}
