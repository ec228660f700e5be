package printable

import (
	"fmt"
	"strings"
	"unicode"
)

// Text replaces control characters, except newline and tab, by \xNN, and characters that
// change the direction of text by \uNNNN. A text of a caller or of another server must not
// control the terminal.
func Text(text string) string {
	return escape(text, func(r rune) bool { return unsafe(r) && r != '\n' && r != '\t' })
}

// Line is like Text and also replaces newlines and tabs, so that the text stays in its line
// and in its column of a table.
func Line(text string) string { return escape(text, unsafe) }

func unsafe(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029
}

func escape(text string, replaced func(rune) bool) string {
	if !strings.ContainsFunc(text, replaced) {
		return text
	}
	var escaped strings.Builder
	for _, r := range text {
		switch {
		case !replaced(r):
			escaped.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&escaped, "\\x%02x", r)
		default:
			fmt.Fprintf(&escaped, "\\u%04x", r)
		}
	}
	return escaped.String()
}
