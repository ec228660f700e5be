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

var errProtocol = errors.New("only OTLP over HTTP is supported: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, and an endpoint for it, usually at port 4318")

// Tracer creates spans and sends them in the background. It is safe for concurrent use.
type Tracer struct {
	provider   *sdk.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// Start returns a tracer if OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or
// OTEL_TRACES_EXPORTER=otlp is set, and nil otherwise. It also uses the other variables of the
// OpenTelemetry specification, such as those for sampling, headers, resources and batches.
func Start(ctx context.Context, version string, log *slog.Logger) (*Tracer, error) {
	if !enabled() {
		return nil, nil
	}
	if protocol := firstOf("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("%w: protocol is %q", errProtocol, protocol)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	attributes, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(semconv.ServiceName("jeton"), semconv.ServiceVersion(version)),
		// The last option takes precedence.
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("cannot send spans", "error", err) }))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(attributes))
	return &Tracer{provider: provider, tracer: provider.Tracer(scope), propagator: propagation.TraceContext{}}, nil
}

// enabled reports whether the environment enables tracing.
func enabled() bool {
	exporter := os.Getenv("OTEL_TRACES_EXPORTER")
	switch {
	case os.Getenv("OTEL_SDK_DISABLED") == "true", exporter != "" && exporter != "otlp":
		return false
	}
	return exporter == "otlp" || firstOf("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

// firstOf returns the value of the first variable that is not empty.
func firstOf(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// Close sends the remaining spans. It returns an error if ctx is done first.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }
