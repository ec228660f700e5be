// Package functions is the domain: namespaces, functions, tokens, crons, triggers
// and domains, their rules, and every transition of their statuses. It has no HTTP,
// no SQL and no clock of its own; it declares what it needs as small interfaces.
package functions
