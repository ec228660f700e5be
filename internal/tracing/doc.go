// Package tracing turns calls, requests and tasks into OpenTelemetry spans and
// sends them to where the OTEL_* variables say, and does nothing without them.
// No token, secret, header or query of a caller is in any span.
package tracing
