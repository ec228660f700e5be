// Package output stores the output of functions and of their builds in files of bounded size,
// in one directory per function. The files can be read without a running server. The log of
// the server itself is not part of this package.
package output
