// Package live keeps what the console shows without a query of the store: the names and
// states of all namespaces and functions, their latest deployments, the latest
// revocations of tokens, and the changes since then as events for subscribers. It is a
// follower of the store; everything in it is bounded.
package live
