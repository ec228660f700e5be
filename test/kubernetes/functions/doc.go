// Package functions runs functions in Pods of the test cluster through a real server. It has only
// tests: make test-kubernetes runs them inside the cluster.
package functions
