// Package nodes shows the metrics, builds, refused calls and states of all nodes of a
// cluster at any of them. Each node keeps its own; the package asks the other members and
// adds their answers. It stores nothing.
package nodes
