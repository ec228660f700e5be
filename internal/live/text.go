package live

import "strings"

// shorten returns the first maxMessage bytes of a text as valid UTF-8.
func shorten(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage], "") + "…"
}

// containsFold reports whether a text contains another one that is in lower case.
func containsFold(text, lower string) bool { return strings.Contains(strings.ToLower(text), lower) }
