package metrics

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/scale"
)

// Calls returns an observer of the gateway.
func (m *Metrics) Calls() gateway.Observer {
	return calls{
		metrics:     m,
		byToken:     m.admissions.WithLabelValues("admitted", "token"),
		byAccessKey: m.admissions.WithLabelValues("admitted", "api_key"),
	}
}

// calls has the counters of admitted calls. They are looked up once, not for each call.
type calls struct {
	metrics     *Metrics
	byToken     prometheus.Counter
	byAccessKey prometheus.Counter
}

func (calls) Begin(r *http.Request) *http.Request { return r }

// End counts a call where it was served: at the home of its function, or where it failed.
func (c calls) End(_ *http.Request, o gateway.Outcome) {
	if o.Retries > 0 {
		c.metrics.forwardRetries.Add(float64(o.Retries))
	}
	switch {
	case o.Misdirected:
		c.metrics.misdirected.Inc()
		return
	case o.Home != "":
		c.metrics.forwarded.WithLabelValues(class(o.Status)).Inc()
		return
	}
	if s := c.metrics.series(o.FunctionID); s != nil {
		s.observe(o.Status, o.Ended.Sub(o.Began).Seconds())
	}
	if !o.Acquired.IsZero() {
		c.metrics.callWait.Observe(o.Waited().Seconds())
	}
	if !o.Decided.IsZero() {
		c.admission(o).Inc()
	}
}

// admission returns the counter of a decision. The number of counters is bounded by the number of
// reasons in package gateway.
func (c calls) admission(o gateway.Outcome) prometheus.Counter {
	switch {
	case o.Reason != "":
		return c.metrics.admissions.WithLabelValues("refused", strings.ReplaceAll(strings.ToLower(o.Reason), " ", "_"))
	case o.AccessKey != "":
		return c.byAccessKey
	}
	return c.byToken
}

// Starts returns an observer of the scaler.
func (m *Metrics) Starts() scale.Observer { return starts{m} }

type starts struct{ metrics *Metrics }

func (s starts) Started(revisionID string, took time.Duration, cold bool) {
	s.metrics.starts.WithLabelValues("ready").Inc()
	s.metrics.startTime.Observe(took.Seconds())
	if cold {
		s.metrics.coldStarts.Inc()
		s.metrics.coldStart(revisionID)
	}
}

func (s starts) StartFailed(string) { s.metrics.starts.WithLabelValues("failed").Inc() }

// Tasks returns an observer of the reconciler.
func (m *Metrics) Tasks(now func() time.Time) reconcile.Observer { return tasks{m, now} }

type tasks struct {
	metrics *Metrics
	now     func() time.Time
}

func (t tasks) Begin(ctx context.Context, task reconcile.Task, _ functions.Function) (context.Context, func(reconcile.Result)) {
	began := t.now()
	durations := t.metrics.deployments
	if task == reconcile.Build {
		durations = t.metrics.builds
	}
	return ctx, func(result reconcile.Result) {
		durations.WithLabelValues(string(result)).Observe(t.now().Sub(began).Seconds())
	}
}
