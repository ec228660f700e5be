// Package enginetest runs the suite of engines with the Kubernetes engine and the images of the
// product in a test cluster. It has only tests: make test-kubernetes-e2e runs them inside the cluster.
package enginetest
