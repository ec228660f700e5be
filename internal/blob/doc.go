// Package blob keeps large things as files: the code archives that clients
// upload and the artifacts that are built of them. It does not look into them.
package blob
