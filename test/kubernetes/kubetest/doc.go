// Package kubetest has what tests of servers in the test cluster share: namespaces, Pods, and calls.
package kubetest
