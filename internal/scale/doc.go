// Package scale owns who waits and how many instances there should be: it hands
// each call an idle instance of a revision, keeps the calls that find none in a
// bounded queue, and asks the engine for instances as the queue, the limits and
// idleness demand. It neither makes instances (package engine does) nor speaks
// to them.
package scale
