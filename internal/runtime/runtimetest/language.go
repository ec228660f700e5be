package runtimetest

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// A Language is an interpreted language. Its methods are the tests that all interpreted
// languages share; the packages of the languages provide the tables.
type Language struct {
	// Name is the name in the catalogue.
	Name string
	// File and Handler are the defaults for the file of the handler and the handler.
	File, Handler string
	Worker        runtime.Worker
	Builder       func(testing.TB) runtime.Builder
}

// Build builds a function from files.
func (l Language) Build(tb testing.TB, handler string, files map[string]string) Built {
	tb.Helper()
	return Build(tb, l.Builder(tb), l.Name, handler, files)
}

// InBothModes runs a test in each mode.
func (l Language) InBothModes(t *testing.T, test func(t *testing.T, mode Mode)) {
	t.Helper()
	InBothModes(t, l.Worker, test)
}

// TestEvents runs the table of events; see TestEvents for the handler.
func (l Language) TestEvents(t *testing.T, handler, code string) {
	built := l.Build(t, handler, map[string]string{l.File: code})
	l.InBothModes(t, func(t *testing.T, mode Mode) { TestEvents(t, mode.Start(t, built, ContextEnv()...)) })
}

// TestResults runs the table of results; see TestResults for the handler.
func (l Language) TestResults(t *testing.T, handler, code string) {
	built := l.Build(t, handler, map[string]string{l.File: code})
	l.InBothModes(t, func(t *testing.T, mode Mode) { TestResults(t, mode.Start(t, built)) })
}

// TestTermination tests the end of instances; see TestTermination for the handler.
func (l Language) TestTermination(t *testing.T, handler, code string) {
	built := l.Build(t, handler, map[string]string{l.File: code})
	l.InBothModes(t, func(t *testing.T, mode Mode) { TestTermination(t, mode, built) })
}

// BenchmarkStart measures starts of a function; see BenchmarkStart.
func (l Language) BenchmarkStart(b *testing.B, code string) {
	BenchmarkStart(b, l.Worker, l.Build(b, l.Handler, map[string]string{l.File: code}))
}

// CodeSample returns the code sample of a runtime.
func CodeSample(t *testing.T, name string) string {
	t.Helper()
	r, ok := runtime.Lookup(name)
	if !ok {
		t.Fatalf("got no runtime %s", name)
	}
	return r.CodeSample
}
