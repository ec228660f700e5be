package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
)

// Tasks returns an observer of the reconciler. It creates a span for each deployment, with a child
// span for its build.
func (t *Tracer) Tasks() reconcile.Observer { return tasks{t} }

type tasks struct{ *Tracer }

func (t tasks) Begin(ctx context.Context, task reconcile.Task, f functions.Function) (context.Context, func(reconcile.Result)) {
	ctx, span := t.tracer.Start(ctx, string(task), trace.WithAttributes(
		attribute.String("jeton.function.id", f.ID), attribute.String("jeton.namespace.id", f.NamespaceID),
		attribute.String("jeton.runtime", f.Runtime), attribute.Int64("jeton.generation", f.Generation),
	))
	return ctx, func(result reconcile.Result) {
		span.SetAttributes(attribute.String("jeton.result", string(result)))
		if result == reconcile.Failed || result == reconcile.Broken {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
