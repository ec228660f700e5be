// Package golang builds Go functions: it checks the module and the function that the
// handler names, generates a main package that serves the function over HTTP, and
// compiles it. Go functions get HTTP requests, not events.
package golang
