// Package output keeps what functions print while they are built and while they
// run, in files of each function's own that are kept within bounds, and finds and
// reads them, with or without a running server. What a function prints is its
// author's: the server's own log is elsewhere.
package output
