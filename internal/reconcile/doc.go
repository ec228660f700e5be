// Package reconcile carries objects out of their transient states: it gives
// namespaces their keys, builds and deploys functions, and clears away what is
// deleted. Work in progress is nothing but an object's state, so that a
// process that starts after a crash finds it and goes on.
package reconcile
