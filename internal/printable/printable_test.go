package printable_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/jeton-dev/jeton/internal/printable"
)

func TestText_EscapesControlCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"plain é 日本":       {"plain é 日本", "plain é 日本"},
		"\x1b[2Jgone":      {`\x1b[2Jgone`, `\x1b[2Jgone`},
		"\u009b31mred":     {`\x9b31mred`, `\x9b31mred`},
		"a\tb\nc\r":        {"a\tb\nc\\x0d", `a\x09b\x0ac\x0d`},
		"\u202egnp.exe":    {`\u202egnp.exe`, `\u202egnp.exe`},
		"line\u2028second": {`line\u2028second`, `line\u2028second`},
	} {
		if got := printable.Text(text); got != want[0] {
			t.Errorf("Text(%q): got %q, want %q", text, got, want[0])
		}
		if got := printable.Line(text); got != want[1] {
			t.Errorf("Line(%q): got %q, want %q", text, got, want[1])
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\x1b]0;title\x07\xff")
	f.Fuzz(func(t *testing.T, text string) {
		if got := printable.Line(text); strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("Line(%q): %q has control characters", text, got)
		}
	})
}
