// Command prose reports turns of phrase that the style rules in CONTRIBUTING.md
// forbid, in the comments, messages and documentation of this repository. It finds
// fixed words only; it does not judge a sentence.
//
// A line that needs a forbidden word, for example to quote another program, carries
// the text "prose:allow" in a comment on the same line or the line before.
package main
