// Package node builds Node.js functions: it checks the syntax of the handler's file and
// adds a bootstrap to the code. The bootstrap serves the function with the standard
// library only. It maps requests to events and results to responses as Scaleway's
// documentation and published libraries do.
package node
