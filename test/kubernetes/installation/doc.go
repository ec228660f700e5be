// Package installation tests the Helm chart, the network policies and jeton doctor in a test
// cluster. All its tests have the build tag kubernetes.
package installation
