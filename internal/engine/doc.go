// Package engine owns the idea of an instance: one running copy of a revision
// that listens on an address. It says what an engine must do; the engines
// themselves are its sub-packages. It does not decide how many instances there
// should be (package scale does) and it never speaks HTTP to them.
package engine
