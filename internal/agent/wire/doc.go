// Package wire is the protocol between a node, the agent in a Pod, and the launcher in the
// function's container: frames of a kind and a payload over one connection. Every payload is
// bounded, because the other side may be controlled by the code of a function.
package wire
