package process

import (
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
	// mostPatterns bounds the memory of a redactor, in bytes of all pieces. A function
	// whose secrets have more has none of its output shown.
	mostPatterns = 256 << 10
	redacted     = "[redacted]"
	unsearched   = "[redacted: the function's secret variables are too large to be looked for]"
)

// A redactor finds the lines of all secrets in a text, for output is looked at line
// by line. It is an automaton (Aho and Corasick, 1975): it reads each byte of the
// text once, whatever the secrets are. It does not change once it is made; nil finds
// nothing.
type redactor struct {
	nodes []node
	// hides is true if there are too many secrets to be looked for.
	hides bool
}

// A node stands for the beginning of a piece. The nodes are in the order of their
// length, so that those which continue one are next to each other.
type node struct {
	// children is where those begin that continue this one by one byte, sorted by it;
	// they end where those of the next node begin.
	children uint32
	// fallback is the node of the longest end of this one that begins a piece.
	fallback uint32
	// length is how many bytes it stands for.
	length uint16
	// found is the length of the longest piece that ends here; 0 for none.
	found uint16
	// last is its last byte.
	last byte
}

func newRedactor(secrets []string) *redactor {
	var patterns []string
	size := 0
	for _, secret := range secrets {
		for line := range strings.Lines(secret) {
			if line = strings.TrimSpace(line); len(line) >= shortestSecret {
				patterns = append(patterns, pieces(line)...)
			}
		}
	}
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)
	for _, p := range patterns {
		size += len(p)
	}
	switch {
	case size > mostPatterns:
		return &redactor{hides: true}
	case len(patterns) == 0:
		return nil
	}
	r := &redactor{nodes: make([]node, 0, size+2)}
	r.grow(patterns)
	r.link()
	return r
}

// pieces cuts a secret up, with a last piece that is as long as the others.
func pieces(secret string) []string {
	var cut []string
	for rest := secret; len(rest) > longestPiece; rest = rest[longestPiece:] {
		cut = append(cut, rest[:longestPiece])
	}
	return append(cut, secret[max(0, len(secret)-longestPiece):])
}

// grow makes the nodes of sorted patterns, level by level: each node is the run of
// patterns that begin so.
func (r *redactor) grow(patterns []string) {
	type run struct{ from, to int }
	runs := []run{{0, len(patterns)}}
	r.nodes = append(r.nodes, node{})
	for at := 0; at < len(r.nodes); at++ {
		n, begins := &r.nodes[at], runs[at]
		n.children = uint32(len(r.nodes))
		depth := int(n.length)
		from := begins.from
		if from < begins.to && len(patterns[from]) == depth {
			n.found = n.length
			from++
		}
		for from < begins.to {
			next := patterns[from][depth]
			to := from + 1
			for to < begins.to && patterns[to][depth] == next {
				to++
			}
			runs = append(runs, run{from, to})
			r.nodes = append(r.nodes, node{length: uint16(depth + 1), last: next})
			from = to
		}
	}
	// The children of the last node end here.
	r.nodes = append(r.nodes, node{children: uint32(len(r.nodes))})
}

// link sets the fallbacks, the short ones first.
func (r *redactor) link() {
	for at := range len(r.nodes) - 1 {
		for child := r.nodes[at].children; child < r.nodes[at+1].children; child++ {
			c := &r.nodes[child]
			if at > 0 {
				c.fallback = r.step(r.nodes[at].fallback, c.last)
			}
			c.found = max(c.found, r.nodes[c.fallback].found)
		}
	}
}

// step returns the node of the longest end of what was read that begins a piece.
func (r *redactor) step(at uint32, next byte) uint32 {
	for {
		from, to := r.nodes[at].children, r.nodes[at+1].children
		for from < to {
			middle := (from + to) / 2
			switch last := r.nodes[middle].last; {
			case last == next:
				return middle
			case last < next:
				from = middle + 1
			default:
				to = middle
			}
		}
		if at == 0 {
			return 0
		}
		at = r.nodes[at].fallback
	}
}

// redact takes the secrets out of a text. Where they overlap, or one is part of
// another, all that any of them covers goes.
func (r *redactor) redact(text string) string { return r.cover(text, false) }

// redactStart is redact for the start of a text that was cut off, which may end
// in the first part of a secret.
func (r *redactor) redactStart(text string) string { return r.cover(text, true) }

// cover puts one mark in the place of all secrets that touch.
func (r *redactor) cover(text string, cutOff bool) string {
	switch {
	case r == nil:
		return text
	case r.hides && text != "":
		return unsearched
	case r.hides:
		return ""
	}
	spans := r.find(text, cutOff)
	if len(spans) == 0 {
		return text
	}
	var covered strings.Builder
	shown := 0
	for _, s := range spans {
		covered.WriteString(text[shown:s.start])
		covered.WriteString(redacted)
		shown = s.end
	}
	covered.WriteString(text[shown:])
	return covered.String()
}

// A span is where secrets lie in a text.
type span struct{ start, end int }

// find returns where secrets are, in order. Those that overlap or touch are one.
func (r *redactor) find(text string, cutOff bool) []span {
	var spans []span
	hide := func(length, end int) {
		start := end - length
		// Each span is taken away once, so that this is as linear as the rest.
		for n := len(spans); n > 0 && spans[n-1].end >= start; n = len(spans) {
			start = min(start, spans[n-1].start)
			spans = spans[:n-1]
		}
		spans = append(spans, span{start, end})
	}
	at := uint32(0)
	for i := range len(text) {
		at = r.step(at, text[i])
		if found := int(r.nodes[at].found); found > 0 {
			hide(found, i+1)
		}
	}
	if partial := int(r.nodes[at].length); cutOff && partial > 0 {
		hide(partial, len(text))
	}
	return spans
}
