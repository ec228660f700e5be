// Package feed delivers the events of an engine to its watches: in order, without loss,
// and without a wait for slow receivers.
package feed
