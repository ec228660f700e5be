// Package nodes starts the nodes of a cluster for tests, proofs, demonstrations and
// benchmarks: the database and the bucket that they share, their key, and their processes.
package nodes
