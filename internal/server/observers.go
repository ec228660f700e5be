package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/reconcile"
)

// callObserver is all that watches the gateway.
func (s *Server) callObserver() gateway.Observer {
	if s.tracer == nil {
		return s.metrics.Calls()
	}
	return observers[gateway.Outcome]{s.tracer.Calls(), s.metrics.Calls()}
}

// requestObserver is all that watches the API.
func (s *Server) requestObserver() api.Observer {
	if s.tracer == nil {
		return s.auditor.Requests()
	}
	return observers[api.Outcome]{s.tracer.Requests(), s.auditor.Requests()}
}

// taskObserver is all that watches the reconciler.
func (s *Server) taskObserver() reconcile.Observer {
	measured := s.metrics.Tasks(s.config.Now)
	if s.tracer == nil {
		return measured
	}
	return taskObservers{s.tracer.Tasks(), measured}
}

// observers are several who watch the same requests, whose outcomes are Os.
type observers[O any] []interface {
	Begin(r *http.Request) *http.Request
	End(r *http.Request, outcome O)
}

func (all observers[O]) Begin(r *http.Request) *http.Request {
	for _, o := range all {
		r = o.Begin(r)
	}
	return r
}

func (all observers[O]) End(r *http.Request, outcome O) {
	for _, o := range slices.Backward(all) {
		o.End(r, outcome)
	}
}

type taskObservers []reconcile.Observer

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
