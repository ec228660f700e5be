package process

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// shortestSecret is in bytes. What is shorter guards no secret, and taking
	// it out would garble the text.
	shortestSecret = 6
	// longestPiece is how long a piece of a secret is looked for as one, so that
	// a secret that is longer than a line's first part is still found in it.
	longestPiece = 1 << 10
	redacted     = "[redacted]"
)

// A redactor holds the texts that must not be seen: the lines of all secrets,
// for output is looked at line by line.
type redactor []string

func newRedactor(secrets []string) redactor {
	var r redactor
	for _, secret := range secrets {
		for line := range strings.Lines(secret) {
			if line = strings.TrimSpace(line); len(line) >= shortestSecret {
				r = append(r, pieces(line)...)
			}
		}
	}
	slices.Sort(r)
	return slices.Compact(r)
}

// pieces cuts a secret up, with a last piece that is as long as the others.
func pieces(secret string) []string {
	var cut []string
	for rest := secret; len(rest) > longestPiece; rest = rest[longestPiece:] {
		cut = append(cut, rest[:longestPiece])
	}
	return append(cut, secret[max(0, len(secret)-longestPiece):])
}

// A span is where a secret lies in a text.
type span struct{ start, end int }

// redact takes the secrets out of a text. Where they overlap, or one is part of
// another, all that any of them covers goes.
func (r redactor) redact(text string) string { return cover(text, r.find(text)) }

// redactStart is redact for the start of a text that was cut off, which may end
// in the first part of a secret.
func (r redactor) redactStart(text string) string {
	spans := r.find(text)
	for _, secret := range r {
		for n := min(len(secret), len(text)); n > 0; n-- {
			if strings.HasSuffix(text, secret[:n]) {
				spans = append(spans, span{len(text) - n, len(text)})
				break
			}
		}
	}
	return cover(text, spans)
}

func (r redactor) find(text string) []span {
	var spans []span
	for _, secret := range r {
		for from := 0; ; {
			i := strings.Index(text[from:], secret)
			if i < 0 {
				break
			}
			spans = append(spans, span{from + i, from + i + len(secret)})
			from += i + 1
		}
	}
	return spans
}

// cover puts one mark in the place of all spans that touch.
func cover(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var covered strings.Builder
	shown := 0
	for i, s := range spans {
		if i == 0 || s.start > shown {
			covered.WriteString(text[shown:s.start])
			covered.WriteString(redacted)
		}
		shown = max(shown, s.end)
	}
	covered.WriteString(text[shown:])
	return covered.String()
}
