// Package instances keeps the revisions and the instances of an engine: it starts and stops
// as many as the engine's caller wants, and delivers their events to watches. How an instance
// runs is the engine's.
package instances
