// Package tracing creates OpenTelemetry spans of calls, API requests and tasks, and sends them to the
// collector that the OTEL_* environment variables specify. Spans contain no tokens, secrets, headers
// or queries.
package tracing
