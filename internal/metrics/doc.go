// Package metrics defines Jeton's Prometheus metrics. It implements the observer interfaces of the
// packages that are measured, and follows the changes of functions and triggers to create and
// remove their series.
package metrics
