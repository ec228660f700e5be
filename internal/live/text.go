package live

import "strings"

// truncate returns the first bytes of a text as valid UTF-8.
func truncate(text string, length int) string {
	if len(text) <= length {
		return text
	}
	return strings.ToValidUTF8(text[:length], "") + "…"
}

// containsFold reports whether a text contains another one that is in lower case.
func containsFold(text, lower string) bool { return strings.Contains(strings.ToLower(text), lower) }
