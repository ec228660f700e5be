// Package python builds Python functions: it checks the file that the handler
// names and puts a bootstrap beside the code. The bootstrap, which serves the
// function with Python's standard library only, turns requests into events and
// results into answers as Scaleway's documentation and published libraries do.
package python
