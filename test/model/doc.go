// Package model is a second, much simpler idea of what the API answers: lists in
// memory, and the rules as its users know them. The tests have both answer the same
// calls. It knows nothing of the server's own code.
package model
