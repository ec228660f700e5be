package runtimetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// A Handling is a function and its response to a call.
type Handling struct {
	// Handler defaults to the handler of the language.
	Handler string
	Files   map[string]string
	// Status defaults to 200. The Body "*" matches any body.
	Status int
	Body   string
}

// TestHandlers runs a table of functions in both modes.
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
			l.InBothModes(t, func(t *testing.T, mode Mode) {
				got := mode.Start(t, built).Do(t, Call{})
				if got.Status != test.Status || got.Body != test.Body && test.Body != "*" {
					t.Errorf("got %d %.300q, want %d %.300q", got.Status, got.Body, test.Status, test.Body)
				}
			})
		})
	}
}

// A StartFailure is code that cannot be loaded, and the cause that its author sees.
type StartFailure struct{ Code, Want string }

// TestStartFailures runs a table of code that cannot be loaded in both modes.
func (l Language) TestStartFailures(t *testing.T, tests map[string]StartFailure) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built := l.Build(t, l.Handler, map[string]string{l.File: test.Code})
			l.InBothModes(t, func(t *testing.T, mode Mode) {
				status, output := mode.StartFails(t, built)
				if cause := Cause(l.Name, output); status == 0 || !strings.HasPrefix(cause, test.Want) {
					t.Errorf("got status %d, cause %q, want %q; output:\n%s", status, cause, test.Want, output)
				}
			})
		})
	}
}

// Cause returns why a process ended, from its output.
func Cause(language, output string) string {
	cause := runtime.NewCause(language)
	for line := range strings.Lines(output) {
		cause.Add(strings.TrimSuffix(line, "\n"))
	}
	return cause.String()
}

// A BuildFailure is an invalid archive, and texts that the message must contain.
type BuildFailure struct {
	Files map[string]string
	Want  []string
}

// TestBuildFailures runs a table of invalid archives.
func (l Language) TestBuildFailures(t *testing.T, tests map[string]BuildFailure) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := BuildFails(t, l.Builder(t), l.Name, l.Handler, test.Files)
			for _, want := range test.Want {
				if !strings.Contains(message, want) {
					t.Errorf("got message %q, want %q in it", message, want)
				}
			}
		})
	}
}
