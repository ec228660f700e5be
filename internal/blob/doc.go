// Package blob declares how the server stores code archives, the artifacts that
// are built from them, and the cache of builds. Package files implements it on
// local folders, and package blobtest is the test suite for implementations.
// Implementations do not interpret what they store.
package blob
