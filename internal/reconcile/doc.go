// Package reconcile executes pending transitions: it moves objects from a transient
// status to a settled one. It provisions the keys of namespaces, builds and deploys
// functions, verifies domains and triggers, and deletes what is marked for deletion.
// All of its state is in the objects, so that a process which starts after a crash
// continues the work. It does not decide on transitions: those are methods of
// package functions.
package reconcile
