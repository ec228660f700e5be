// Package api speaks Scaleway's Functions API v1beta1 over HTTP: it decodes,
// authenticates, calls package functions, and encodes. It decides nothing about
// functions itself; where Scaleway's answers were never recorded, a comment
// says what was chosen.
package api
