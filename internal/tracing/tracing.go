package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// scope names the source of the spans.
const scope = "github.com/jeton-dev/jeton"

// errProtocol is the one thing that can be asked for and is not there.
var errProtocol = errors.New("spans are sent by OTLP over HTTP only: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, and an endpoint that speaks it, commonly at port 4318")

// Tracer makes spans, and sends them in the background.
type Tracer struct {
	provider   *sdk.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// Start returns a tracer if the environment asks for one, with
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or
// OTEL_TRACES_EXPORTER=otlp, and nil otherwise. The other variables of the
// OpenTelemetry specification hold as well: sampling, headers, resource,
// batches.
func Start(ctx context.Context, version string, log *slog.Logger) (*Tracer, error) {
	if !asked() {
		return nil, nil
	}
	if protocol := firstOf("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("%w (it is %q)", errProtocol, protocol)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	from, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(semconv.ServiceName("jeton"), semconv.ServiceVersion(version)),
		// Last, so that the environment wins.
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans could not be sent", "error", err) }))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(from))
	return &Tracer{provider: provider, tracer: provider.Tracer(scope), propagator: propagation.TraceContext{}}, nil
}

// asked tells whether the environment asks for spans.
func asked() bool {
	exporter := os.Getenv("OTEL_TRACES_EXPORTER")
	switch {
	case os.Getenv("OTEL_SDK_DISABLED") == "true", exporter != "" && exporter != "otlp":
		return false
	}
	return exporter == "otlp" || firstOf("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

// firstOf returns the first variable that is set.
func firstOf(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// Close sends what is left, until ctx ends.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }
