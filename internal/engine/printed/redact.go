package printed

import (
	"slices"
	"strings"
)

const (
	// shortestSecret is the length of the shortest secret that is removed, in bytes.
	// Shorter values protect nothing, and their removal would garble the text.
	shortestSecret = 6
	// longestPiece is the length of the pieces in which a secret is searched, so that a
	// secret that exceeds the first part of a line is found in it.
	longestPiece = 1 << 10
	// mostPatterns bounds the bytes of all pieces, and so the memory of a redactor. If
	// the secrets of a function exceed it, all of its output is redacted.
	mostPatterns = 256 << 10
	redacted     = "[redacted]"
	unsearched   = "[redacted: the function's secret variables are too large to search for]"
)

// A Redactor removes the lines of secrets from single lines of text. It is an
// automaton (Aho and Corasick, 1975) that reads each byte of the text once,
// independent of the number of secrets. It is immutable; nil removes nothing.
type Redactor struct {
	nodes []node
	// hides reports whether all text is redacted: see mostPatterns.
	hides bool
}

// A node represents a prefix of a piece. Nodes are sorted by length, so that the
// children of a node are adjacent.
type node struct {
	// children is the index of the first node that extends this one by one byte. The
	// children are sorted by that byte, and end where those of the next node begin.
	children uint32
	// fallback is the node of the longest proper suffix that is a prefix of a piece.
	fallback uint32
	// length is the number of bytes of the prefix.
	length uint16
	// found is the length of the longest piece that is a suffix; 0 for none.
	found uint16
	// last is the last byte of the prefix.
	last byte
}

func NewRedactor(secrets []string) *Redactor {
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
		return &Redactor{hides: true}
	case len(patterns) == 0:
		return nil
	}
	r := &Redactor{nodes: make([]node, 0, size+2)}
	r.grow(patterns)
	r.link()
	return r
}

// pieces splits a secret into pieces of longestPiece bytes. The last piece overlaps
// the one before it to have the same length.
func pieces(secret string) []string {
	var cut []string
	for rest := secret; len(rest) > longestPiece; rest = rest[longestPiece:] {
		cut = append(cut, rest[:longestPiece])
	}
	return append(cut, secret[max(0, len(secret)-longestPiece):])
}

// grow adds the nodes of sorted patterns, level by level: each node corresponds to the
// run of patterns with its prefix.
func (r *Redactor) grow(patterns []string) {
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

// link sets the fallbacks, by increasing length.
func (r *Redactor) link() {
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

// step returns the node of the longest suffix of the text so far, which ends in next,
// that is a prefix of a piece.
func (r *Redactor) step(at uint32, next byte) uint32 {
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

// Redact replaces the secrets in a text. Secrets that overlap are replaced together.
func (r *Redactor) Redact(text string) string { return r.cover(text, false) }

// redactStart is Redact for the first part of a text: it also replaces a prefix of a
// secret at the end.
func (r *Redactor) redactStart(text string) string { return r.cover(text, true) }

// cover replaces each group of adjacent secrets by one mark.
func (r *Redactor) cover(text string, cutOff bool) string {
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

// A span is a part of a text that consists of secrets.
type span struct{ start, end int }

// find returns the spans of secrets, in order. Adjacent secrets are one span.
func (r *Redactor) find(text string, cutOff bool) []span {
	var spans []span
	hide := func(length, end int) {
		start := end - length
		// Each span is removed at most once, so that the time stays linear.
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
