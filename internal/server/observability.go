package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/tracing"
)

// flushTimeout is the maximum time for exporting the last spans.
const flushTimeout = 2 * time.Second

// observability is metrics, audit log and spans.
type observability struct {
	metrics *metrics.Metrics
	auditor *audit.Auditor
	// tracer is nil unless the environment configures an exporter.
	tracer  *tracing.Tracer
	console *consoleSources
}

func openObservability(ctx context.Context, b *base, opened *closers) (*observability, error) {
	auditor, err := openAuditor(b, opened)
	if err != nil {
		return nil, err
	}
	console, err := newConsoleSources(b.config.Now)
	if err != nil {
		return nil, err
	}
	tracer, err := tracing.Start(ctx, b.config.Version, b.log)
	if err != nil {
		// The variables may be set for all programs of the machine.
		b.log.WarnContext(ctx, "spans are not exported", "error", err)
	}
	if tracer != nil {
		opened.addFunc(func() error { flush(b, tracer); return nil })
		b.log.InfoContext(ctx, "spans are exported")
	}
	return &observability{metrics: newMetrics(b), tracer: tracer, auditor: auditor, console: console}, nil
}

// openAuditor opens the audit log in the database, if several servers may share it, or the
// file in the data folder.
func openAuditor(b *base, opened *closers) (*audit.Auditor, error) {
	c := audit.AuditorConfig{Now: b.config.Now, Log: b.log, Reads: b.config.AuditReads, Name: b.names.of}
	if shared, ok := b.store.(*postgres.Store); ok {
		log, err := audit.OpenShared(audit.SharedConfig{Rows: shared, Now: b.config.Now, Log: b.log})
		if err != nil {
			return nil, err
		}
		opened.add(log)
		c.To, c.Node = log, b.config.Node
		return audit.NewAuditor(c)
	}
	log, err := audit.Open(b.folder.path(audit.File))
	if err != nil {
		return nil, err
	}
	opened.add(log)
	c.To = log
	return audit.NewAuditor(c)
}

// flush exports the last spans. A failure is logged only, since it must not make
// the server end with an error.
func flush(b *base, tracer *tracing.Tracer) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := tracer.Close(ctx); err != nil {
		b.log.WarnContext(ctx, "the last spans were not exported", "error", err)
	}
}

// callObserver returns the observer of the gateway. further are more observers.
func (o *observability) callObserver(further ...gateway.Observer) gateway.Observer {
	all := observers[gateway.Outcome]{o.metrics.Calls()}
	if o.tracer != nil {
		all = observers[gateway.Outcome]{o.tracer.Calls(), o.metrics.Calls()}
	}
	for _, observer := range further {
		all = append(all, observer)
	}
	return all
}

// requestObserver returns the observer of the API.
func (o *observability) requestObserver() api.Observer {
	if o.tracer == nil {
		return o.auditor.Requests()
	}
	return observers[api.Outcome]{o.tracer.Requests(), o.auditor.Requests()}
}

// taskObserver returns the observer of the reconciler.
func (o *observability) taskObserver(now func() time.Time) reconcile.Observer {
	if o.tracer == nil {
		return o.metrics.Tasks(now)
	}
	return taskObservers{o.tracer.Tasks(), o.metrics.Tasks(now)}
}

// observers are several observers of the same requests. O is their outcome.
type observers[O any] []interface {
	Begin(r *http.Request) *http.Request
	End(r *http.Request, outcome O)
}

// Begin calls all observers in order.
func (all observers[O]) Begin(r *http.Request) *http.Request {
	for _, o := range all {
		r = o.Begin(r)
	}
	return r
}

// End calls all observers in reverse order.
func (all observers[O]) End(r *http.Request, outcome O) {
	for _, o := range slices.Backward(all) {
		o.End(r, outcome)
	}
}

type taskObservers []reconcile.Observer

// Begin calls all observers in order. The returned function calls them in reverse
// order.
func (all taskObservers) Begin(ctx context.Context, task reconcile.Task, f functions.Function) (context.Context, func(reconcile.Result)) {
	ends := make([]func(reconcile.Result), len(all))
	for i, o := range all {
		ctx, ends[i] = o.Begin(ctx, task, f)
	}
	return ctx, func(result reconcile.Result) {
		for _, end := range slices.Backward(ends) {
			end(result)
		}
	}
}

// newMetrics returns the metrics of a single server, or those of a node of a cluster.
func newMetrics(b *base) *metrics.Metrics {
	shared, ok := b.store.(*postgres.Store)
	if !ok {
		return metrics.New(b.config.Version)
	}
	m := metrics.NewNode(b.config.Version, b.config.Node)
	c := m.Cluster(b.node)
	b.node.Observe(c)
	shared.OnLock(c.Locked)
	return m
}
