// Package deploy deploys functions through the API, for tests and benchmarks that
// need running functions.
package deploy
