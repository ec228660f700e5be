// Package metrics owns the names and the meaning of all that Jeton measures, in
// the form of Prometheus. It measures nothing by itself: it implements what the
// measured declare, and follows the changes to know which functions there are.
package metrics
