// Package ops serves the operators' port: liveness, readiness, metrics and, if enabled,
// profiles. Requests are unauthenticated: the port must be private.
package ops
