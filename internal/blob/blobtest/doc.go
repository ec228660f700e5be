// Package blobtest tests implementations of package blob: each of them passes the
// same suite.
package blobtest
