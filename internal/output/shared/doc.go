// Package shared reads the logs of functions from all nodes of a cluster. Each node stores
// the output of its own instances; the logs of a function that has moved are on several
// nodes. The package merges them by time. It does not store logs.
package shared
