// Package runtimetest builds functions and runs them as an engine does. Its tables of
// events and responses are the tests of all languages.
package runtimetest
