package tfkit_test

import (
	"errors"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// TestSentence_KeepsTheCaseOfNames: an error that begins with the name of a file is
// not made to name another file.
func TestSentence_KeepsTheCaseOfNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"open function.zip: no such file or directory": "Open function.zip: no such file or directory.",
		"function.zip: not a zip archive":              "function.zip: not a zip archive.",
		"function: not a zip archive":                  "function: not a zip archive.",
		"./build/Function.ZIP: file is empty":          "./build/Function.ZIP: file is empty.",
		"zip_file: file is empty":                      "zip_file: file is empty.",
		"":                                             ".",
		"done.":                                        "done.",
	} {
		if got := tfkit.Sentence(errors.New(text)); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
