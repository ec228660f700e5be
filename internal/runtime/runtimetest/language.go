package runtimetest

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// A Language is an interpreted one: what is the same in the tests of all of them
// are its methods, and what differs their tables.
type Language struct {
	// Name is that of the catalogue.
	Name string
	// File is where handlers are unless a table says otherwise, and Handler the
	// function in it.
	File, Handler string
	Worker        runtime.Worker
	Builder       func(testing.TB) runtime.Builder
}

// Build builds files into a function.
func (l Language) Build(tb testing.TB, handler string, files map[string]string) Built {
	tb.Helper()
	return Build(tb, l.Builder(tb), l.Name, handler, files)
}

// InBothWays runs a test with either way to an instance.
func (l Language) InBothWays(t *testing.T, test func(t *testing.T, way Way)) {
	t.Helper()
	InBothWays(t, l.Worker, test)
}

// TestEvents runs the table of events; see TestEvents for the handler.
func (l Language) TestEvents(t *testing.T, handler, code string) {
	built := l.Build(t, handler, map[string]string{l.File: code})
	l.InBothWays(t, func(t *testing.T, way Way) { TestEvents(t, way.Start(t, built, ContextEnv()...)) })
}

// TestResults runs the table of results; see TestResults for the handler.
func (l Language) TestResults(t *testing.T, handler, code string) {
	built := l.Build(t, handler, map[string]string{l.File: code})
	l.InBothWays(t, func(t *testing.T, way Way) { TestResults(t, way.Start(t, built)) })
}

// TestTermination asks that instances end well; see TestTermination for the handler.
func (l Language) TestTermination(t *testing.T, handler, code string) {
	built := l.Build(t, handler, map[string]string{l.File: code})
	l.InBothWays(t, func(t *testing.T, way Way) { TestTermination(t, way, built) })
}

// BenchmarkStart measures starts of a function; see BenchmarkStart.
func (l Language) BenchmarkStart(b *testing.B, code string) {
	BenchmarkStart(b, l.Worker, l.Build(b, l.Handler, map[string]string{l.File: code}))
}

// CodeSample is that of a runtime of the catalogue.
func CodeSample(t *testing.T, name string) string {
	t.Helper()
	r, ok := runtime.Lookup(name)
	if !ok {
		t.Fatalf("there is no runtime %s", name)
	}
	return r.CodeSample
}
