package runtimetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// A Handling is a function and what it answers to a call.
type Handling struct {
	// Handler is the language's own unless one is named.
	Handler string
	Files   map[string]string
	// Status is 200 unless there is another, and Body anything if it is "*".
	Status int
	Body   string
}

// TestHandlers runs a table of functions, each in both ways.
func (l Language) TestHandlers(t *testing.T, tests map[string]Handling) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.Handler == "" {
				test.Handler = l.Handler
			}
			if test.Status == 0 {
				test.Status = http.StatusOK
			}
			built := l.Build(t, test.Handler, test.Files)
			l.InBothWays(t, func(t *testing.T, way Way) {
				got := way.Start(t, built).Do(t, Call{})
				if got.Status != test.Status || got.Body != test.Body && test.Body != "*" {
					t.Errorf("answer is %d %.300q, want %d %.300q", got.Status, got.Body, test.Status, test.Body)
				}
			})
		})
	}
}

// A StartFailure is code that cannot be loaded, and why, as its author is told.
type StartFailure struct{ Code, Want string }

// TestStartFailures runs a table of code that cannot be loaded, in both ways.
func (l Language) TestStartFailures(t *testing.T, tests map[string]StartFailure) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built := l.Build(t, l.Handler, map[string]string{l.File: test.Code})
			l.InBothWays(t, func(t *testing.T, way Way) {
				status, output := way.StartFails(t, built)
				if cause := Cause(l.Name, output); status == 0 || !strings.HasPrefix(cause, test.Want) {
					t.Errorf("ended with %d because of %q, want %q; it printed:\n%s", status, cause, test.Want, output)
				}
			})
		})
	}
}

// Cause is what a process says of its end in what it printed.
func Cause(language, output string) string {
	cause := runtime.NewCause(language)
	for line := range strings.Lines(output) {
		cause.Add(strings.TrimSuffix(line, "\n"))
	}
	return cause.String()
}

// A BuildFailure is an archive that is refused, and what its author must read.
type BuildFailure struct {
	Files map[string]string
	Want  []string
}

// TestBuildFailures runs a table of archives that are refused.
func (l Language) TestBuildFailures(t *testing.T, tests map[string]BuildFailure) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := BuildFails(t, l.Builder(t), l.Name, l.Handler, test.Files)
			for _, want := range test.Want {
				if !strings.Contains(message, want) {
					t.Errorf("message is %q, want it to have %q", message, want)
				}
			}
		})
	}
}
