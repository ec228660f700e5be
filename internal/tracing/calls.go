package tracing

import (
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/gateway"
)

// Calls returns an observer of the gateway. It creates a span for each call, with child spans for
// admission, wait and forward. The request to the function has the span in its traceparent header.
func (t *Tracer) Calls() gateway.Observer { return calls{t} }

type calls struct{ *Tracer }

func (c calls) Begin(r *http.Request) *http.Request {
	r = c.begin(r, "call")
	c.propagator.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return r
}

func (c calls) End(r *http.Request, o gateway.Outcome) {
	span := trace.SpanFromContext(r.Context())
	if !span.IsRecording() {
		return
	}
	if !o.Decided.IsZero() {
		c.childSpan(r, "admission", o.Began, o.Decided, admission(o)...)
	}
	if !o.Acquired.IsZero() {
		c.childSpan(r, "wait", o.Acquired.Add(-o.Waited()), o.Acquired)
		c.childSpan(r, "forward", o.Acquired, o.Ended, attribute.String("jeton.instance.id", o.InstanceID))
	}
	span.SetAttributes(
		attribute.String("jeton.request.id", o.RequestID), attribute.String("jeton.function.id", o.FunctionID),
		attribute.String("jeton.namespace.id", o.NamespaceID),
	)
	if o.Failure != nil {
		span.RecordError(o.Failure)
	}
	end(span, o.Status, o.Ended)
}

// admission returns the attributes of a decision. They identify the credential, but do not contain
// it.
func admission(o gateway.Outcome) []attribute.KeyValue {
	attributes := []attribute.KeyValue{attribute.Bool("jeton.admitted", o.Reason == "")}
	for key, value := range map[string]string{
		"jeton.refused": o.Reason, "jeton.token.id": o.TokenID, "jeton.access_key": o.AccessKey,
	} {
		if value != "" {
			attributes = append(attributes, attribute.String(key, value))
		}
	}
	return attributes
}

// childSpan creates a span with a start and an end in the past.
func (c calls) childSpan(r *http.Request, name string, began, ended time.Time, attributes ...attribute.KeyValue) {
	_, span := c.tracer.Start(r.Context(), name, trace.WithTimestamp(began), trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(ended))
}

// Requests returns an observer of the API. It creates a span for each request.
func (t *Tracer) Requests() api.Observer { return requests{t} }

type requests struct{ *Tracer }

func (q requests) Begin(r *http.Request) *http.Request { return q.begin(r, "api request") }

func (q requests) End(r *http.Request, o api.Outcome) {
	span := trace.SpanFromContext(r.Context())
	if !span.IsRecording() {
		return
	}
	if o.Endpoint != "" {
		span.SetName(o.Endpoint)
		span.SetAttributes(semconv.HTTPRoute(path(o.Endpoint)))
	}
	span.SetAttributes(attribute.String("jeton.request.id", o.RequestID), attribute.String("jeton.access_key", o.AccessKey))
	end(span, o.Status, time.Time{})
}

// begin starts the span of a request. Its parent is the span in the traceparent header, if any.
func (t *Tracer) begin(r *http.Request, name string) *http.Request {
	ctx := t.propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, _ = t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(method(r.Method)),
	))
	return r.WithContext(ctx)
}

// method returns the name of a standard method, and "_OTHER" for any other, as OpenTelemetry's
// semantic conventions require.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return name
	}
	return "_OTHER"
}

// end ends the span of a request at the given time; the zero time means now.
func end(span trace.Span, status int, at time.Time) {
	if status > 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	if status >= http.StatusInternalServerError || status == 0 {
		span.SetStatus(codes.Error, "")
	}
	if at.IsZero() {
		span.End()
		return
	}
	span.End(trace.WithTimestamp(at))
}

// path returns the pattern of an endpoint without its method.
func path(pattern string) string {
	if _, path, found := strings.Cut(pattern, " "); found {
		return path
	}
	return pattern
}
