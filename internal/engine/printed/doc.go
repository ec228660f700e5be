// Package printed turns what an instance prints into lines: without the secrets of its
// function, limited in rate, and with the cause of a crash. It does not know where the
// instance runs.
package printed
