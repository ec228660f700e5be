// Package enginetest is the test suite of engines. It uses an engine only
// through its interface and the network addresses of instances, so that an
// engine of remote instances can run it, too. The instances run Main.
package enginetest
