// Package runtimetest builds functions, runs them as an engine would, and holds
// the one table of events and answers that every language is tested by.
package runtimetest
