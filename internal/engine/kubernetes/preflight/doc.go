// Package preflight checks whether a namespace of a Kubernetes cluster can run functions: its
// API, the permissions of this process, Pod Security, the images, the network policies and the
// clock. It tries what can be tried, with Pods that it deletes again. It changes nothing else.
package preflight
