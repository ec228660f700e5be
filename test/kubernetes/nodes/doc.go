// Package nodes tests several nodes of Jeton that run functions as Pods of the test cluster. It has only
// tests: make test-kubernetes runs them inside the cluster.
package nodes
