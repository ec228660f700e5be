// Package api implements Scaleway's Functions API v1beta1 over HTTP: it authenticates a
// request, decodes it, calls package functions, and encodes the result. The rules of the
// objects are in package functions. Where no response of Scaleway was recorded, a comment
// states what was chosen.
package api
