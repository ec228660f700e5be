// Package policies tests that no code of a function runs before the network policies are in force. It has
// only tests: make test-kubernetes runs them inside the cluster.
package policies
