// Package python builds Python functions: it checks the syntax of the handler's file,
// compiles the code to bytecode and adds a bootstrap. The bootstrap serves the function
// with the standard library only. It maps requests to events and results to responses as
// Scaleway's documentation and published libraries do.
package python
